/// The same elements in another shape.
public struct Reshape: Hashable, Sendable {
  /// The size of a dimension.
  public enum Dimension: Hashable, Sendable {
    /// So many elements.
    case size(Int)
    /// As many as the input's dimension of the same number.
    case kept
    /// What is left.
    case rest
    /// As many as an input's dimension times a ratio, which must come out even.
    case input(Int, times: Ratio)
    /// As many as the dimension of a second input, whose values do not matter, times a ratio.
    case other(Int, times: Ratio)
  }

  /// The dimensions, of which at most one is what is left.
  public var dimensions: [Dimension]

  /// Another shape.
  public init(dimensions: [Dimension]) { self.dimensions = dimensions }

  /// Another shape, in which 0 keeps a dimension, and one -1 takes what is left.
  public init(_ shape: [Int]) {
    dimensions = shape.map { $0 == 0 ? .kept : $0 == -1 ? .rest : .size($0) }
  }

  /// The shape as numbers, 0 for what is kept and -1 for what is left; nil where a number does not
  /// say it.
  package var shape: [Int]? {
    var shape: [Int] = []
    for dimension in dimensions {
      switch dimension {
      case .size(let size): shape.append(size)
      case .kept: shape.append(0)
      case .rest: shape.append(-1)
      case .input, .other: return nil
      }
    }
    return shape
  }

  /// Whether a dimension is that of a second input.
  private var takesOther: Bool {
    dimensions.contains { if case .other = $0 { true } else { false } }
  }
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
  package var inputCount: ClosedRange<Int> { takesOther ? 2...2 : 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      dimensions: try a.take(
        "shape", "an array of integers and of objects with 'dimension' and 'times'"
      ) { json in
        guard let array = json.array else { return nil }
        let dimensions = array.compactMap(Dimension.init(json:))
        return dimensions.count == array.count ? dimensions : nil
      })
  }
  package var attributes: [String: JSON] { ["shape": .array(dimensions.map(\.json))] }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("shape", dimensions.count, 1...GraphLimits.rank)
    for dimension in dimensions {
      switch dimension {
      case .size(let size): try check("shape", size, -1...GraphLimits.dimension)
      case .input(let dimension, let ratio), .other(let dimension, let ratio):
        try check("shape", dimension, 0...(GraphLimits.rank - 1))
        try check("shape", ratio.numerator, 1...GraphLimits.window)
        try check("shape", ratio.denominator, 1...GraphLimits.window)
      case .kept, .rest: break
      }
    }
    guard dimensions.count(where: { $0 == .rest }) <= 1 else {
      throw .attribute(
        node: check.node, "shape", expected: "at most one -1",
        found: JSON.array(dimensions.map(\.json)).text)
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    var result: [Int] = []
    for (position, dimension) in dimensions.enumerated() {
      switch dimension {
      case .size(let size): result.append(size)
      case .rest: result.append(-1)
      case .kept:
        try Self.expectRank(position + 1, input)
        result.append(input[position])
      case .input(let source, let ratio): result.append(try Self.size(input, source, ratio))
      case .other(let source, let ratio): result.append(try Self.size(inputs[1], source, ratio))
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

  /// A dimension times a ratio.
  private static func size(
    _ shape: [Int], _ dimension: Int, _ ratio: Ratio
  ) throws(ShapeProblem) -> Int {
    try expectRank(dimension + 1, shape)
    let product = shape[dimension] * ratio.numerator
    guard product % ratio.denominator == 0 else {
      throw .notDivisible(
        "dimension \(dimension)", value: shape[dimension], by: ratio.denominator)
    }
    return product / ratio.denominator
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the whole image", size: .unrelated)
  }
  package var inputsOfSizeOnly: Set<Int> { takesOther ? [1] : [] }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    // Kept, and all before it.
    dimensions.count > dimension && dimensions[...dimension].allSatisfy { $0 == .kept }
      ? dimension : nil
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Reshape.Dimension {
  fileprivate var json: JSON {
    switch self {
    case .size(let size): .int(size)
    case .kept: 0
    case .rest: -1
    case .input(let dimension, let ratio):
      .object(
        Attributes.members(("dimension", .int(dimension), nil), ("times", ratio.json, 1)))
    case .other(let dimension, let ratio):
      .object(
        Attributes.members(
          ("dimension", .int(dimension), nil), ("times", ratio.json, 1), ("input", 1, nil)))
    }
  }

  fileprivate init?(json: JSON) {
    if let size = json.int {
      self = size == 0 ? .kept : size == -1 ? .rest : .size(size)
      return
    }
    guard let members = json.object, let dimension = members["dimension"]?.int,
      members.keys.allSatisfy(["dimension", "times", "input"].contains),
      members["input"] == nil || members["input"]?.int == 1
    else { return nil }
    let numbers = members["times"].map { times in times.int.map { [$0, 1] } ?? times.ints ?? [] }
    let ratio = numbers ?? [1, 1]
    guard ratio.count == 2,
      ratio.allSatisfy((1...GraphLimits.window).contains)
    else { return nil }
    let times = Ratio(ratio[0], ratio[1])
    self =
      members["input"] == nil ? .input(dimension, times: times) : .other(dimension, times: times)
  }
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
    .whole(reason: "\(name) takes the whole image", size: .unrelated)
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
    .whole(reason: "\(name) takes the whole image", size: .same)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimensions.contains(dimension) ? nil : dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
