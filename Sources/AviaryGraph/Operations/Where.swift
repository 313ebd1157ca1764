/// The second input where the first is not 0, else the third; each may repeat along dimensions, as
/// NumPy has it. The condition has a gradient of 0.
package struct Where: Hashable, Sendable {
  package init() {}
}

extension Where: Operation {
  package static let names = ["where"]
  package var name: String { "where" }
  package var op: Op { .where }
  package var inputCount: ClosedRange<Int> { 3...3 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {}
  package var attributes: [String: JSON] { [:] }

  package func check(_ check: AttributeCheck) throws(GraphError) {}
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.broadcast(inputs[0], try Self.broadcast(inputs[1], inputs[2]))
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    // Dimensions are aligned at the last.
    dimension + inputs.reduce(0) { max($0, $1.count) } - inputs[input].count
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// `a` where this value is not 0, else `b`.
  public func choosing(_ a: Value, _ b: Value) -> Value { applying(.where, a, b) }
}
