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

extension ONNXReader {
  /// Entries whose first dimensions are picked by rows of indices of the file.
  mutating func gatherND() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard node.integer("batch_dims") ?? 0 == 0, let numbers = try numbers(1),
      let entries = numbers.integers, let depth = numbers.shape.last,
      (1...rank(input)).contains(depth)
    else { throw unsupported("the indices must be constant, for all images alike") }
    let sizes = Array(shapes[input][0].prefix(depth))
    guard shapes[input].allSatisfy({ $0.prefix(depth).elementsEqual(sizes) }) else {
      throw unsupported("places of dimensions whose size depends on the image's")
    }
    // One number for each row of indices.
    var places: [Int] = []
    for row in stride(from: 0, to: entries.count, by: depth) {
      var place = 0
      for (index, size) in zip(entries[row..<row + depth], sizes) {
        guard (-size..<size).contains(index) else {
          throw unsupported("place \(index) of \(size)")
        }
        place = place * size + (index < 0 ? index + size : index)
      }
      places.append(place)
    }
    let flat = try reshaped(
      input, to: shapes[input].map { [sizes.reduce(1, *)] + $0.dropFirst(depth) })
    let shape = Array(numbers.shape.dropLast())
    let gather = ConstantGather(
      GatherIndex(recognizing: places, shape: shape.isEmpty ? [1] : shape), dimension: 0)
    let result = try add(gather.op, [flat])
    return .value(shape.isEmpty ? try dropping([0], of: result) : result)
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
