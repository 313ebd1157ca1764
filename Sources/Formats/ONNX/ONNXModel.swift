package import AviaryContainers
public import AviaryGraph
package import AviaryTensor

/// An ONNX model as the file has it (onnx.proto, ModelProto): the graph with its constants, whose
/// elements are still in the file.
package struct ONNXModel: Sendable {
  /// The version of the representation.
  package var version: Int
  /// The versions of the sets of operators, by domain; ONNX's own domain is empty.
  package var operatorSets: [String: Int]
  /// What wrote the file, with its version: `pytorch 2.6.0`.
  package var producer: String
  /// Text by key.
  package var metadata: [String: String]
  /// The inputs that are not constants.
  package var inputs: [Port]
  /// The outputs.
  package var outputs: [Port]
  /// The operations in order of execution.
  package var nodes: [Node]
  /// The constant tensors by name.
  package var constants: [String: ONNXTensor]
  /// The nodes of `nodes` that are the model's own, from 0 on; those of branches follow.
  package var ownNodeCount = 0
  /// The inputs that have a default, which is among `constants`.
  package var defaults: [Port] = []
  /// The weights that layers use, in the order of their use.
  package var parameters = ONNXParameters()
  /// What the user states of the file.
  package var options = ONNXOptions()

  /// An input or output of the graph.
  package struct Port: Sendable {
    /// The name of the value.
    package var name: String
    /// The number of its element type (TensorProto.DataType); nil for what is no tensor.
    package var elementType: Int?
    /// The dimensions; nil for those that are named or unknown.
    package var shape: [Int?]?
  }

  /// One operation.
  package struct Node: Sendable {
    /// The name; may be empty, and need not be unique.
    package var name = ""
    /// The operator's name: `Conv`.
    package var kind = ""
    /// The operator set that it belongs to; empty for ONNX's own.
    package var domain = ""
    /// The names of the values that it takes; an empty one is left out.
    package var inputs: [String] = []
    /// The names of the values that it gives.
    package var outputs: [String] = []
    /// The attributes by name.
    package var attributes: [String: Attribute] = [:]

    /// Nothing yet.
    package init() {}
  }

  /// An attribute's value.
  package enum Attribute: Sendable {
    case float(Double)
    case integer(Int)
    case text(String)
    case tensor(ONNXTensor)
    case floats([Double])
    case integers([Int])
    case texts([String])
    /// A branch of If.
    case branch(Branch)
    /// A type, or another kind that no operation here has.
    case other
  }

  /// The nodes of a branch and the names of what it gives.
  package struct Branch: Sendable {
    /// Their places in `nodes`.
    package var nodes: Range<Int>
    /// The names of the values that it gives.
    package var outputs: [String]
  }
}

/// What a user states of an ONNX file.
public struct ONNXOptions: Hashable, Sendable {
  /// The size of image that a network takes.
  public enum InputSize: Hashable, Sendable {
    /// Any: the size in the file is that of the example it was exported with, and no more.
    case any
    /// Only this one.
    case only(Size)
  }

  /// The size of image that the network takes; nil for what the file says.
  public var size: InputSize?
  /// Values for inputs that are single numbers, by name.
  public var numbers: [String: Double] = [:]

  /// Nothing is stated.
  public init() {}
}

extension ONNXModel.Node {
  /// An integer attribute.
  package func integer(_ name: String) -> Int? {
    if case .integer(let value) = attributes[name] { value } else { nil }
  }

  /// A number's attribute.
  package func number(_ name: String) -> Double? {
    switch attributes[name] {
    case .float(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }

  /// An attribute of integers. Empty ones may have come as any kind of list.
  package func integers(_ name: String) -> [Int]? {
    switch attributes[name] {
    case .integers(let values): values
    case .floats(let values) where values.isEmpty: []
    default: nil
    }
  }

  /// A text attribute.
  package func text(_ name: String) -> String? {
    if case .text(let value) = attributes[name] { value } else { nil }
  }

  /// The name of an input; nil where it is left out.
  package func input(_ position: Int) -> String? {
    guard inputs.indices.contains(position), !inputs[position].isEmpty else { return nil }
    return inputs[position]
  }
}

/// A constant tensor of an ONNX model: what it is, and where its elements lie.
package struct ONNXTensor: Sendable {
  /// The name; empty for the value of an attribute.
  package var name: String
  /// The dimensions.
  package var shape: [Int]
  /// What the elements are.
  package var elementType: ElementType
  /// How the elements are stored.
  var storage: Storage

  /// How elements are stored.
  enum Storage: Sendable {
    /// Little-endian, one after the other: `raw_data`, packed `float_data`, a file beside the
    /// model.
    case plain(ProtocolBufferFile, Range<Int>)
    /// Fields of the message (`float_data`, `int32_data`, …) that want decoding, in the message.
    case fields(ProtocolBufferFile, message: Range<Int>, field: Int)
  }

  /// The number of elements; the reader gives only shapes whose product does not overflow.
  package var count: Int { shape.reduce(1, *) }

  /// Reads the elements.
  ///
  /// - Throws: what is wrong with the file.
  package func load() throws(CheckpointError) -> Tensor {
    switch storage {
    case .plain(let file, let range):
      guard range.count == count * elementType.byteCount else {
        throw .truncated(
          path: file.path, part: part, expected: count * elementType.byteCount, found: range.count)
      }
      return try file.tensor(
        at: range.lowerBound, shape: shape, elementType: elementType, part: part)
    case .fields(let file, let message, let field):
      return try tensor(decoded(file, message, field), file)
    }
  }

  private var part: String { name.isEmpty ? "a constant" : name }

  private func tensor(
    _ bytes: [UInt8], _ file: ProtocolBufferFile
  ) throws(CheckpointError) -> Tensor {
    guard bytes.count == count * elementType.byteCount,
      let tensor = unsafe try? Tensor(
        shape: shape, elementType: elementType,
        initialize: { unsafe $0.copyBytes(from: bytes) })
    else {
      throw .truncated(
        path: file.path, part: part, expected: count * elementType.byteCount, found: bytes.count)
    }
    return tensor
  }

  /// The elements' bytes of what stands in fields of numbers: 64-bit integers as they are, narrower
  /// ones, and the bits of float16 and bfloat16, as the low bits of an integer each.
  private func decoded(
    _ file: ProtocolBufferFile, _ message: Range<Int>, _ field: Int
  ) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    let size = elementType.byteCount
    func append(_ value: UInt64) {
      for i in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
    }
    var cursor = ProtocolBufferCursor(file, message, part: part)
    while let next = try cursor.next() {
      guard next.number == field else { continue }
      switch next.content {
      case .varint(let value): append(value)
      case .fixed32(let value): append(UInt64(value))
      case .fixed64(let value): append(value)
      case .bytes(let range):
        if elementType == .float32 || elementType == .float64 {
          bytes += try file.bytes(range, part: part)
        } else {
          var packed = ProtocolBufferCursor(file, range, part: part)
          while packed.position < packed.end { append(try packed.varint()) }
        }
      }
    }
    return bytes
  }
}
