/// The value repeated along its dimensions, whole: NumPy's and ONNX's tile.
public struct Tile: Hashable, Sendable {
  /// How often, for each dimension.
  public var repeats: [Int]

  /// So many repetitions, one number for each dimension.
  public init(_ repeats: [Int]) { self.repeats = repeats }
}

/// A value repeated along dimensions that have one element, as an operand of arithmetic would be:
/// PyTorch's and ONNX's expand.
public struct Expand: Hashable, Sendable {
  /// The shape of the result.
  public enum Target: Hashable, Sendable {
    /// These dimensions, of which -1 keeps the value's; those that the value does not have come
    /// first.
    case shape([Int])
    /// The shape of the second input, whose values do not matter.
    case shapeOfSecondInput
  }

  /// The shape of the result.
  public var target: Target

  /// Repetition to a shape.
  public init(to target: Target) { self.target = target }
}

extension Tile: Operation {
  package static let names = ["tile"]
  package var name: String { "tile" }
  package var op: Op { .tile(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.ints("repeats"))
  }
  package var attributes: [String: JSON] { ["repeats": .ints(repeats)] }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("repeats", repeats.count, 1...GraphLimits.rank)
    for count in repeats { try check("repeats", count, 1...GraphLimits.window) }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    guard repeats.count == inputs[0].count else {
      throw .rank(expected: "\(repeats.count) dimensions", found: inputs[0])
    }
    return zip(inputs[0], repeats).map { $0 * $1 }
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let count = axis.dimension < repeats.count ? repeats[axis.dimension] : 1
    return count == 1
      ? .pointwise
      : .whole(reason: "\(name) repeats the whole image", size: .input(0, times: Ratio(count)))
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Expand: Operation {
  package static let names = ["expand"]
  package var name: String { "expand" }
  package var op: Op { .expand(self) }
  package var inputCount: ClosedRange<Int> { target == .shapeOfSecondInput ? 2...2 : 1...1 }

  /// The second input's shape is the target wherever no shape is given.
  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(to: a.has("shape") ? .shape(try a.ints("shape")) : .shapeOfSecondInput)
  }
  package var attributes: [String: JSON] {
    if case .shape(let shape) = target { ["shape": .ints(shape)] } else { [:] }
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    guard case .shape(let shape) = target else { return }
    try check("shape", shape.count, 1...GraphLimits.rank)
    for size in shape where size != -1 { try check("shape", size, 1...GraphLimits.dimension) }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    let wanted = if case .shape(let shape) = target { shape } else { inputs[1] }
    guard wanted.count >= input.count else { throw .mismatch(input, wanted) }
    // Dimensions that are there already are the last.
    let added = wanted.count - input.count
    var result: [Int] = []
    for (position, size) in wanted.enumerated() {
      let own = position < added ? 1 : input[position - added]
      guard size == -1 ? position >= added : own == 1 || own == size else {
        throw .mismatch(input, wanted)
      }
      result.append(size == -1 ? own : size)
    }
    return result
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    guard case .shape(let shape) = target else { return .pointwise }
    // Height and width of an image are its last two dimensions.
    let place = shape.count - (axis == .vertical ? 2 : 1)
    return place >= 0 && shape[place] == -1
      ? .pointwise : .whole(reason: "\(name) gives an image of one size", size: .unrelated)
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
  package var inputsOfSizeOnly: Set<Int> { target == .shapeOfSecondInput ? [1] : [] }
}
