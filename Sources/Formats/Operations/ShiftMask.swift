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

/// For each window of an image, one of a few tables.
struct ONNXWindowTables {
  /// The tables, one after the other along the first dimension.
  var tables: ONNXNumbers
  /// The number of the table of each row and column of windows.
  var index: ONNXNumbers
}

extension ONNXReader {
  /// Tables that windows gather by their places; nil where the node is another. There may be far more
  /// windows than numbers that can be calculated.
  func windowTables() throws(InterchangeError) -> ONNXWindowTables? {
    guard node.kind == "Gather", node.integer("axis") ?? 0 == 0, let index = try numbers(1),
      index.shape.count == 2, let tables = try numbers(0), !tables.isInteger,
      tables.shape.count >= 3, tables.shape[0] == 4, tables.constant != nil
    else { return nil }
    return ONNXWindowTables(tables: tables, index: index)
  }

  /// Scores of windows to which a mask of the last ones is added; nil where the node is another.
  mutating func shiftMasked() throws(InterchangeError) -> ONNXOperand? {
    guard node.kind == "Add" else { return nil }
    for (input, other) in [(0, 1), (1, 0)] {
      guard case .value(let scores) = try given(input),
        case .part(.tables(let tables)) = try given(other),
        let mask = shiftMask(tables, shapes[scores])
      else { continue }
      return .value(try add(.shiftMask(mask), [scores]))
    }
    return nil
  }

  /// The mask that tables are for scores of these shapes; nil where they are none.
  private func shiftMask(_ windows: ONNXWindowTables, _ scores: [[Int]]) -> ShiftMask? {
    let shape = windows.tables.shape
    guard let numbers = windows.tables.constant, let area = shape.last, shape.count >= 3,
      shape.suffix(2) == [area, area], shape.dropFirst().dropLast(2).allSatisfy({ $0 == 1 }),
      scores[0].count == shape.count + 2, let value = numbers.min(), value < 0
    else { return nil }
    for (sample, shape) in scores.enumerated() {
      let (rows, columns) = (shape[1], shape[2])
      let places = (0..<rows * columns).map { window in
        (window / columns == rows - 1 ? 2.0 : 0) + (window % columns == columns - 1 ? 1 : 0)
      }
      guard windows.index.array(sample).shape == [rows, columns],
        windows.index.row(sample) == places
      else { return nil }
    }
    /// How many pixels the first one of a window is kept apart from.
    func apart(_ table: Int) -> Int {
      numbers[table * area * area..<table * area * area + area].count { $0 != 0 }
    }
    for height in 1...area where area % height == 0 {
      let width = area / height
      let shift = Size(apart(2) / width, apart(1) / height)
      guard shift.height < height, shift.width < width else { continue }
      let mask = ShiftMask(Size(height, width), shift: shift, value: value.meant)
      if mask.tables == numbers { return mask }
    }
    return nil
  }
}

extension ShiftMask {
  /// What is added to the scores of a window: of one that is the last of neither, of its row, of its
  /// column, and of both.
  fileprivate var tables: [Double] {
    (0..<4).flatMap { table in
      let parts = (0..<window.area).map {
        part($0, isLastRow: table >= 2, isLastColumn: table % 2 == 1)
      }
      return parts.flatMap { query in parts.map { $0 == query ? 0 : value } }
    }
  }
}

extension ONNXWriter {
  /// The mask of all windows: which of four constant tables each has follows from the number of
  /// windows.
  fileprivate mutating func shiftMask(_ mask: ShiftMask, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    guard mask.shift != 0 else { return emit("Identity", node, [input], value) }
    // 1 where a window is the last.
    let isLast = Axis.allCases.map { axis in
      let dimension = axis.dimension - 1
      let count = step(
        "Shape", node, [input],
        [("start", .integer(dimension)), ("end", .integer(dimension + 1))])
      let all = step(
        "Range", node,
        [scalar(node, "zero", 0), step("Squeeze", node, [count]), scalar(node, "one", 1)])
      let truth = step(
        "Equal", node, [all, step("Sub", node, [count, integers(node, "one", [1])])])
      return step("Cast", node, [truth], [("to", .integer(ONNXWriter.int64))])
    }
    let rows = step(
      "Unsqueeze", node,
      [step("Mul", node, [isLast[0], scalar(node, "two", 2)]), integers(node, "axis", [1])])
    let index = step("Add", node, [rows, isLast[1]])
    let inner = [Int](repeating: 1, count: shapes[node.inputs[0]].count - 5)
    let tables = table(
      node, "tables", mask.tables, shape: [4] + inner + [mask.window.area, mask.window.area])
    let windows = step("Gather", node, [tables, index], [("axis", .integer(0))])
    emit("Add", node, [input, windows], value)
  }
}
