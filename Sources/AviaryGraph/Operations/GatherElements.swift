/// Elements of the first input along a dimension, at the places that the second input says: ONNX's
/// `GatherElements`, PyTorch's `gather`, NumPy's `take_along_axis`.
///
/// Places are float32 numbers that hold integers; negative ones count from the end. A place that is
/// not there gives NaN.
public struct GatherElements: Hashable, Sendable {
  /// The dimension along which places count. In all others the inputs have the same size.
  public var dimension: Int

  /// A gathering along a dimension.
  public init(dimension: Int) { self.dimension = dimension }
}

extension GatherElements: Operation {
  package static let names = ["gatherElements"]
  package var name: String { "gatherElements" }
  package var op: Op { .gatherElements(self) }
  package var inputCount: ClosedRange<Int> { 2...2 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(dimension: try a.int("dimension"))
  }

  package var attributes: [String: JSON] {
    Attributes.members(("dimension", .int(dimension), nil))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let (input, places) = (inputs[0], inputs[1])
    try Self.expectIndexed(dimension, input)
    guard places.count == input.count,
      places.indices.allSatisfy({ $0 == dimension || places[$0] == input[$0] })
    else { throw .mismatch(input, places) }
    return places
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimension >= 2
      ? .whole(
        reason: "\(name) may take any element along dimension \(dimension)", size: .unrelated)
      : .pointwise
  }

  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension ? nil : given
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Operation {
  /// A dimension that is there and has elements. A plan sees to it that float32 can number them.
  static func expectIndexed(_ dimension: Int, _ shape: [Int]) throws(ShapeProblem) {
    guard dimension < shape.count else {
      throw .rank(expected: "a dimension \(dimension)", found: shape)
    }
    guard shape[dimension] > 0 else {
      throw .expected("elements along dimension \(dimension)", found: "none")
    }
  }
}
