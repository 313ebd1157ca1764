import AviaryContainers
import AviaryGraph

extension Tile: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      "Tile", node, [writer.name(node.inputs[0]), writer.integers(node, "repeats", repeats)], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer repeats a value")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "\(expression.object(inputs[0])).repeat(\(repeats.map(String.init).joined(separator: ", ")))"
  }
}

extension Tile: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Tile": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    guard let repeats = try reader.integers(1, "repeats") else {
      throw reader.unsupported("expected constant repeats")
    }
    return try reader.one(.tile(Tile(repeats)))
  }
}

extension Tile: NCNNReadOperation {
  static let ncnnLayers = ["Tile"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    let value = try importer.values(of: layer)[0]
    let rank = importer.shape(value).count
    var repeats = [Int](repeating: 1, count: rank)
    if layer.has(2) {
      guard let stated = layer.integers(2), stated.count == rank - 1 else {
        throw layer.unsupported("expected one number of repetitions for each dimension")
      }
      repeats.replaceSubrange(1..., with: stated)
    } else {
      let axis = try layer.integer(0, in: 0...(max(rank, 2) - 2))
      repeats[axis + 1] = try layer.integer(1, default: 1, in: 1...GraphLimits.window)
    }
    try importer.give(layer, .value(try importer.add(.tile(Tile(repeats)), layer, [value])))
  }
}

extension Expand: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let shape =
      switch target {
      // 1 keeps what is there.
      case .shape(let sizes): writer.integers(node, "shape", sizes.map { $0 == -1 ? 1 : $0 })
      case .shapeOfSecondInput: writer.step("Shape", node, [writer.name(node.inputs[1])])
      }
    writer.emit("Expand", node, [writer.name(node.inputs[0]), shape], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer repeats a value")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = expression.object(inputs[0])
    guard case .shape(let sizes) = target else { return "\(x).expand_as(\(inputs[1]))" }
    return "\(x).expand(\(sizes.map(String.init).joined(separator: ", ")))"
  }
}

extension Expand: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Expand": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.expansion()
  }
}

extension ONNXReader {
  fileprivate mutating func expansion() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let numbers = try numbers(1), numbers.count <= GraphLimits.rank else {
      throw unsupported("expected a shape that follows from sizes")
    }
    // What results, for each image: both sides may repeat.
    var rows: [[Int]] = []
    for (sample, own) in shapes[input].enumerated() {
      guard let row = numbers.row(sample).wholeNumbers, row.allSatisfy({ $0 > 0 }) else {
        throw unsupported("expected a shape of numbers above 0")
      }
      let rank = max(row.count, own.count)
      func aligned(_ shape: [Int]) -> [Int] {
        Array(repeating: 1, count: rank - shape.count) + shape
      }
      guard zip(aligned(own), aligned(row)).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else {
        throw unsupported("shapes \(own) and \(row) do not fit together")
      }
      rows.append(zip(aligned(own), aligned(row)).map { $0 == 1 ? $1 : $0 })
    }
    let added = rows[0].count - rank(input)
    let isConstant = rows.allSatisfy { $0 == rows[0] }
    var target: [Int] = []
    for position in rows[0].indices {
      let sizes = rows.map { $0[position] }
      let isOwn =
        position >= added
        && zip(sizes, shapes[input]).allSatisfy { $0 == $1[position - added] }
      if isOwn {
        target.append(-1)
      } else if sizes.allSatisfy({ $0 == sizes[0] }) {
        target.append(sizes[0])
      } else {
        // The shape of another value, if there is one: so far back at most.
        guard let twin = shapes.indices.suffix(4_096).last(where: { shapes[$0] == rows }) else {
          throw unsupported("expected a constant shape, or that of another value")
        }
        return .value(try add(.expand(Expand(to: .shapeOfSecondInput)), [input, twin]))
      }
    }
    if target.allSatisfy({ $0 == -1 }) {
      // Of two images of any size the one may be repeated to the other's, though not at the sizes read.
      guard source(input) != nil || samples.shapes.allSatisfy({ $0.count == 1 }) else {
        throw .description(
          part: "the graph's inputs",
          problem: "an image is repeated to a size that may be that of another one; state the "
            + "sizes with --size WIDTHxHEIGHT")
      }
      return .value(input)
    }
    // A file that states a size states shapes for that size, and not for others.
    guard !samples.letsSizeGo || !isConstant || target.count != 4 || target[2...] == [-1, -1]
    else { throw unsupported("an image repeated to a size that is the same for every image") }
    return .value(try add(.expand(Expand(to: .shape(target))), [input]))
  }
}
