/// The windows of an image as channels (im2col): an image whose pixels are the windows' places, and
/// whose channels are the elements of the window, in the order channel, row, column. PyTorch's
/// `Unfold` gives the same with the places in a row.
public struct Unfold: Hashable, Sendable {
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// How far apart the elements of the window lie.
  public var dilation: Size
  /// How many zeros the window meets beyond the edges.
  public var padding: Padding

  /// Windows that step by one pixel unless stated, without padding and dilation.
  public init(kernel: Size, stride: Size = 1, dilation: Size = 1, padding: Padding = .valid) {
    (self.kernel, self.stride, self.dilation, self.padding) = (kernel, stride, dilation, padding)
  }
}

/// The inverse way (col2im): every pixel's channels, in the order channel, row, column, are a window
/// that is added to a larger image at the pixel's place. PyTorch's `Fold` takes the places in a row.
public struct Fold: Hashable, Sendable {
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// How far apart the elements of the window lie.
  public var dilation: Size
  /// What is cut from the full image of (n - 1) · stride + (kernel - 1) · dilation + 1 pixels: the
  /// padding of the unfolding. Negative at the bottom and right: rows and columns of zeros that no
  /// window reaches.
  public var padding: PaddingAmounts

  /// Windows that step by one pixel unless stated; the full image unless stated.
  public init(
    kernel: Size, stride: Size = 1, dilation: Size = 1, padding: PaddingAmounts = .none
  ) {
    (self.kernel, self.stride, self.dilation, self.padding) = (kernel, stride, dilation, padding)
  }
}

extension Unfold: SlidingWindow {}

extension Unfold: Operation {
  package static let names = ["unfold"]
  package var name: String { "unfold" }
  package var op: Op { .unfold(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      kernel: try a.size("kernel"), stride: try a.size("stride", default: 1),
      dilation: try a.size("dilation", default: 1), padding: try a.padding())
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("kernel", kernel.json, nil), ("stride", stride.json, 1), ("dilation", dilation.json, 1),
      ("padding", padding.json, 0))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("kernel", kernel)
    try check("stride", stride)
    try check("dilation", dilation)
    try check(padding)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    let size = try outputSize(input)
    return [input[0], input[1] * kernel.height * kernel.width, size.height, size.width]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField { field(axis) }
  package func resolvingPadding(_ input: [Int]) -> Unfold { resolved(input) }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Fold: TransposedWindow {}

extension Fold: Operation {
  package static let names = ["fold"]
  package var name: String { "fold" }
  package var op: Op { .fold(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      kernel: try a.size("kernel"), stride: try a.size("stride", default: 1),
      dilation: try a.size("dilation", default: 1),
      padding: try a.amounts("padding", default: PaddingAmounts.none))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("kernel", kernel.json, nil), ("stride", stride.json, 1), ("dilation", dilation.json, 1),
      ("padding", padding.json, 0))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) { try checkWindow(check) }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    let area = kernel.height * kernel.width
    guard input[1] % area == 0 else {
      throw .notDivisible("channels", value: input[1], by: area)
    }
    let size = try outputSize(input)
    return [input[0], input[1] / area, size.height, size.width]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField { field(axis) }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
