/// Nothing in inference; in training, zeroes with probability `rate`.
public struct Dropout: Hashable, Sendable {
  /// The probability of a zero.
  public var rate: Double

  /// Dropout at this rate.
  public init(rate: Double) { self.rate = rate }
}

extension Dropout: Operation {
  package static let names = ["dropout"]
  package var name: String { "dropout" }
  package var op: Op { .dropout(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(rate: try a.number("rate"))
  }
  package var attributes: [String: JSON] { ["rate": .number(rate)] }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    guard (0..<1).contains(rate) else {
      throw .attribute(node: check.node, "rate", expected: "0 to below 1", found: "\(rate)")
    }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] { inputs[0] }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  /// Inference does the same whatever the rate.
  package var normalised: Dropout { Dropout(rate: 0) }
}
