/// A mean, sum, maximum or the like over some dimensions.
public struct Reduction: Hashable, Sendable {
  /// What is made of the elements.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case mean
    case sum
    case maximum
    case minimum
    case product
    /// The mean of the squared distances from the mean.
    case variance
    /// The same as an estimate from a sample: divided by one less than there are elements.
    case unbiasedVariance
    /// The sum of absolute values.
    case l1
    /// The root of the sum of squares.
    case l2
    case sumOfSquares

    /// With its article, for messages.
    var words: String {
      switch self {
      case .mean: "a mean"
      case .sum: "a sum"
      case .maximum: "a maximum"
      case .minimum: "a minimum"
      case .product: "a product"
      case .variance: "a variance"
      case .unbiasedVariance: "an unbiased variance"
      case .l1: "an L1 norm"
      case .l2: "an L2 norm"
      case .sumOfSquares: "a sum of squares"
      }
    }
  }
  /// What is made of the elements.
  public var kind: Kind
  /// The dimensions that go.
  public var dimensions: [Int]
  /// Whether they stay, with size 1.
  public var keepsDimensions: Bool

  /// A reduction; dimensions stay with size 1 unless stated.
  public init(_ kind: Kind, dimensions: [Int], keepsDimensions: Bool = true) {
    (self.kind, self.dimensions, self.keepsDimensions) = (kind, dimensions, keepsDimensions)
  }
}

extension Reduction: Operation {
  package static let names = ["reduce"]
  package var name: String { "reduce" }
  package var op: Op { .reduce(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      try a.word("kind"), dimensions: try a.ints("dimensions"),
      keepsDimensions: try a.bool("keepsDimensions", default: true))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("kind", .string(kind.rawValue), nil), ("dimensions", .ints(dimensions), nil),
      ("keepsDimensions", .bool(keepsDimensions), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimensions", dimensions)
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    guard dimensions.allSatisfy({ $0 < input.count }) else {
      throw .rank(expected: "dimensions \(dimensions)", found: input)
    }
    var shape: [Int] = []
    for (dimension, size) in input.enumerated() {
      if !dimensions.contains(dimension) {
        shape.append(size)
      } else if keepsDimensions {
        shape.append(1)
      }
    }
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimensions.contains { $0 >= 2 } || !keepsDimensions
      ? .whole(reason: "\(kind.words) over the whole image", size: .unrelated) : .pointwise
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    if dimensions.contains(dimension) { return nil }
    return keepsDimensions ? dimension : dimension - dimensions.count { $0 < dimension }
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
