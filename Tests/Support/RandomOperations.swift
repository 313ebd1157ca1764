package import AviaryGraph
package import AviaryTensor

/// A network of operations of the table, put together at random: every row of `OperationRow.all` is
/// in one of them, and what is added to the table will be.
///
/// Every value is taken through tanh before it is used again, so that numbers stay of a size; where
/// an operation is defined for others, into the range that its row states.
package struct RandomOperations {
  package private(set) var graph: Graph
  /// Those of the inputs.
  package let inputShapes: [[Int]]
  /// The rows whose operations are in the network.
  package private(set) var rows: [OperationRow] = []

  /// As many networks the table is held against.
  package static let count = max(500, 2 * OperationRow.all.count)

  /// - Parameter seed: first come networks that begin with each row in turn, of the row's inputs and
  ///   their size; then those of one input of any size. The other rows are drawn.
  /// - Throws: `GraphError`, if what is put together is no network.
  package init(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed) &+ 7_777)
    let all = OperationRow.all
    let first = all[seed % all.count]
    let isSized = seed < all.count
    let channels = [3, 6, 16].randomElement(using: &generator) ?? 3
    inputShapes = isSized ? first.images : [[1 + seed % 2, channels, 12, 8 + 4 * (seed % 2)]]
    let shapes = inputShapes
    var rows: [OperationRow] = []
    let inputs = shapes.enumerated().map { position, shape in
      Graph.Input(
        "in\(position)", channels: shape[1], size: isSized ? Size(shape[2], shape[3]) : nil)
    }
    graph = try Graph(inputs: inputs) { inputs in
      var network = Network(inputs, shapes)
      if isSized {
        network.begin(first, "first")
        rows.append(first)
      } else if network.add(first, "first", &generator) {
        rows.append(first)
      }
      for number in 0..<3 + seed % 4 {
        guard let row = all.randomElement(using: &generator) else { continue }
        if network.add(row, "l\(number)", &generator) { rows.append(row) }
      }
      return network.outputs
    }
    self.rows = rows
  }
}

extension RandomOperations {
  /// How far the outputs move, as a part of their largest value, when every number of the inputs is
  /// moved by about as much as float32 rounds: what is normalised after it has become nearly the same
  /// everywhere is mostly rounding, and a step lies beside another.
  ///
  /// - Throws: what the oracle throws.
  package func sensitivity(
    weights: [String: Tensor], inputs: [String: Tensor]
  ) throws -> Double {
    var generator = SplitMix64(seed: 99)
    var moved: [String: Tensor] = [:]
    for (name, tensor) in inputs.sorted(by: { $0.key < $1.key }) {
      moved[name] = try Tensor(
        shape: tensor.shape,
        tensor.floats.map { $0 + .random(in: -1...1, using: &generator) * 1.2e-7 })
    }
    let outputs = try naive(graph, weights: weights, inputs: inputs)
    let others = try naive(graph, weights: weights, inputs: moved)
    return try outputs.reduce(0) { most, output in
      guard let other = others[output.key] else {
        throw NaiveError(description: "\(output.key): no output")
      }
      return max(most, Agreement(other, expected: output.value).relative)
    }
  }
}

/// A network that grows.
private struct Network {
  /// What operations may take: images.
  private var values: [(value: Value, shape: [Int])]
  /// The positions of those that are taken, or are inputs.
  private var taken: Set<Int>
  /// Results that are no images, or too small to go on with.
  private var ends: [Value] = []

  /// Elements of a value beyond which a network would only be slow.
  private static let limit = 6_000

  init(_ inputs: [Value], _ shapes: [[Int]]) {
    values = Array(zip(inputs, shapes)).map { (value: $0, shape: $1) }
    taken = Set(values.indices)
  }

  /// What nobody takes.
  var outputs: [Value] {
    let free = values.indices.filter { !taken.contains($0) }.map { values[$0].value }
    return free.isEmpty && ends.isEmpty ? values.suffix(1).map(\.value) : free + ends
  }

