import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension KerasBuilder {
  func weights(
    _ name: String, _ shape: [Int], _ steps: [TensorStep], bias: Int, _ node: Graph.Node
  ) -> [KerasModel.Variable] {
    var variables = [
      KerasModel.Variable(
        name: name, shape: shape, content: .parameter(node.parameters[0], steps))
    ]
    if node.parameters.count > 1 {
      variables.append(
        KerasModel.Variable(
          name: "bias", shape: [bias], content: .parameter(node.parameters[1], [])))
    }
    return variables
  }
}

extension PaddingAmounts {
  /// Rows, then columns, as Keras states padding and cropping.
  var keras: JSON { [[.int(top), .int(bottom)], [.int(left), .int(right)]] }

  /// Sets both edges of an axis.
  mutating func set(_ axis: Axis, before: Int, after: Int) {
    if axis == .vertical {
      (top, bottom) = (before, after)
    } else {
      (left, right) = (before, after)
    }
  }
}
