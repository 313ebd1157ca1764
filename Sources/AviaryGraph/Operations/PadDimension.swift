/// What stands beyond the ends of a dimension that is padded.
public enum PadMode: String, CaseIterable, Hashable, Sendable {
  /// Zeros, or another number that is stated.
  case zero
  /// Mirrored about the edge pixel, which is not repeated.
  case reflect
  /// The edge pixel, repeated.
  case edge
  /// Mirrored, edge pixel included.
  case symmetric
  /// The other end, as if the image were a torus.
  case circular
}

extension PadMode {
  /// How many elements a dimension must have for so much padding.
  func least(before: Int, after: Int) -> Int {
    switch self {
    case .zero, .edge: 1
    case .reflect: max(before, after) + 1
    case .symmetric, .circular: max(max(before, after), 1)
    }
  }

  /// What is done with these elements, for messages.
  var verb: String { self == .circular ? "continue" : "mirror" }

  /// Which of `size` elements stands at a position before the first or after the last; -1 for a
  /// constant.
  package func source(_ position: Int, _ size: Int) -> Int {
    if (0..<size).contains(position) { return position }
    // The shape functions see to it that no more is padded than there is to mirror.
    return switch self {
    case .zero: -1
    case .edge: min(max(position, 0), size - 1)
    case .reflect: position < 0 ? -position : 2 * (size - 1) - position
    case .symmetric: position < 0 ? -position - 1 : 2 * size - 1 - position
    case .circular: position < 0 ? position + size : position - size
    }
  }

  /// What a pixel of an image depends on that is padded so along an axis.
  func field(before: Int, after: Int) -> ReceptiveField {
    let most = max(before, after)
    switch self {
    case .zero: return .window(.shifted(by: before))
    case .edge: return .window(.shifted(by: before, mirrored: 1))
    case .reflect: return .window(.shifted(by: before, mirrored: most + 1))
    case .symmetric: return .window(.shifted(by: before, mirrored: most))
    case .circular:
      return most == 0
        ? .window(.shifted(by: 0))
        : .whole(reason: "circular padding takes pixels from the other end", size: .same)
    }
  }

  /// Checks the number that stands for zero.
  func check(_ check: AttributeCheck, _ value: Double) throws(GraphError) {
    try check("value", value)
    guard self == .zero || value == 0 else {
      throw .attribute(
        node: check.node, "value", expected: "0 unless mode is 'zero'", found: "\(value)")
    }
  }
}

/// Elements added at the ends of a dimension, of a value with any number of them. Rows and columns
/// of images have `Pad`.
public struct PadDimension: Hashable, Sendable {
  /// The dimension.
  public var dimension: Int
  /// How many are added before the first.
  public var before: Int
  /// How many are added behind the last.
  public var after: Int
  /// What they hold.
  public var mode: PadMode
  /// What they hold where the mode is `zero`.
  public var value: Double

  /// Padding, with zeros unless stated.
  public init(
    dimension: Int, before: Int, after: Int, _ mode: PadMode = .zero, value: Double = 0
  ) {
    (self.dimension, self.before, self.after) = (dimension, before, after)
    (self.mode, self.value) = (mode, value)
  }
}

extension PadDimension: Operation {
  package static let names = ["padDimension"]
  package var name: String { "padDimension" }
  package var op: Op { .padDimension(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      dimension: try a.int("dimension"), before: try a.int("before", default: 0),
      after: try a.int("after", default: 0), try a.word("mode", default: PadMode.zero),
      value: try a.number("value", default: 0))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("dimension", .int(dimension), nil), ("before", .int(before), 0), ("after", .int(after), 0),
      ("mode", .string(mode.rawValue), "zero"), ("value", .number(value), 0))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
    try check("before", before, 0...GraphLimits.window)
    try check("after", after, 0...GraphLimits.window)
    try mode.check(check, value)
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    try Self.expectRank(dimension + 1, shape)
    let least = mode.least(before: before, after: after)
    guard shape[dimension] >= least else {
      throw .tooSmall(
        needed: "\(least) elements along dimension \(dimension) to \(mode.verb)", found: shape)
    }
    shape[dimension] += before + after
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimension == axis.dimension ? mode.field(before: before, after: after) : .pointwise
  }
  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension ? nil : given
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
