import AviaryCheckpoint
import AviaryTensor

/// Tells how arrays without a framework of their own lay out their kernels.
///
/// A bias has one number for each output channel: that is dimension 0 in PyTorch's convolutions (out,
/// in, h, w), 1 in its transposed ones, the last in Keras's (h, w, in, out), the last but one in its
/// transposed ones. Where sizes coincide nothing is told, and PyTorch's layout is assumed.
enum KernelLayout {
  /// Whether the biases fit Keras's layout in every layer and PyTorch's not in all.
  static func isChannelsLast(_ tensors: TensorSource) -> Bool {
    var tells = false
    for kernel in tensors where kernel.shape.count == 4 && kernel.name.hasSuffix(".weight") {
      let layer = kernel.name.dropLast("weight".count)
      guard let bias = tensors[layer + "bias"], bias.shape.count == 1 else { continue }
      let (shape, count) = (kernel.shape, bias.shape[0])
      guard shape[3] == count || shape[2] == count else { return false }
      if shape[0] != count, shape[1] != count { tells = true }
    }
    return tells
  }

  /// What brings a tensor of Keras's layout into PyTorch's: (h, w, in, out) to (out, in, h, w), and
  /// (in, out) to (out, in).
  static func steps(_ tensor: TensorDescription) -> [TensorStep] {
    guard tensor.name.hasSuffix(".weight") else { return [] }
    return switch tensor.shape.count {
    case 4: [.permuted([3, 2, 0, 1])]
    case 2: [.permuted([1, 0])]
    default: []
    }
  }
}
