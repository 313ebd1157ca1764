import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension ConstantGather: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let entries = (0..<index.shape.reduce(1, *)).map { index[$0] }
    writer.emit(
      "Gather", node,
      [writer.name(node.inputs[0]), writer.table(node, "index", entries, shape: index.shape)],
      value, [("axis", .integer(dimension))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer gathers entries by a constant index")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let text: String
    switch index {
    case .list(let entries, let shape):
      let list = entries.map(String.init).joined(separator: ", ")
      text =
        "torch.tensor([\(list)])"
        + (shape == [entries.count] ? "" : ".reshape(\(PythonText.tuple(shape)))")
    case .relativePosition(let window):
      forward.need(.relativePosition)
      text = "relative_position(\(PythonText.tuple(window)), \(PythonText.tuple(window)))"
    case .overlappingPosition(let window, let keys):
      forward.need(.relativePosition)
      text = "relative_position(\(PythonText.tuple(window)), \(PythonText.tuple(keys)), True)"
    }
    let before = String(repeating: ":, ", count: dimension)
    return "\(expression.object(inputs[0]))[\(before)\(text)]"
  }
}

extension ONNXReader {
  /// Entries along any dimension, by indices of the file.
  mutating func constantGather() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let numbers = try numbers(1), let entries = numbers.integers else {
      throw unsupported("the indices must be constant; they depend on values")
    }
    let dimension = try axis(node.integer("axis") ?? 0, rank: rank(input))
    let gather = ConstantGather(
      GatherIndex(recognizing: entries, shape: numbers.shape), dimension: dimension)
    return .value(try add(gather.op, [input]))
  }
}

extension GatherIndex {
  /// The formula that gives these entries, else their list.
  fileprivate init(recognizing entries: [Int], shape: [Int]) {
    self = .list(entries, shape: shape)
    let sides = shape.map { Int(Double($0).squareRoot().rounded()) }
    guard shape.count == 2, zip(sides, shape).allSatisfy({ $0 * $0 == $1 && $0 > 0 }) else {
      return
    }
    let formulas: [GatherIndex] = [
      .relativePosition(window: Size(sides[0])),
      .overlappingPosition(window: Size(sides[0]), keyWindow: Size(sides[1])),
    ]
    let found = formulas.first { formula in
      formula.shape == shape && entries.indices.allSatisfy { formula[$0] == entries[$0] }
    }
    if let found { self = found }
  }
}
