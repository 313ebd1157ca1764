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
    let described = NCNNWeightLayer(layer: layer, path: path)
    if layer.type == "MemoryData" { return [try described.constant()] }
    if let operation = ExchangedOperations.ncnn[layer.type] {
      return try operation.ncnnWeights(described)
    }
    guard weightless.contains(layer.type) else {
      throw .unsupported(
        path: path, what: "line \(layer.line), layer \(layer.name): class \(layer.type)")
    }
    return []
  }

  /// Classes that take nothing from the `.bin` file, besides those that are read.
  private static let weightless: Set<String> = [
    "AbsVal", "ArgMax", "BNLL", "CELU", "DeepCopy", "Erf", "Exp", "ExpandDims", "Fold", "GLU",
    "Input", "Log", "LRN", "MatMul", "Mish", "Noop", "Packing", "Permute", "Power", "Reduction",
    "Reorg", "SELU", "Shrink", "ShuffleChannel", "Softplus", "Split", "Squeeze", "Threshold",
    "Tile", "Unfold",
  ]
}

/// A layer whose attributes say what it takes from the `.bin` file.
struct NCNNWeightLayer {
  var layer: NCNNLayer
  /// The file, for messages.
  var path: String

  /// The error for attributes that contradict each other.
  func damaged(_ reason: String) -> CheckpointError {
    .damaged(path: path, part: "line \(layer.line), layer \(layer.name)", reason: reason)
  }

  /// An attribute that is a count.
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

  /// Plain vectors of one length.
  func vectors(_ suffixes: [String], _ count: Int) -> [NCNNWeight] {
    suffixes.map { NCNNWeight(suffix: $0, shape: [count], isMarked: false) }
  }

  /// Refuses weights that are stored as integers.
  func requireFloats() throws(CheckpointError) {
    guard try size(8) == 0 else {
      throw .unsupported(path: path, what: "layer \(layer.name): weights of 8 bits")
    }
  }

  /// The kernel of a convolution (output channels, inputs of a group, height, width) and its bias, and
  /// in how many groups it works.
  func kernel() throws(CheckpointError) -> (weights: [NCNNWeight], groups: Int) {
    try requireFloats()
    let filters = try size(0)
    let kernel = [try size(11, default: try size(1)), try size(1)]
    let groups = layer.type.hasSuffix("DepthWise") ? try size(7, default: 1) : 1
    guard groups > 0, filters.isMultiple(of: groups) else { throw damaged("\(groups) groups") }
    let inputs = try quotient(try size(6), by: [filters] + kernel)
    let weight = NCNNWeight(suffix: "weight", shape: [filters, inputs] + kernel, isMarked: true)
    return ([weight] + (try size(5) == 0 ? [] : vectors(["bias"], filters)), groups)
  }

  /// A constant of the network.
  fileprivate func constant() throws(CheckpointError) -> NCNNWeight {
    let sizes = [try size(2), try size(11), try size(1), try size(0)].filter { $0 > 0 }
    let type = try size(21, default: 1)
    guard type <= 1 else {
      throw .unsupported(path: path, what: "layer \(layer.name): constants of another type")
    }
    return NCNNWeight(suffix: "data", shape: sizes, isMarked: type == 0)
  }
}
