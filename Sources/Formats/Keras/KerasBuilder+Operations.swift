import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension KerasBuilder {
  /// Adds the layers that compute a node.
  mutating func value(of node: Graph.Node) throws(InterchangeError) -> PlacedValue {
    var inputs: [PlacedValue] = []
    for value in node.inputs { inputs.append(try operand(value)) }
    guard let operation = node.op.exchanged else {
      throw refusal(node.name, "no layer is known for \(node.op.name)")
    }
    return try operation.build(node, inputs, with: &self)
  }

  /// The value as a picture, channels last.
  mutating func picture(
    _ x: PlacedValue, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    try arranged(x, .picture, name)
  }

  /// A tensor of numbers that are not learned.
  func constant(
    _ shape: [Int], _ values: [Float], _ name: String
  ) throws(InterchangeError) -> Tensor {
    do {
      return try Tensor(shape: shape, values)
    } catch {
      throw refusal(name, "\(error)")
    }
  }
}
