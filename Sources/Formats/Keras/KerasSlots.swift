import AviaryContainers
import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// From a Keras layer's variables to tensors of PyTorch's names and layout.
///
/// Kernels are (height, width, in, out) in Keras and (out, in, height, width) in PyTorch; those of
/// transposed convolutions (height, width, out, in) and (in, out, height, width): one permutation
/// does both.
struct KerasSlots {
  /// A variable with its name and what is to be done to it.
  struct Result {
    /// `weight`, `depthwise.weight`
    var name: String
    var steps: [TensorStep]
  }

  let kind: ExternalLayer.Kind
  /// What each variable is, in the customary words: `kernel`, `bias`, `gamma`.
  let slots: [String]
  /// What was assumed of the layer, in words.
  private(set) var note: String?

  /// What the variables of a layer are: by their names where the file has names, by their number,
  /// the layer's class and the shapes where it has not.
  init(_ layer: KerasStoredLayer) {
    let names = layer.variables.map { Self.customary[$0.slot] ?? $0.slot }
    let shapes = layer.variables.map(\.shape)
    guard names.allSatisfy({ Int($0) != nil }) else {
      slots = names
      kind = layer.kind ?? Self.kind(named: names, shapes, in: layer.path.last ?? "")
      return
    }
    kind = layer.kind ?? Self.kind(of: shapes, in: layer.path.last ?? "")
    switch kind {
    case .separableConvolution: slots = ["depthwise_kernel", "pointwise_kernel", "bias"]
    case .batchNormalization:
      var own = ["gamma", "beta", "moving_mean", "moving_variance"]
      if shapes.count == 2 { own.removeFirst(2) }
      if shapes.count == 3 {
        let hasScale = layer.configuration?.options["scale"]?.bool
        own.remove(at: hasScale == true ? 1 : 0)
        if hasScale == nil {
          note =
            "\(layer.name): three variables taken for beta, moving mean and moving variance;"
            + " nothing says whether it has a scale or a centre"
        }
      }
      slots = own
    case .prelu: slots = ["alpha"]
    case .convolution, .transposedConvolution, .depthwiseConvolution, .dense:
      slots = ["kernel", "bias"]
    case .other: slots = shapes.indices.map(String.init)
    }
  }

  /// The tensor that the variable at a position becomes.
  func result(_ position: Int, shape: [Int]) -> Result {
    let slot = position < slots.count ? slots[position] : String(position)
    let rank = shape.count
    switch (kind, slot, rank) {
    case (.convolution, "kernel", 3...5), (.transposedConvolution, "kernel", 3...5):
      // Output and input channels to the front, the window behind: (3, 2, 0, 1) for images.
      return Result(
        name: "weight", steps: [.permuted([rank - 1, rank - 2] + Array(0..<rank - 2))])
    case (.depthwiseConvolution, "kernel", 4), (.depthwiseConvolution, "depthwise_kernel", 4):
      return Result(name: "weight", steps: Self.depthwise(shape))
    case (.separableConvolution, "depthwise_kernel", 4):
      return Result(name: "depthwise.weight", steps: Self.depthwise(shape))
    case (.separableConvolution, "pointwise_kernel", 4):
      return Result(name: "pointwise.weight", steps: [.permuted([3, 2, 0, 1])])
    case (.separableConvolution, "bias", _): return Result(name: "pointwise.bias", steps: [])
    case (.dense, "kernel", 2): return Result(name: "weight", steps: [.permuted([1, 0])])
    case (.prelu, "alpha", 2...4) where shape.dropLast().allSatisfy { $0 == 1 }:
      // One slope a channel, shared over the image.
      return Result(name: "weight", steps: [.reshaped(from: shape, to: [shape[rank - 1]])])
    default:
      return Result(name: Self.names[slot] ?? slot, steps: [])
    }
  }

  /// (h, w, in, multiplier) to (in · multiplier, 1, h, w).
  private static func depthwise(_ shape: [Int]) -> [TensorStep] {
    let turned = [shape[2], shape[3], shape[0], shape[1]]
    let (channels, overflow) = shape[2].multipliedReportingOverflow(by: shape[3])
    guard !overflow else { return [] }
    let target = [channels, 1, shape[0], shape[1]]
    return [.permuted([2, 3, 0, 1])]
      + (turned == target ? [] : [.reshaped(from: turned, to: target)])
  }

  /// Keras 1's names of variables, in Keras 2's.
  private static let customary = [
    "W": "kernel", "b": "bias", "alphas": "alpha", "running_mean": "moving_mean",
    // Named after the deviation, it is the variance.
    "running_std": "moving_variance",
  ]

  private static let names = [
    "kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias",
    "moving_mean": "running_mean", "moving_variance": "running_var", "alpha": "weight",
  ]

  /// Whether variables are called so, by Keras 1 or its successors.
  static func isKnown(_ slot: String) -> Bool { customary[slot] != nil || names[slot] != nil }

  /// The kind of a layer whose variables have names.
  private static func kind(
    named names: [String], _ shapes: [[Int]], in name: String
  ) -> ExternalLayer.Kind {
    if names.contains("moving_variance") { return .batchNormalization }
    if names.contains("pointwise_kernel") { return .separableConvolution }
    if names.contains("depthwise_kernel") { return .depthwiseConvolution }
    if names == ["alpha"] { return .prelu }
    guard let kernel = names.firstIndex(of: "kernel") else { return .other }
    let bias = names.firstIndex(of: "bias").map { shapes[$0] }
    return Self.kind(ofKernel: shapes[kernel], bias: bias, in: name)
  }

  /// The kind of a layer of which only the shapes are known.
  private static func kind(of shapes: [[Int]], in name: String) -> ExternalLayer.Kind {
    let ranks = shapes.map(\.count)
    switch ranks {
    case [1, 1, 1, 1], [1, 1, 1]: return Set(shapes).count == 1 ? .batchNormalization : .other
    case [4, 4], [4, 4, 1]: return .separableConvolution
    case [3] where shapes[0][0] == 1 && shapes[0][1] == 1: return .prelu
    default:
      guard let kernel = shapes.first, shapes.count <= 2, ranks.dropFirst() != [0],
        ranks.dropFirst().allSatisfy({ $0 == 1 })
      else { return .other }
      return Self.kind(ofKernel: kernel, bias: shapes.dropFirst().first, in: name)
    }
  }

  /// A bias has as many elements as the layer gives channels: that tells which dimension they are.
  private static func kind(
    ofKernel kernel: [Int], bias: [Int]?, in name: String
  ) -> ExternalLayer.Kind {
    guard kernel.count > 1, kernel.count <= 5 else { return .other }
    if kernel.count == 2 { return .dense }
    let lowercase = name.lowercased()
    if ["transpose", "deconv", "upconv"].contains(where: lowercase.contains) {
      return .transposedConvolution
    }
    guard kernel.count == 4, let channels = bias?.first, channels != kernel[3] else {
      return .convolution
    }
    if channels == kernel[2] && kernel[3] != 1 { return .transposedConvolution }
    return channels == kernel[2].multipliedReportingOverflow(by: kernel[3]).partialValue
      ? .depthwiseConvolution : .convolution
  }
}
