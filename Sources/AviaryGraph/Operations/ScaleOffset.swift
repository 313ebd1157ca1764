/// Multiplication by one constant, or one a channel.
public struct Scale: Hashable, Sendable {
  /// The factors: one, or one a channel.
  public var values: [Double]

  /// Multiplication by these.
  public init(_ values: [Double]) { self.values = values }
}

/// Addition of one constant, or one a channel.
public struct Offset: Hashable, Sendable {
  /// The summands: one, or one a channel.
  public var values: [Double]

  /// Addition of these.
  public init(_ values: [Double]) { self.values = values }
}

/// An operation with one constant for all, or one a channel.
private protocol ConstantOperation: Operation {
  var values: [Double] { get }
  init(_ values: [Double])
}

extension ConstantOperation {
  package var name: String { Self.names[0] }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.numbers("values"))
  }
  package var attributes: [String: JSON] {
    ["values": values.count == 1 ? .number(values[0]) : .array(values.map(JSON.number))]
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("values", values.count, AttributeCheck.channels)
    for value in values { try check("values", value) }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    guard values.count == 1 || input.count >= 2 && input[1] == values.count else {
      throw .channels(expected: "\(values.count)", found: input.count >= 2 ? input[1] : 0)
    }
    return input
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .pointwise }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Scale: ConstantOperation {
  package static let names = ["scale"]
  package var op: Op { .scale(self) }
}

extension Offset: ConstantOperation {
  package static let names = ["offset"]
  package var op: Op { .offset(self) }
}

extension Value {
  /// Every element times a constant.
  public static func * (a: Value, constant: Double) -> Value {
    a.applying(.scale(Scale([constant])))
  }
  /// Every element plus a constant.
  public static func + (a: Value, constant: Double) -> Value {
    a.applying(.offset(Offset([constant])))
  }
}
