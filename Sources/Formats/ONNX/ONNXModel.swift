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
  /// The weights that layers use, in the order of their use.
  package var parameters = ONNXParameters()

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
    /// A graph, a type, or another kind that no operation here has.
    case other
  }
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
