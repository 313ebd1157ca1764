/// How the pixels of an image are divided among windows.
public enum WindowArrangement: String, CaseIterable, Hashable, Sendable {
  /// A window is a rectangle of neighbours (Liu et al., "Swin Transformer", 2021).
  case block
  /// A window is spread over the whole image in equal steps: pixel (i, j) of window (a, b) is pixel
  /// (i · rows of windows + a, j · columns of windows + b) (Tu et al., "MaxViT", 2022).
  case grid
}

/// An image cut into windows: N x C x H x W becomes N x rows of windows x columns of windows x pixels
/// of a window x C. The pixels of a window are in row-major order.
public struct WindowPartition: Hashable, Sendable {
  /// Height and width of a window; those of the image are multiples of them.
  public var window: Size
  /// Which pixels a window has.
  public var arrangement: WindowArrangement
  /// How many pixels more a window has on either side, which neighbours have too: zeros outside of
  /// the image. For blocks only.
  public var margin: Size

  /// Windows of neighbours that do not overlap, unless stated.
  public init(_ window: Size, _ arrangement: WindowArrangement = .block, margin: Size = 0) {
    (self.window, self.arrangement, self.margin) = (window, arrangement, margin)
  }

  /// Height and width of what a window has with its margins.
  package var reach: Size {
    Size(window.height + 2 * margin.height, window.width + 2 * margin.width)
  }
}

/// The inverse of a window partition without margins: windows put together to an image.
public struct WindowReverse: Hashable, Sendable {
  /// Height and width of a window.
  public var window: Size
  /// Which pixels a window has.
  public var arrangement: WindowArrangement

  /// Windows of neighbours, unless stated.
  public init(_ window: Size, _ arrangement: WindowArrangement = .block) {
    (self.window, self.arrangement) = (window, arrangement)
  }
}

extension WindowPartition: Operation {
  package static let names = ["windowPartition"]
  package var name: String { "windowPartition" }
  package var op: Op { .windowPartition(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      try a.size("window"), try a.word("arrangement", default: .block),
      margin: try a.size("margin", default: 0))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("window", window.json, nil), ("arrangement", .string(arrangement.rawValue), "block"),
      ("margin", margin.json, 0))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("window", window)
    let most = arrangement == .block ? GraphLimits.window : 0
    for axis in Axis.allCases { try check("margin", margin[axis], 0...most) }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    for (axis, side) in [(Axis.vertical, "height"), (.horizontal, "width")] {
      guard input[axis.dimension].isMultiple(of: window[axis]) else {
        throw .notDivisible(side, value: input[axis.dimension], by: window[axis])
      }
    }
    return [
      input[0], input[2] / window.height, input[3] / window.width, reach.area, input[1],
    ]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let (side, margin) = (window[axis], margin[axis])
    guard arrangement == .block else {
      return .whole(reason: "windows are spread over the whole image", size: .unrelated)
    }
    return .window(
      ReceptiveWindow(ratio: Ratio(1, side), output: axis.dimension - 1) { input in
        let first = (input.lowerBound + margin).dividedRoundingUp(by: side)
        let end = (input.upperBound - margin).dividedRoundingDown(by: side)
        return first..<max(end, first)
      })
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension WindowReverse: Operation {
  package static let names = ["windowReverse"]
  package var name: String { "windowReverse" }
  package var op: Op { .windowReverse(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.size("window"), try a.word("arrangement", default: .block))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("window", window.json, nil), ("arrangement", .string(arrangement.rawValue), "block"))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) { try check("window", window) }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    guard input.count == 5, input[3] == window.area else {
      throw .rank(
        expected: "windows of \(window.area) pixels, [n, rows, columns, \(window.area), channels]",
        found: input)
    }
    return [input[0], input[4], input[1] * window.height, input[2] * window.width]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let side = window[axis]
    guard arrangement == .block else {
      return .whole(reason: "windows are spread over the whole image", size: .unrelated)
    }
    return .window(
      ReceptiveWindow(ratio: Ratio(side), input: axis.dimension - 1) { input in
        input.lowerBound * side..<input.upperBound * side
      })
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// The image cut into windows: N x rows x columns x pixels of a window x channels.
  public func windows(_ partition: WindowPartition) -> Value {
    applying(.windowPartition(partition))
  }

  /// Windows put together to an image.
  public func image(_ reverse: WindowReverse) -> Value { applying(.windowReverse(reverse)) }
}
