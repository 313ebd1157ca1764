import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

/// How other frameworks' files say an operation. Everything that the formats know about one operation
/// stands in its file of this folder, reading beside writing; what concerns a format as a whole (the
/// walk through its graph, names, arithmetic on shapes) stands in the format's own folder.
///
/// Operations are found through `Op.types`: a new one needs its own file here and no further list. An
/// expansion without a file is written as the operations that it is made of (`Graph.forExport`).
/// Nothing about writing has a default: each format must be able to say the operation, or refuse it by
/// name. An operation that is read from a format conforms to that format's protocol below as well.
protocol ExchangedOperation: Operation {
  /// Writes the node in ONNX's operators, the last of which gives its value.
  ///
  /// - Throws: `InterchangeError.target` for what ONNX cannot say, `.weights` for a missing parameter.
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError)

  /// Adds the layers of Keras's that compute the node, and gives its value.
  ///
  /// - Throws: `InterchangeError.target` for what no stock layer computes exactly.
  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue

  /// The node as an expression of Python's; what it calls beyond PyTorch is noted in `forward`.
  ///
  /// - Parameter inputs: the operands as expressions.
  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String

  /// Whether the Python expression has its operand more than once, so that it must be a name.
  var repeatsOperand: Bool { get }
}

extension ExchangedOperation {
  /// An expression that stands in the text twice is computed twice, which is slow and not wrong.
  var repeatsOperand: Bool { false }
}

/// An operation with parameters.
protocol WeightedOperation: ExchangedOperation {
  /// The class of PyTorch's that has just the operation's parameters, with its arguments, and what must
  /// happen to the input before, which the class does not do; nil where no class has.
  ///
  /// - Parameter shape: the input's, as far as it is the same for every image.
  func pytorchClass(_ shape: [Int?]) -> (constructor: String, padding: PyTorchPadding)?

  /// What a layer of another framework's computes whose weights are this operation's: layers are
  /// matched by it where names do not tell them.
  ///
  /// - Parameter weight: the shape of the first parameter.
  func layerKind(weight: [Int]) -> ExternalLayer.Kind

  /// The classes of Keras's whose weights are such a layer's, in small letters without '_'.
  static var kerasKinds: [String: ExternalLayer.Kind] { get }
}

/// An operation that is read from ONNX.
protocol ONNXReadOperation: ExchangedOperation {
  /// ONNX's operators that are read as this operation, each with its inputs that hold weights.
  static var onnxOperators: [String: [ONNXWeight]] { get }

  /// Reads the node at which the reader is, of one of these operators.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation of ours computes.
  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand
}

/// An operation that is read from a layer of Keras's with one input.
protocol KerasLayerOperation: ExchangedOperation {
  /// Keras's classes that are read as this operation.
  static var kerasLayers: [String] { get }

  /// Reads a layer of one of these classes.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation of ours computes.
  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor
}

/// An operation that is read from a function among Keras's layers, with one input.
protocol KerasFunctionOperation: ExchangedOperation {
  /// The functions that are read as this operation, in small letters without '_' and version.
  static var kerasFunctions: [String] { get }

  /// Reads a call of one of these functions.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation of ours computes.
  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor
}

/// An operation that is read from layers and functions of Keras's with several inputs.
protocol KerasMergeOperation: ExchangedOperation {
  /// Keras's classes that are read as this operation.
  static var kerasMerges: [String] { get }
  /// The functions that are, in small letters without '_' and version.
  static var kerasMergeFunctions: [String] { get }

  /// Reads a layer of one of these classes, or, where `word` is given, a call of that function.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation of ours computes.
  static func merge(
    _ layer: KerasLayer, function word: String?, _ operands: [KerasImport.Operand],
    _ call: KerasCall, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor
}

/// An operation that is read from ncnn.
protocol NCNNReadOperation: ExchangedOperation {
  /// ncnn's classes of layers that are read as this operation.
  static var ncnnLayers: [String] { get }

  /// What a layer of one of these classes takes from the `.bin` file, in its order; empty for none.
  ///
  /// - Throws: `CheckpointError.unsupported` for weights that are not read; `.damaged` for attributes
  ///   that contradict each other.
  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight]

  /// Reads a layer of one of these classes.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation of ours computes.
  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError)
}

/// An operation that is written to ncnn. Others are refused by their name: ncnn's layers are few, and
/// most of ours have none.
protocol NCNNWrittenOperation: ExchangedOperation {
  /// Writes the node in ncnn's layers, the last of which gives its value. Its inputs, and what it gives,
  /// have 2 to 4 dimensions, the first that of the images.
  ///
  /// - Throws: `InterchangeError.target` for what no layer computes exactly, `.weights` for a missing
  ///   parameter.
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError)
}