  /// Adds a row's operation to the inputs, which have its shapes.
  mutating func begin(_ row: OperationRow, _ name: String) {
    let operands = row.inputs.enumerated().map { position, shape in
      let image = values[position].value
      return shape.count == 4 ? image : image.applying(.reshape(Reshape(shape)))
    }
    add(row, name, operands, gives: row.output)
  }

  /// Adds a row's operation to values that it takes, if there are such.
  mutating func add(
    _ row: OperationRow, _ name: String, _ generator: inout SplitMix64
  ) -> Bool {
    // What jumps takes nothing that was rounded on its way.
    guard row.hasGradients || row.inputs.isEmpty,
      let operands = operands(of: row, name, &generator),
      let shape = try? row.op.outputShape(operands.map(\.shape)),
      (1...Network.limit).contains(shape.reduce(1, *))
    else { return false }
    add(row, name, operands.map(\.value), gives: shape)
    return true
  }

  private mutating func add(
    _ row: OperationRow, _ name: String, _ operands: [Value], gives shape: [Int]
  ) {
    let result = values[0].value.making(row.op, named: name, of: operands.map(row.fitted))
    // The batch of a kernel that is an input is the number of channels that it gives: of another
    // number than the graph's, there is nothing to follow it.
    if shape.count == 4, shape[2] > 1, shape[3] > 1, result.nominalShape[1] == shape[1] {
      values.append((result.activation(.tanh), shape))
    } else {
      ends.append(result)
    }
  }

  /// Values that the operation takes: as they are, or brought to the row's channels before.
  private mutating func operands(
    of row: OperationRow, _ name: String, _ generator: inout SplitMix64
  ) -> [(value: Value, shape: [Int])]? {
    for attempt in 0..<24 {
      let chosen = row.inputs.map { _ in
        Bool.random(using: &generator)
          ? values.count - 1 : Int.random(in: 0..<values.count, using: &generator)
      }
      // Later attempts bring them to channels as the row has them.
      func converted(_ shape: [Int], _ wanted: [Int]) -> [Int] {
        attempt < 8 || wanted.count != 4 ? shape : [shape[0], wanted[1]] + shape[2...]
      }
      let shapes = zip(chosen, row.inputs).map { converted(values[$0].shape, $1) }
      let nominal = zip(chosen, row.inputs).map {
        converted(values[$0].value.nominalShape, $1)
      }
      // What is the same everywhere is all rounding once it is normalised.
      if row.op == .binary(.divide) || row.op == .binary(.subtract), Set(chosen).count == 1 {
        continue
      }
      guard let shape = try? row.op.outputShape(shapes), shape.reduce(1, *) <= Network.limit,
        row.op.fits(nominal, and: shapes),
        // A convolution before it has weights for the nominal channels.
        chosen.indices.allSatisfy({
          let own = values[chosen[$0]]
          return own.shape == shapes[$0] || own.value.nominalShape[1] == own.shape[1]
        })
      else { continue }
      taken.formUnion(chosen)
      return chosen.enumerated().map { position, number in
        let own = values[number]
        guard own.shape != shapes[position] else { return own }
        let value = own.value.convolution(
          "\(name).in\(position)", shapes[position][1], kernel: 1)
        return (value.activation(.tanh), shapes[position])
      }
    }
    return nil
  }
}

extension Op {
  /// Whether the operation takes values of both shapes with the same parameters.
  fileprivate func fits(_ nominal: [[Int]], and actual: [[Int]]) -> Bool {
    guard (try? outputShape(nominal)) != nil else { return false }
    // Heads and groups are of so many channels, which are the graph's and not an image's.
    if case .expansion = self,
      nominal.map({ $0.dropFirst().first }) != actual.map({ $0.dropFirst().first })
    {
      return false
    }
    return operation.parameters(nominal) == operation.parameters(actual)
  }
}

extension OperationRow {
  /// The value in the range that the row's operation is defined for.
  fileprivate func fitted(_ value: Value) -> Value {
    guard values != -1...1 else { return value }
    let width = Double(values.upperBound - values.lowerBound)
    return value.activation(.sigmoid).applying(.scale(Scale([width])))
      .applying(.offset(Offset([Double(values.lowerBound)])))
  }
}
