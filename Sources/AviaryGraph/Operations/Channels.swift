/// Inputs side by side in the channel dimension.
package struct Concatenate: Hashable, Sendable {
  package init() {}
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
  package var op: Op { .concatenate }
  package var inputCount: ClosedRange<Int> { 1...GraphLimits.inputs }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {}
  package var attributes: [String: JSON] { [:] }

  package func check(_ check: AttributeCheck) throws(GraphError) {}
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    try Self.expectRank(2, shape)
    for other in inputs.dropFirst() {
      guard other.count == shape.count, other[0] == shape[0], other[2...] == shape[2...] else {
        throw .mismatch(inputs[0], other)
      }
      shape[1] += other[1]
    }
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
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
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// Values side by side in the channel dimension.
  public static func concatenate(_ values: [Value]) -> Value {
    precondition(!values.isEmpty, "at least one value to concatenate")
    return values[0].builder.add(.concatenate, values)
  }
}
