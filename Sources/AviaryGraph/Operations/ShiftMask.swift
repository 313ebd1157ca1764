/// Keeps apart what a cyclic shift has brought together (Liu et al., "Swin Transformer", 2021): adds
/// a large negative number to the scores of pairs of pixels that are no neighbours in the image.
///
/// Of an image that was rolled up and to the left by `shift`, the last `shift` rows and columns come
/// from the other side. Only the windows of the last row and the last column of windows have pixels
/// of both kinds: the mask follows from the number of windows, and is stored nowhere.
public struct ShiftMask: Hashable, Sendable {
  /// Height and width of a window.
  public var window: Size
  /// How far the image was rolled, less than a window.
  public var shift: Size
  /// What is added to the scores of pairs that are kept apart: -infinity keeps them apart altogether.
  public var value: Double

  /// Swin Transformer's -100, unless stated.
  public init(_ window: Size, shift: Size, value: Double = -100) {
    (self.window, self.shift, self.value) = (window, shift, value)
  }

  /// To which part of a window a pixel belongs, if the window is the last of its row of windows, of
  /// its column, or of both: pixels of different parts are kept apart.
  package func part(_ pixel: Int, isLastRow: Bool, isLastColumn: Bool) -> Int {
    let (y, x) = pixel.quotientAndRemainder(dividingBy: window.width)
    return (isLastRow && y >= window.height - shift.height ? 2 : 0)
      + (isLastColumn && x >= window.width - shift.width ? 1 : 0)
  }
}

extension ShiftMask: Operation {
  package static let names = ["shiftMask"]
  package var name: String { "shiftMask" }
  package var op: Op { .shiftMask(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  /// How -infinity, which JSON has no number for, is written.
  private static let infinite: JSON = "-infinity"

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      try a.size("window"), shift: try a.size("shift"), value: try a.maskValue("value"))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("window", window.json, nil), ("shift", shift.json, nil),
      ("value", Self.json(value), .number(-100)))
  }

  /// A mask's number as JSON.
  static func json(_ value: Double) -> JSON { value == -.infinity ? infinite : .number(value) }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("window", window)
    for axis in Axis.allCases { try check("shift", shift[axis], 0...(window[axis] - 1)) }
    try check(maskValue: value)
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    guard (5...GraphLimits.rank).contains(input.count),
      input.suffix(2).allSatisfy({ $0 == window.area })
    else {
      throw .rank(
        expected: "scores of windows, [n, rows, columns, …, \(window.area), \(window.area)]",
        found: input)
    }
    return input
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    if shift[axis] == 0 { return .window(.windows(axis, spoilt: 0)) }
    // A tile's last window is taken for the image's.
    return .window(.windows(axis, spoilt: 1))
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension ReceptiveWindow {
  /// Windows of an image, of which so many at the end are of no use.
  fileprivate static func windows(_ axis: Axis, spoilt: Int) -> ReceptiveWindow {
    ReceptiveWindow(ratio: Ratio(1), input: axis.dimension - 1, output: axis.dimension - 1) {
      $0.lowerBound..<max($0.upperBound - spoilt, $0.lowerBound)
    }
  }
}

extension Attributes {
  /// What a mask adds: a number, or "-infinity"; -100 where nothing is stated.
  mutating func maskValue(_ name: String) throws(GraphError) -> Double {
    try take(name, "a number or '-infinity'", default: -100) { json in
      json.string == "-infinity" ? -.infinity : json.double
    }
  }
}

extension AttributeCheck {
  /// What a mask adds must lower a score.
  func callAsFunction(maskValue value: Double) throws(GraphError) {
    guard value < 0 else {
      throw .attribute(node: node, "value", expected: "a number below 0", found: "\(value)")
    }
  }
}
