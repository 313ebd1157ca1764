/// A function of two values, element by element. Either may repeat along dimensions, as NumPy has it:
/// shapes are aligned at their last dimensions, and a dimension of 1 or none stands for any.
public enum Binary: String, CaseIterable, Hashable, Sendable {
  /// The sum.
  case add
  /// The first less the second.
  case subtract
  /// The product.
  case multiply
  /// The first over the second.
  case divide
  /// The first to the power of the second.
  case power
  /// The smaller of the two; the gradient of equals is divided between them.
  case minimum
  /// The larger of the two; the gradient of equals is divided between them.
  case maximum
  /// 1 where the two are equal, else 0. Comparisons have a gradient of 0.
  case equal
  /// 1 where the first is smaller, else 0.
  case less
  /// 1 where the first is smaller or equal, else 0.
  case lessOrEqual
  /// 1 where the first is larger, else 0.
  case greater
  /// 1 where the first is larger or equal, else 0.
  case greaterOrEqual
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

extension Binary {
  /// Whether it gives 1 and 0 alone.
  package var isComparison: Bool {
    switch self {
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    case .add, .subtract, .multiply, .divide, .power, .minimum, .maximum: false
    }
  }
}

extension Value {
  /// The sum, element by element.
  public static func + (a: Value, b: Value) -> Value { a.applying(.binary(.add), b) }
  /// The difference, element by element.
  public static func - (a: Value, b: Value) -> Value { a.applying(.binary(.subtract), b) }
  /// The product, element by element.
  public static func * (a: Value, b: Value) -> Value { a.applying(.binary(.multiply), b) }
  /// The quotient, element by element.
  public static func / (a: Value, b: Value) -> Value { a.applying(.binary(.divide), b) }
}
