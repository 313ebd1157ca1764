import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension ShiftMask: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.shiftMask(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer masks the last windows of an image")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.shiftMask)
    let number = self.value == -.infinity ? "float('-inf')" : PythonText.number(self.value)
    return "shift_mask(\(inputs[0]), \(PythonText.tuple(window)), \(PythonText.tuple(shift)), "
      + "\(number))"
  }
}

extension ONNXWriter {
  /// The mask of all windows, from the number of them: what a constant table says of two pixels of a
  /// window, where the window is the last of its row or column.
  fileprivate mutating func shiftMask(_ mask: ShiftMask, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    let rank = shapes[node.inputs[0]].count
    let area = mask.window.area
    guard mask.shift != 0 else { return emit("Identity", node, [input], value) }
    var apart: [String] = []
    for axis in Axis.allCases where mask.shift[axis] > 0 {
      let parts = (0..<area).map {
        mask.part($0, isLastRow: axis == .vertical, isLastColumn: axis == .horizontal)
      }
      let pairs = (0..<area * area).map { parts[$0 / area] == parts[$0 % area] ? 0 : 1 }
      let differ = step(
        "Cast", node, [table(node, "pairs", pairs, shape: [area, area])], [("to", .integer(9))])
      // Whether a window is the last: [rows or 1, columns or 1, 1, …, 1].
      let dimension = axis.dimension - 1
      let count = step(
        "Shape", node, [input],
        [("start", .integer(dimension)), ("end", .integer(dimension + 1))])
      let all = step(
        "Range", node,
        [scalar(node, "zero", 0), step("Squeeze", node, [count]), scalar(node, "one", 1)])
      let isLast = step(
        "Equal", node, [all, step("Sub", node, [count, integers(node, "one", [1])])])
      var shape = [Int](repeating: 1, count: rank - 1)
      shape[dimension - 1] = -1
      let spread = step("Reshape", node, [isLast, integers(node, "shape", shape)])
      apart.append(step("And", node, [spread, differ]))
    }
    let isApart = apart.count == 2 ? step("Or", node, apart) : apart[0]
    let number = step(
      "Where", node,
      [
        isApart, floats(node, "value", [mask.value], rank: 0), floats(node, "zero", [0], rank: 0),
      ])
    emit("Add", node, [input, number], value)
  }
}
