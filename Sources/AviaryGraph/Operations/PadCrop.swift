/// How pixels beyond the edges are made.
public enum PadMode: String, CaseIterable, Hashable, Sendable {
  case zero
  /// Mirrored about the edge pixel, which is not repeated.
  case reflect
  /// The edge pixel, repeated.
  case edge
}

/// Rows and columns added at the edges.
public struct Pad: Hashable, Sendable {
  /// How many are added.
  public var edges: Edges
  /// What they hold.
  public var mode: PadMode

  /// Padding, with zeros unless stated.
  public init(_ edges: Edges, _ mode: PadMode = .zero) { (self.edges, self.mode) = (edges, mode) }
}

/// Rows and columns cut from the edges.
public struct Crop: Hashable, Sendable {
  /// How many are cut.
  public var edges: Edges

  /// A crop of so many pixels.
  public init(_ edges: Edges) { self.edges = edges }
}

extension Edges {
  /// The shape of a picture that has so many rows and columns more or less.
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
    self.init(try a.edges("edges"), try a.word("mode", default: PadMode.zero))
  }
  package var attributes: [String: JSON] {
    Attributes.members(("edges", edges.json, nil), ("mode", .string(mode.rawValue), "zero"))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) { try check("edges", edges) }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectPicture(input)
    for axis in Axis.allCases where mode == .reflect {
      let largest = max(edges.before(axis), edges.after(axis))
      guard input[axis.dimension] > largest else {
        throw .tooSmall(needed: "\(largest + 1) rows and columns to mirror", found: input)
      }
    }
    return edges.grown(input, sign: 1)
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let mirrored: Int? =
      switch mode {
      case .zero: nil
      case .reflect: max(edges.before(axis), edges.after(axis)) + 1
      case .edge: 1
      }
    return .window(.shifted(by: edges.before(axis), mirrored: mirrored))
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Crop: Operation {
  package static let names = ["crop"]
  package var name: String { "crop" }
  package var op: Op { .crop(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.edges("edges"))
  }
  package var attributes: [String: JSON] { ["edges": edges.json] }

  package func check(_ check: AttributeCheck) throws(GraphError) { try check("edges", edges) }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectPicture(input)
    let shape = edges.grown(input, sign: -1)
    guard shape[2] > 0, shape[3] > 0 else {
      throw .tooSmall(
        needed: "\(edges.total(.vertical) + 1)x\(edges.total(.horizontal) + 1)", found: input)
    }
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .window(.shifted(by: -edges.before(axis)))
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
