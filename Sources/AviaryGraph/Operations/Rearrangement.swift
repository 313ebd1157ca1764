/// The same elements in another shape; 0 keeps a dimension, one -1 takes what is left.
public struct Reshape: Hashable, Sendable {
  /// The dimensions.
  public var shape: [Int]

  /// Another shape.
  public init(_ shape: [Int]) { self.shape = shape }
}

/// The dimensions in another order.
public struct Permute: Hashable, Sendable {
  /// For each dimension of the output, that of the input.
  public var order: [Int]

  /// Another order.
  public init(_ order: [Int]) { self.order = order }
}

/// Elements moved round along some dimensions, those that leave coming in on the other side.
public struct Roll: Hashable, Sendable {
  /// How far, for each of `dimensions`.
  public var shifts: [Int]
  /// The dimensions.
  public var dimensions: [Int]

  /// Shifts along dimensions, one for one.
  public init(shifts: [Int], dimensions: [Int]) {
    (self.shifts, self.dimensions) = (shifts, dimensions)
  }
}

extension Reshape: Operation {
  package static let names = ["reshape"]
  package var name: String { "reshape" }
  package var op: Op { .reshape(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.ints("shape"))
  }
  package var attributes: [String: JSON] { ["shape": .ints(shape)] }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("shape", shape.count, 1...GraphLimits.rank)
    for size in shape { try check("shape", size, -1...GraphLimits.dimension) }
    guard shape.count(where: { $0 == -1 }) <= 1 else {
      throw .attribute(node: check.node, "shape", expected: "at most one -1", found: "\(shape)")
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    var result: [Int] = []
    for (position, size) in shape.enumerated() {
      if size == 0 {
        try Self.expectRank(position + 1, input)
        result.append(input[position])
      } else {
        result.append(size)
      }
    }
    let count = input.reduce(1, *)
    var known = 1
    for size in result where size != -1 {
      let (product, overflow) = known.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .tooLarge(result) }
      known = product
    }
    if let free = result.firstIndex(of: -1) {
      guard known > 0, count % known == 0 else {
        throw .notDivisible("elements", value: count, by: known)
      }
      result[free] = count / known
    } else if known != count {
      throw .expected("\(known) elements for shape \(result)", found: "\(count)")
    }
    return result
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the whole picture", size: .unrelated)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    // Kept, and all before it.
    shape.count > dimension && shape[...dimension].allSatisfy { $0 == 0 } ? dimension : nil
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Permute: Operation {
  package static let names = ["permute"]
  package var name: String { "permute" }
  package var op: Op { .permute(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.ints("order"))
  }
  package var attributes: [String: JSON] { ["order": .ints(order)] }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("order", order.count, 1...GraphLimits.rank)
    guard order.sorted() == Array(order.indices) else {
      throw .attribute(
        node: check.node, "order", expected: "each of 0 to \(order.count - 1) once",
        found: "\(order)")
    }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    guard order.count == inputs[0].count else {
      throw .rank(expected: "\(order.count) dimensions", found: inputs[0])
    }
    return order.map { inputs[0][$0] }
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the whole picture", size: .unrelated)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    order.firstIndex(of: dimension)
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Roll: Operation {
  package static let names = ["roll"]
  package var name: String { "roll" }
  package var op: Op { .roll(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(shifts: try a.ints("shifts"), dimensions: try a.ints("dimensions"))
  }
  package var attributes: [String: JSON] {
    ["shifts": .ints(shifts), "dimensions": .ints(dimensions)]
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimensions", dimensions)
    guard shifts.count == dimensions.count else {
      throw .attribute(
        node: check.node, "shifts", expected: "one for each of \(dimensions.count) dimensions",
        found: "\(shifts)")
    }
    for shift in shifts {
      try check("shifts", shift, -GraphLimits.dimension...GraphLimits.dimension)
    }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    guard dimensions.allSatisfy({ $0 < inputs[0].count }) else {
      throw .rank(expected: "dimensions \(dimensions)", found: inputs[0])
    }
    return inputs[0]
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the whole picture", size: .same)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimensions.contains(dimension) ? nil : dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
