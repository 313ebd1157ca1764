/// Rows and columns added at the edges.
public struct Pad: Hashable, Sendable {
  /// How many are added.
  public var amounts: PaddingAmounts
  /// What they hold.
  public var mode: PadMode
  /// What they hold where the mode is `zero`.
  public var value: Double

  /// Padding, with zeros unless stated.
  public init(_ amounts: PaddingAmounts, _ mode: PadMode = .zero, value: Double = 0) {
    (self.amounts, self.mode, self.value) = (amounts, mode, value)
  }
}

/// Rows and columns cut from the edges.
public struct Crop: Hashable, Sendable {
  /// How many are cut.
  public var amounts: PaddingAmounts

  /// A crop of so many pixels.
  public init(_ amounts: PaddingAmounts) { self.amounts = amounts }
}

extension PaddingAmounts {
  /// The shape of an image that has so many rows and columns more or less.
  fileprivate func grown(_ input: [Int], sign: Int) -> [Int] {
    [
      input[0], input[1], input[2] + sign * total(.vertical), input[3] + sign * total(.horizontal),
    ]
  }
}

extension Pad: Operation {
  package static let names = ["pad"]
  package var name: String { "pad" }
  package var op: Op { .pad(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      try a.amounts("padding", was: "edges"), try a.word("mode", default: PadMode.zero),
      value: try a.number("value", default: 0))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("padding", amounts.json, nil), ("mode", .string(mode.rawValue), "zero"),
      ("value", .number(value), 0))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("padding", amounts)
    try mode.check(check, value)
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    for axis in Axis.allCases {
      let least = mode.least(before: amounts.before(axis), after: amounts.after(axis))
      guard input[axis.dimension] >= least else {
        throw .tooSmall(needed: "\(least) rows and columns to \(mode.verb)", found: input)
      }
    }
    return amounts.grown(input, sign: 1)
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    mode.field(before: amounts.before(axis), after: amounts.after(axis))
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Crop: Operation {
  package static let names = ["crop"]
  package var name: String { "crop" }
  package var op: Op { .crop(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.amounts("cropping", was: "edges"))
  }
  package var attributes: [String: JSON] { ["cropping": amounts.json] }

  package func check(_ check: AttributeCheck) throws(GraphError) { try check("cropping", amounts) }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    let shape = amounts.grown(input, sign: -1)
    guard shape[2] > 0, shape[3] > 0 else {
      throw .tooSmall(
        needed: "\(amounts.total(.vertical) + 1)x\(amounts.total(.horizontal) + 1)", found: input)
    }
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .window(.shifted(by: -amounts.before(axis)))
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
