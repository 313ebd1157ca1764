/// The window of a pooling operation.
public struct Pool: Hashable, Sendable {
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// How the image is padded.
  public var padding: Padding
  /// Whether a last window that reaches over the end counts, if it begins in the image or in the
  /// padding before it: PyTorch's `ceil_mode`.
  public var roundsUp: Bool

  /// A window that steps by its own size unless stated, without padding, and only where it fits.
  public init(
    kernel: Size, stride: Size? = nil, padding: Padding = .valid, roundsUp: Bool = false
  ) {
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.padding = padding
    self.roundsUp = roundsUp
  }
}

/// The largest value of each window; padding never wins.
public struct MaxPool: Hashable, Sendable {
  /// The window.
  public var window: Pool

  /// Maximum pooling over this window.
  public init(_ window: Pool) { self.window = window }
}

/// The mean of each window.
public struct AveragePool: Hashable, Sendable {
  /// The window.
  public var window: Pool
  /// Whether the mean is taken over the padding too.
  public var countsPadding: Bool

  /// Average pooling over this window.
  public init(_ window: Pool, countsPadding: Bool) {
    (self.window, self.countsPadding) = (window, countsPadding)
  }
}

/// The mean of each channel, as an image of one pixel.
package struct GlobalAveragePool: Hashable, Sendable {
  package init() {}
}

extension Pool: SlidingWindow {
  var dilation: Size { 1 }

  /// The padding for an image of this size, with what the last window reaches over the end.
  package func amounts(_ size: Size) -> PaddingAmounts {
    var amounts = padding.amounts(size: size, kernel: kernel, stride: stride)
    guard roundsUp else { return amounts }
    amounts.bottom = after(.vertical)
    amounts.right = after(.horizontal)
    return amounts

    func after(_ axis: Axis) -> Int {
      let (kernel, stride) = (kernel[axis], stride[axis])
      let (size, before) = (size[axis], amounts.before(axis))
      let beyond = size + amounts.total(axis) - kernel
      var last = beyond.dividedRoundingUp(by: stride) * stride
      if last >= size + before { last -= stride }
      return max(amounts.after(axis), last + kernel - size - before)
    }
  }
}

extension Pool {
  fileprivate var attributes: [String: JSON] {
    Attributes.members(
      ("kernel", kernel.json, nil), ("stride", stride.json, kernel.json),
      ("padding", padding.json, 0), ("roundsUp", .bool(roundsUp), false))
  }

  /// The stride defaults to the kernel's size.
  fileprivate init(_ a: inout Attributes) throws(GraphError) {
    let kernel = try a.size("kernel")
    self.init(
      kernel: kernel, stride: try a.size("stride", default: kernel), padding: try a.padding(),
      roundsUp: try a.bool("roundsUp", default: false))
  }

  fileprivate func check(_ check: AttributeCheck) throws(GraphError) {
    try check("kernel", kernel)
    try check("stride", stride)
    try check(padding)
    guard !roundsUp || padding != .same else {
      throw .attribute(
        node: check.node, "roundsUp",
        expected: "false with padding 'same', which rounds up by itself",
        found: "true")
    }
    // A window that lies wholly in the padding has no largest value and no mean.
    guard case .explicit(let amounts) = padding else { return }
    for axis in Axis.allCases {
      let largest = max(amounts.before(axis), amounts.after(axis))
      try check("padding", largest, 0...(kernel[axis] - 1))
      // Frameworks agree on windows that begin behind the image only where PyTorch pads by itself.
      let isPyTorchs =
        amounts.before(axis) == amounts.after(axis) && 2 * amounts.before(axis) <= kernel[axis]
      guard !roundsUp || isPyTorchs || amounts.after(axis) + stride[axis] <= kernel[axis] else {
        throw .attribute(
          node: check.node, "padding",
          expected: "the same on both sides, at most half the kernel, as sizes are rounded up",
          found: amounts.json.text)
      }
    }
  }

  fileprivate func outputShape(_ input: [Int]) throws(ShapeProblem) -> [Int] {
    try MaxPool.expectImage(input)
    let size = try outputSize(input)
    return [input[0], input[1], size.height, size.width]
  }
}

extension MaxPool: Operation {
  package static let names = ["maxPool"]
  package var name: String { "maxPool" }
  package var op: Op { .maxPool(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try Pool(&a))
  }
  package var attributes: [String: JSON] { window.attributes }

  package func check(_ check: AttributeCheck) throws(GraphError) { try window.check(check) }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try window.outputShape(inputs[0])
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { window.field(axis) }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
  package func resolvingPadding(_ input: [Int]) -> MaxPool { MaxPool(window.resolved(input)) }
}

extension AveragePool: Operation {
  package static let names = ["averagePool"]
  package var name: String { "averagePool" }
  package var op: Op { .averagePool(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try Pool(&a), countsPadding: try a.bool("countsPadding"))
  }
  package var attributes: [String: JSON] {
    window.attributes.merging(["countsPadding": .bool(countsPadding)]) { $1 }
  }

  package func check(_ check: AttributeCheck) throws(GraphError) { try window.check(check) }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try window.outputShape(inputs[0])
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { window.field(axis) }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
  package func resolvingPadding(_ input: [Int]) -> AveragePool {
    AveragePool(window.resolved(input), countsPadding: countsPadding)
  }
}

extension GlobalAveragePool: Operation {
  package static let names = ["globalAveragePool"]
  package var name: String { "globalAveragePool" }
  package var op: Op { .globalAveragePool }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {}
  package var attributes: [String: JSON] { [:] }

  package func check(_ check: AttributeCheck) throws(GraphError) {}
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.expectImage(inputs[0])
    return [inputs[0][0], inputs[0][1], 1, 1]
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "global average pooling takes the whole image", size: .unrelated)
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension Value {
  /// The largest value of each window, which steps by its own size unless stated.
  public func maxPool(_ kernel: Size, stride: Size? = nil, padding: Padding = .valid) -> Value {
    applying(.maxPool(MaxPool(Pool(kernel: kernel, stride: stride, padding: padding))))
  }
}