/// An input of an operator of ONNX's that holds a weight.
struct ONNXWeight: Sendable {
  /// How a weight lies in the file, where that is not PyTorch's way.
  enum Layout {
    case pytorch
    /// A matrix of inputs by outputs, unless `transB` says otherwise.
    case matrix
    /// A vector with dimensions of 1 that only make it fit an image.
    case vector
  }

  /// The position among the operator's inputs.
  var input: Int
  /// The last part of the parameter's customary name: `weight`.
  var suffix: String
  var layout = Layout.pytorch

  /// `weight` and `bias` behind the value.
  static let weightAndBias = [
    ONNXWeight(input: 1, suffix: "weight"), ONNXWeight(input: 2, suffix: "bias"),
  ]
}

/// The tables of the formats, made of what the operations say.
enum ExchangedOperations {
  /// The operations that are read from ONNX, by operator.
  static let onnx: [String: any ONNXReadOperation.Type] = table(Op.types) {
    ($0 as? any ONNXReadOperation.Type).map { type in type.onnxOperators.keys.map { ($0, type) } }
  }
  /// The inputs that hold weights, by operator.
  static let onnxWeights: [String: [ONNXWeight]] = table(Op.types) {
    ($0 as? any ONNXReadOperation.Type)?.onnxOperators.map { ($0, $1) }
  }
  /// The operations that are read from Keras's layers with one input, by class.
  static let kerasLayers: [String: any KerasLayerOperation.Type] = table(Op.types) {
    ($0 as? any KerasLayerOperation.Type).map { type in type.kerasLayers.map { ($0, type) } }
  }
  /// The operations that are read from functions with one input, by word.
  static let kerasFunctions: [String: any KerasFunctionOperation.Type] = table(Op.types) {
    ($0 as? any KerasFunctionOperation.Type).map { type in type.kerasFunctions.map { ($0, type) } }
  }
  /// The operations that are read from Keras's layers with several inputs, by class.
  static let kerasMerges: [String: any KerasMergeOperation.Type] = table(Op.types) {
    ($0 as? any KerasMergeOperation.Type).map { type in type.kerasMerges.map { ($0, type) } }
  }
  /// The operations that are read from functions with several inputs, by word.
  static let kerasMergeFunctions: [String: any KerasMergeOperation.Type] = table(Op.types) {
    ($0 as? any KerasMergeOperation.Type).map { type in
      type.kerasMergeFunctions.map { ($0, type) }
    }
  }
  /// What Keras's classes with weights compute, by class in small letters without '_'.
  static let kerasKinds: [String: ExternalLayer.Kind] = table(Op.types) {
    ($0 as? any WeightedOperation.Type)?.kerasKinds.map { ($0, $1) }
  }
  /// The operations that are read from ncnn, by class of layer.
  static let ncnn: [String: any NCNNReadOperation.Type] = table(Op.types) {
    ($0 as? any NCNNReadOperation.Type).map { type in type.ncnnLayers.map { ($0, type) } }
  }

  /// The entries of all operations; two that claim one name are a mistake of ours.
  static func table<Entry>(
    _ types: [any Operation.Type], _ entries: (any Operation.Type) -> [(String, Entry)]?
  ) -> [String: Entry] {
    Dictionary(uniqueKeysWithValues: types.flatMap { entries($0) ?? [] })
  }
}

extension Op {
  /// How other frameworks say the operation; nil where none can.
  var exchanged: (any ExchangedOperation)? { operation as? any ExchangedOperation }
}

extension Graph {
  /// The shape of a parameter, whose weights must be there and have it.
  @discardableResult
  func requireParameter(
    _ name: String, in weights: TensorSource
  ) throws(InterchangeError) -> [Int] {
    guard let parameter = parameters.first(where: { $0.name == name }) else {
      throw .weights(layer: name, expected: "a parameter of the graph", found: "none")
    }
    guard let description = weights[name], description.shape == parameter.shape else {
      throw .weights(
        layer: name, expected: "a tensor of shape \(parameter.shape)",
        found: weights[name].map { "\($0.shape)" } ?? "none")
    }
    return parameter.shape
  }

  /// What a format of float32 alone does to weights of other types, in words.
  func precisionNotes(_ weights: TensorSource) -> [String] {
    var counts: [ElementType: Int] = [:]
    for parameter in parameters where parameter.role != .nonPersistent {
      guard let type = weights[parameter.name]?.elementType, type != .float32 else { continue }
      counts[type, default: 0] += 1
    }
    return counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { type, count in
      "\(count) tensors of \(type) are written as float32"
    }
  }

  /// The same network of operations that formats can say: an operation that is made of others, and that
  /// no format knows as such, is written as those.
  ///
  /// - Throws: `InterchangeError.graph` where what it is made of does not fit.
  func forExport() throws(InterchangeError) -> Graph {
    do throws(GraphError) {
      return try expanded { !($0 is any ExchangedOperation) }.graph
    } catch {
      throw .graph(error)
    }
  }
}
