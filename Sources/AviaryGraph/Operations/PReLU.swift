/// x for x > 0, else weight · x, with a learned weight per channel or one for all.
public struct PReLU: Hashable, Sendable {
  /// Whether each channel has a weight of its own.
  public var perChannel: Bool

  /// A rectifier with a learned slope.
  public init(perChannel: Bool) { self.perChannel = perChannel }
}

extension PReLU: Operation {
  package static let names = ["prelu"]
  package var name: String { "prelu" }
  package var op: Op { .prelu(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(perChannel: try a.bool("perChannel"))
  }
  package var attributes: [String: JSON] { ["perChannel": .bool(perChannel)] }

  package func check(_ check: AttributeCheck) throws(GraphError) {}
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.expectRank(2, inputs[0])
    return inputs[0]
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    [ParameterSlot(suffix: "weight", shape: [perChannel ? inputs[0][1] : 1])]
  }
}

extension Value {
  /// x for x > 0, else a learned multiple of x.
  public func prelu(_ name: String, perChannel: Bool = true) -> Value {
    builder.add(.prelu(PReLU(perChannel: perChannel)), layer: name, [self])
  }
}
