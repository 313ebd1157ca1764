/// Cross-correlation, as every framework means by convolution. Weight OIHW, bias O.
public struct Convolution: Hashable, Sendable {
  /// The number of output channels.
  public var outChannels: Int
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// How far apart the elements of the kernel lie.
  public var dilation: Size
  /// Into how many parts, each convolved for itself, the channels are divided.
  public var groups: Int
  /// How the image is padded.
  public var padding: Padding
  /// Whether a learned number is added to each output channel.
  public var bias: Bool

  /// A convolution; without padding, stride, dilation and groups unless stated.
  public init(
    outChannels: Int, kernel: Size, stride: Size = 1, dilation: Size = 1, groups: Int = 1,
    padding: Padding = .valid, bias: Bool = true
  ) {
    self.outChannels = outChannels
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.groups = groups
    self.padding = padding
    self.bias = bias
  }
}

extension Convolution: SlidingWindow {}

extension Convolution: Operation {
  package static let names = ["convolution"]
  package var name: String { "convolution" }
  package var op: Op { .convolution(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      outChannels: try a.int("outChannels", was: "filters"), kernel: try a.size("kernel"),
      stride: try a.size("stride", default: 1), dilation: try a.size("dilation", default: 1),
      groups: try a.int("groups", default: 1), padding: try a.padding(),
      bias: try a.bool("bias", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("outChannels", .int(outChannels), nil), ("kernel", kernel.json, nil),
      ("stride", stride.json, 1),
      ("dilation", dilation.json, 1), ("groups", .int(groups), 1), ("padding", padding.json, 0),
      ("bias", .bool(bias), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("outChannels", outChannels, AttributeCheck.channels)
    try check("groups", groups, AttributeCheck.channels)
    try check("kernel", kernel)
    try check("stride", stride)
    try check("dilation", dilation)
    try check(padding)
    try check.divides("outChannels", outChannels, groups)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    guard input[1] % groups == 0 else {
      throw .notDivisible("channels", value: input[1], by: groups)
    }
    let size = try outputSize(input)
    return [input[0], outChannels, size.height, size.width]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField { field(axis) }
  package func resolvingPadding(_ input: [Int]) -> Convolution { resolved(input) }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    Self.elements(output) * Double(inputs[0][1] / groups * kernel.height * kernel.width)
  }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    [
      ParameterSlot(
        suffix: "weight",
        shape: [outChannels, inputs[0][1] / max(groups, 1), kernel.height, kernel.width])
    ] + ParameterSlot.bias(outChannels, if: bias)
  }

  package var parameterDimensions: [String] {
    ["output channels", "input channels", "kernel height", "kernel width"]
  }

  /// Without a stride, 'same' is the same number of pixels at every size.
  package var normalised: Convolution {
    guard case .same = padding, stride == 1 else { return self }
    return resolved([1, 1, 1 << 10, 1 << 10])
  }
}

extension Value {
  /// A convolution.
  ///
  /// - Parameters:
  ///   - padding: half the kernel on every edge where nothing is stated, which keeps
  ///     the size at stride 1 (PyTorch's `padding=k//2`). An even kernel has no half and wants one.
  ///   - shared: whether the parameters of an earlier layer of this name serve again.
  public func convolution(
    _ name: String, _ outChannels: Int, kernel: Size, stride: Size = 1, dilation: Size = 1,
    groups: Int = 1, padding: Padding? = nil, bias: Bool = true, shared: Bool = false
  ) -> Value {
    if padding == nil, kernel.height % 2 == 0 || kernel.width % 2 == 0 {
      builder.fail(
        .attribute(
          node: name, "padding", expected: "a stated padding for an even kernel", found: "nothing"))
    }
    let half = [kernel.height / 2 &* dilation.height, kernel.width / 2 &* dilation.width]
    return builder.add(
      .convolution(
        Convolution(
          outChannels: outChannels, kernel: kernel, stride: stride, dilation: dilation,
          groups: groups,
          padding: padding ?? .explicit(PaddingAmounts(half[0], half[1], half[0], half[1])),
          bias: bias)),
      layer: name, shared: shared, [self])
  }
}
