import AviaryContainers
import AviaryCheckpoint
import AviaryTensor

/// How the kernels of a file are laid out: Keras 1 had two ways, and says in no file of weights which.
enum KerasKernelOrder: String {
  /// Since Keras 2: (h, w, in, out), transposed (h, w, out, in).
  case current
  /// Keras 1 `tf`: (h, w, in, out), transposed too.
  case tf
  /// Keras 1 `th`: (out, in, h, w), transposed too.
  case th

  /// The order in a file of Keras 1: that in which the biases have as many elements as the kernels
  /// give channels.
  ///
  /// - Returns: nil where there are no kernels of four dimensions, or both orders fit.
  static func ofKeras1(_ layers: [KerasStoredLayer]) -> KerasKernelOrder? {
    var fits = (tf: true, th: true)
    for layer in layers {
      let ranks = layer.variables.map(\.dataSet.shape.count)
      guard ranks == [4, 1] else { continue }
      let kernel = layer.variables[0].dataSet.shape
      let bias = layer.variables[1].dataSet.shape[0]
      fits.tf = fits.tf && kernel[3] == bias
      fits.th = fits.th && kernel[0] == bias
    }
    guard fits.tf != fits.th else { return nil }
    return fits.tf ? .tf : .th
  }

  /// Replaces the steps of a kernel by those that its order needs.
  func apply(to result: inout KerasSlots.Result, kind: ExternalLayer.Kind, shape: [Int]) {
    guard result.name == "weight", shape.count == 4 else { return }
    switch (self, kind) {
    case (.th, .convolution): result.steps = []
    // (out, in, h, w) and (h, w, in, out) to (in, out, h, w).
    case (.th, .transposedConvolution): result.steps = [.permuted([1, 0, 2, 3])]
    case (.tf, .transposedConvolution): result.steps = [.permuted([2, 3, 0, 1])]
    default: break
    }
  }
}
