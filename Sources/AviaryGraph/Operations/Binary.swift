/// A function of two values, element by element; either may repeat over space, channels or
/// pictures.
public enum Binary: String, CaseIterable, Hashable, Sendable {
  /// The sum.
  case add
  /// The first less the second.
  case subtract
  /// The product.
  case multiply
}

extension Binary: Operation {
  package static let names = Binary.allCases.map(\.rawValue)
  package var name: String { rawValue }
  package var op: Op { .binary(self) }
  package var inputCount: ClosedRange<Int> { 2...2 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    guard let kind = Binary(rawValue: name) else {
      throw .unknownOperation(node: a.node, name, nearest: name.nearest(in: Self.names))
    }
    self = kind
  }
  package var attributes: [String: JSON] { [:] }

  package func check(_ check: AttributeCheck) throws(GraphError) {}
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.broadcast(inputs[0], inputs[1])
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    // Dimensions are aligned at the last.
    dimension + inputs.reduce(0) { max($0, $1.count) } - inputs[input].count
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// The sum, element by element.
  public static func + (a: Value, b: Value) -> Value { a.applying(.binary(.add), b) }
  /// The difference, element by element.
  public static func - (a: Value, b: Value) -> Value { a.applying(.binary(.subtract), b) }
  /// The product, element by element.
  public static func * (a: Value, b: Value) -> Value { a.applying(.binary(.multiply), b) }
}
