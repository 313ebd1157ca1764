import AviaryCheckpoint
import AviaryContainers
import AviaryTensor

/// A run of numbers that a layer takes from the `.bin` file, in the order in which ncnn's layers read
/// them (`load_model` in ncnn/src/layer).
struct NCNNWeight {
  /// The last part of the parameter's name.
  var suffix: String
  /// The dimensions as they lie in the file.
  var shape: [Int]
  /// Whether a mark before the elements says how they are stored; plain float32 otherwise.
  var isMarked: Bool
  /// What brings them into PyTorch's layout.
  var steps: [TensorStep] = []

  /// What a layer takes.
  ///
  /// - Throws: `CheckpointError.unsupported` for a class of layer that is not known, as what follows
  ///   in the file cannot be found then; `.damaged` for attributes that contradict each other.
  static func of(_ layer: NCNNLayer, path: String) throws(CheckpointError) -> [NCNNWeight] {
    func damaged(_ reason: String) -> CheckpointError {
      .damaged(path: path, part: "line \(layer.line), layer \(layer.name)", reason: reason)
    }
    func size(_ number: Int, default absent: Int = 0) throws(CheckpointError) -> Int {
      guard let value = layer.integer(number, default: absent), value >= 0 else {
        throw damaged("attribute \(number): an integer of 0 or more expected")
      }
      return value
    }
    /// What is left of a count when it is divided by the known dimensions.
    func quotient(_ count: Int, by known: [Int]) throws(CheckpointError) -> Int {
      guard let product = try? Tensor.count(of: known), product > 0, count > 0,
        count.isMultiple(of: product)
      else { throw damaged("a kernel of \(count) numbers does not divide by \(known)") }
      return count / product
    }
    func vectors(_ suffixes: [String], _ count: Int) -> [NCNNWeight] {
      suffixes.map { NCNNWeight(suffix: $0, shape: [count], isMarked: false) }
    }
    switch layer.type {
    case "Convolution", "ConvolutionDepthWise", "Deconvolution", "DeconvolutionDepthWise":
      guard try size(8) == 0 else {
        throw .unsupported(path: path, what: "layer \(layer.name): weights of 8 bits")
      }
      let filters = try size(0)
      let kernel = [try size(11, default: try size(1)), try size(1)]
      let groups = layer.type.hasSuffix("DepthWise") ? try size(7, default: 1) : 1
      guard groups > 0, filters.isMultiple(of: groups) else { throw damaged("\(groups) groups") }
      let inputs = try quotient(try size(6), by: [filters] + kernel)
      var weight = NCNNWeight(suffix: "weight", shape: [filters, inputs] + kernel, isMarked: true)
      if layer.type.hasPrefix("Deconvolution") {
        // Output channels first, group by group; PyTorch has input channels first.
        let parts = [groups, filters / groups, inputs] + kernel
        let (total, overflow) = groups.multipliedReportingOverflow(by: inputs)
        guard !overflow else { throw damaged("\(groups) groups") }
        weight.steps = [
          .reshaped(from: weight.shape, to: parts), .permuted([0, 2, 1, 3, 4]),
          .reshaped(
            from: [groups, inputs, filters / groups] + kernel,
            to: [total, filters / groups] + kernel),
        ]
      }
      return [weight] + (try size(5) == 0 ? [] : vectors(["bias"], filters))
    case "InnerProduct":
      guard try size(8) == 0 else {
        throw .unsupported(path: path, what: "layer \(layer.name): weights of 8 bits")
      }
      let features = try size(0)
      let inputs = try quotient(try size(2), by: [features])
      return [NCNNWeight(suffix: "weight", shape: [features, inputs], isMarked: true)]
        + (try size(1) == 0 ? [] : vectors(["bias"], features))
    case "PReLU": return vectors(["weight"], try size(0))
    case "BatchNorm":
      return vectors(["weight", "running_mean", "running_var", "bias"], try size(0))
    case "Scale":
      // -233: the factors come from another layer.
      if layer.integer(0) == -233 { return [] }
      return vectors(try size(1) == 0 ? ["weight"] : ["weight", "bias"], try size(0))
    case "MemoryData":
      let sizes = [try size(2), try size(11), try size(1), try size(0)].filter { $0 > 0 }
      guard try size(21, default: 1) <= 1 else {
        throw .unsupported(path: path, what: "layer \(layer.name): constants of another type")
      }
      return [
        NCNNWeight(suffix: "data", shape: sizes, isMarked: try size(21, default: 1) == 0)
      ]
    case "Padding" where try size(6) > 0: return vectors(["value"], try size(6))
    case _ where weightless.contains(layer.type): return []
    default:
      throw .unsupported(
        path: path, what: "line \(layer.line), layer \(layer.name): class \(layer.type)")
    }
  }

  /// Classes that take nothing from the `.bin` file.
  private static let weightless: Set<String> = [
    "AbsVal", "ArgMax", "BinaryOp", "BNLL", "CELU", "Clip", "Concat", "Crop", "DeepCopy", "Dropout",
    "Eltwise", "ELU", "Erf", "Exp", "ExpandDims", "Flatten", "Fold", "GELU", "GLU", "HardSigmoid",
    "HardSwish", "Input", "Interp", "Log", "LRN", "MatMul", "Mish", "Noop", "Packing", "Padding",
    "Permute", "PixelShuffle", "Pooling", "Power", "Reduction", "ReLU", "Reorg", "Reshape", "SELU",
    "Shrink", "ShuffleChannel", "Sigmoid", "Slice", "Softmax", "Softplus", "Split", "Squeeze",
    "Swish", "TanH", "Threshold", "Tile", "UnaryOp", "Unfold",
  ]
}
