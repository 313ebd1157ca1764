/// A value that is learned and the same for every image: the scale of a layer, a temperature, tokens,
/// a table of biases. PyTorch's `nn.Parameter` used by itself, ONNX's initializer.
public struct LearnedConstant: Hashable, Sendable {
  /// The dimensions.
  public var shape: [Int]
  /// The number that training begins with everywhere; nil where it begins with random ones, as the
  /// weight of a linear layer of this shape.
  public var start: Double?

  /// A constant of this shape; training begins with zeros unless stated.
  public init(_ shape: [Int], start: Double? = 0) { (self.shape, self.start) = (shape, start) }

  /// What stands for random numbers in JSON.
  private static let random = "random"
}

extension LearnedConstant: Operation {
  package static let names = ["learnedConstant"]
  package var name: String { "learnedConstant" }
  package var op: Op { .learnedConstant(self) }
  package var inputCount: ClosedRange<Int> { 0...0 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      try a.ints("shape"),
      start: try a.take("start", "a number or 'random'", default: .some(0)) { (json) -> Double?? in
        json.string == Self.random ? .some(nil) : json.double.map { Optional($0) }
      })
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("shape", .ints(shape), nil),
      ("start", start.map(JSON.number) ?? .string(Self.random), .number(0)))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("shape", shape.count, 1...GraphLimits.rank)
    for size in shape { try check("shape", size, 1...GraphLimits.dimension) }
    if let start { try check("start", start) }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] { shape }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .constant }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    [ParameterSlot(suffix: "value", shape: shape, start: start)]
  }
  package var parameterDimensions: [String] { ["entries"] }

  /// What training begins with does not matter to the value.
  package var normalised: LearnedConstant { LearnedConstant(shape) }
}

extension Value {
  /// A learned constant beside this value, with the parameter of this name; training begins with `start`
  /// everywhere, or where that is nil with random numbers, as in a linear layer's weight.
  public func learnedConstant(_ name: String, _ shape: [Int], start: Double? = 0) -> Value {
    builder.add(
      .learnedConstant(LearnedConstant(shape, start: start)), layer: name, parameters: [name], [])
  }

  /// A learned constant beside this value, as a part of an expansion.
  func learnedConstant(parameter: String, _ shape: [Int]) -> Value {
    builder.add(.learnedConstant(LearnedConstant(shape)), parameters: [parameter], [])
  }
}
