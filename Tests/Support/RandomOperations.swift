package import AviaryGraph

/// A network of operations of the table, put together at random: whatever `OperationRow.all` has is
/// in one of them, and what is added to it will be.
///
/// Every value is taken through tanh before it is used again, so that numbers stay of a size; where
/// an operation is defined for others, into the range that its row states.
package struct RandomOperations {
  package private(set) var graph: Graph
  /// That of the only input.
  package let inputShape: [Int]
  /// The rows whose operations are in the network.
  package private(set) var rows: [OperationRow] = []

  /// As many networks the table is held against with `AVIARY_ALL`; in other runs a fifth.
  package static let count = 500

  /// - Parameter seed: the first row is that of this number, the others are drawn.
  /// - Throws: `GraphError`, if what is put together is no network.
  package init(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed) &+ 7_777)
    let channels = [3, 6, 16].randomElement(using: &generator) ?? 3
    inputShape = [1 + seed % 2, channels, 12, 8 + 4 * (seed % 2)]
    var rows: [OperationRow] = []
    let shape = inputShape
    // Some operations have weights as large as the image: a third of networks is of one size.
    let size = seed % 3 == 0 ? Size(shape[2], shape[3]) : nil
    graph = try Graph(channels: channels, size: size) { input in
      var network = Network(input, shape)
      let all = OperationRow.all
      var wanted = [all[seed % all.count]]
      for _ in 0..<3 + seed % 4 {
        if let row = all.randomElement(using: &generator) { wanted.append(row) }
      }
      for (number, row) in wanted.enumerated()
      where network.add(row, "l\(number)", &generator) {
        rows.append(row)
      }
      return network.outputs
    }
    self.rows = rows
  }
}

/// A network that grows.
private struct Network {
  /// What operations may take: images.
  private var values: [(value: Value, shape: [Int])]
  /// Results that are no images, or too small to go on with.
  private var ends: [Value] = []

  /// Elements of a value beyond which a network would only be slow.
  private static let limit = 6_000

  init(_ input: Value, _ shape: [Int]) { values = [(input, shape)] }

  /// The last image, and a few of what nobody took.
  var outputs: [Value] { (values.suffix(1).map(\.value) + ends.suffix(3)) }

  /// Adds a row's operation to values that it takes, if there are such.
  mutating func add(
    _ row: OperationRow, _ name: String, _ generator: inout SplitMix64
  ) -> Bool {
    guard let operands = operands(of: row, name, &generator) else { return false }
    let shapes = operands.map(\.shape)
    guard let shape = try? row.op.outputShape(shapes),
      (1...Network.limit).contains(shape.reduce(1, *)), !shape.contains(0)
    else { return false }
    let taken = operands.map { row.fitted($0.value) }
    let result = values[0].value.making(row.op, named: name, of: taken)
    if shape.count == 4, shape[2] > 1, shape[3] > 1 {
      values.append((result.activation(.tanh), shape))
    } else {
      ends.append(result)
    }
    return true
  }

  /// Values that the operation takes: as they are, or brought to the row's channels before.
  private mutating func operands(
    of row: OperationRow, _ name: String, _ generator: inout SplitMix64
  ) -> [(value: Value, shape: [Int])]? {
    for attempt in 0..<24 {
      var chosen: [(value: Value, shape: [Int])] = []
      for _ in row.inputs {
        let isLast = Bool.random(using: &generator)
        guard let any = isLast ? values.last : values.randomElement(using: &generator) else {
          return nil
        }
        chosen.append(any)
      }
      // Later attempts look for channels as the row has them.
      let shapes = zip(chosen, row.inputs).map { value, wanted in
        attempt < 8 ? value.shape : [value.shape[0], wanted[1]] + value.shape[2...]
      }
      guard let shape = try? row.op.outputShape(shapes), shape.reduce(1, *) <= Network.limit,
        row.op.fits(
          zip(chosen, shapes).map { value, shape in
            [value.value.nominalShape[0], shape[1]] + value.value.nominalShape[2...]
          }, and: shapes)
      else { continue }
      return zip(chosen, shapes).enumerated().map { position, pair in
        let (value, shape) = pair
        guard value.shape != shape else { return value }
        return (
          value.value.convolution("\(name).in\(position)", shape[1], kernel: 1).activation(.tanh),
          shape
        )
      }
    }
    return nil
  }
}

extension Op {
  /// Whether the operation takes values of both shapes with the same parameters.
  fileprivate func fits(_ nominal: [[Int]], and actual: [[Int]]) -> Bool {
    guard (try? outputShape(nominal)) != nil else { return false }
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
