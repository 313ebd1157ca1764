/// Inputs side by side along a dimension.
public struct Concatenate: Hashable, Sendable {
  /// The dimension.
  public var dimension: Int

  /// Inputs side by side, along the channels unless stated.
  public init(dimension: Int = 1) { self.dimension = dimension }
}

/// Channels `start` up to, not including, `start + count`.
public struct ChannelSlice: Hashable, Sendable {
  /// The first channel.
  public var start: Int
  /// The number of channels.
  public var count: Int

  /// A range of channels.
  public init(start: Int, count: Int) { (self.start, self.count) = (start, count) }
}

extension Concatenate: Operation {
  package static let names = ["concatenate"]
  package var name: String { "concatenate" }
  package var op: Op { .concatenate(self) }
  package var inputCount: ClosedRange<Int> { 1...GraphLimits.inputs }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(dimension: try a.int("dimension", default: 1))
  }
  package var attributes: [String: JSON] {
    Attributes.members(("dimension", .int(dimension), 1))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    try Self.expectRank(max(dimension + 1, 2), shape)
    for other in inputs.dropFirst() {
      guard other.count == shape.count,
        shape.indices.allSatisfy({ $0 == dimension || other[$0] == shape[$0] })
      else { throw .mismatch(inputs[0], other) }
      shape[dimension] += other[dimension]
    }
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimension == axis.dimension
      ? .whole(reason: "\(name) puts whole images side by side", size: .unrelated) : .pointwise
  }
  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension ? nil : given
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension ChannelSlice: Operation {
  package static let names = ["slice"]
  package var name: String { "slice" }
  package var op: Op { .slice(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(start: try a.int("start"), count: try a.int("count"))
  }
  package var attributes: [String: JSON] { ["start": .int(start), "count": .int(count)] }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("start", start, 0...GraphLimits.channels)
    try check("count", count, AttributeCheck.channels)
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectRank(2, input)
    guard start + count <= input[1] else {
      throw .channels(expected: "at least \(start + count)", found: input[1])
    }
    return [input[0], count] + input[2...]
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension == 1 ? nil : dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// Values side by side along a dimension, that of the channels unless stated.
  public static func concatenate(_ values: [Value], dimension: Int = 1) -> Value {
    precondition(!values.isEmpty, "at least one value to concatenate")
    return values[0].builder.add(.concatenate(Concatenate(dimension: dimension)), values)
  }
}
