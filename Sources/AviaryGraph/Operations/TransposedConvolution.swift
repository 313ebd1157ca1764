/// The gradient of a convolution with respect to its input. Weight IOHW, bias O.
public struct TransposedConvolution: Hashable, Sendable {
  /// The number of output channels.
  public var outChannels: Int
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// How far apart the elements of the kernel lie.
  public var dilation: Size
  /// Into how many parts, each computed for itself, the channels are divided.
  public var groups: Int
  /// What is cut from the full output of (n - 1) · stride + (kernel - 1) · dilation + 1 pixels: the
  /// padding of the convolution that this is the gradient of, less `output_padding` at the bottom
  /// and right.
  /// Negative there: rows that no input reaches, which hold the bias.
  public var padding: PaddingAmounts
  /// Whether a learned number is added to each output channel.
  public var bias: Bool

  /// A transposed convolution; with the full output unless stated.
  public init(
    outChannels: Int, kernel: Size, stride: Size = 1, dilation: Size = 1, groups: Int = 1,
    padding: PaddingAmounts = .none, bias: Bool = true
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

extension TransposedConvolution: TransposedWindow {}

extension TransposedConvolution: Operation {
  package static let names = ["transposedConvolution"]
  package var name: String { "transposedConvolution" }
  package var op: Op { .transposedConvolution(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      outChannels: try a.int("outChannels", was: "filters"), kernel: try a.size("kernel"),
      stride: try a.size("stride", default: 1), dilation: try a.size("dilation", default: 1),
      groups: try a.int("groups", default: 1),
      padding: try a.amounts("padding", was: "crops", default: PaddingAmounts.none),
      bias: try a.bool("bias", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("outChannels", .int(outChannels), nil), ("kernel", kernel.json, nil),
      ("stride", stride.json, 1), ("dilation", dilation.json, 1),
      ("groups", .int(groups), 1), ("padding", padding.json, 0), ("bias", .bool(bias), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("outChannels", outChannels, AttributeCheck.channels)
    try check("groups", groups, AttributeCheck.channels)
    try checkWindow(check)
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

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    Self.elements(inputs[0]) * Double(outChannels / groups * kernel.height * kernel.width)
  }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    [
      ParameterSlot(
        suffix: "weight",
        shape: [inputs[0][1], outChannels / max(groups, 1), kernel.height, kernel.width])
    ] + ParameterSlot.bias(outChannels, if: bias)
  }

  package var parameterDimensions: [String] {
    ["input channels", "output channels", "kernel height", "kernel width"]
  }
}

extension PaddingAmounts {
  /// The padding of a transposed convolution as PyTorch states it.
  ///
  /// - Parameters:
  ///   - padding: rows and columns cut from every edge.
  ///   - outputPadding: rows and columns less cut at the bottom and right.
  public static func pytorch(padding: Int, outputPadding: Int = 0) -> PaddingAmounts {
    PaddingAmounts(before: padding, after: padding - outputPadding)
  }

  /// The padding of a transposed convolution with padding 'same' in Keras: the odd one at
  /// the bottom and right. A kernel smaller than the stride leaves rows to add, which is a negative
  /// amount at the bottom and right.
  public static func keras(kernel: Int, stride: Int) -> PaddingAmounts {
    let total = kernel - stride
    return total < 0
      ? PaddingAmounts(before: 0, after: total)
      : PaddingAmounts(before: total / 2, after: total - total / 2)
  }
}

extension Value {
  /// A transposed convolution.
  ///
  /// - Parameter padding: what is cut from the full output; where nothing is stated, what makes the
  ///   output `stride` times as large, the odd row cut at the top and left, as PyTorch's customary
  ///   `padding` and `output_padding` do (Keras cuts it at the bottom and right: `Edges.keras`).
  public func transposedConvolution(
    _ name: String, _ outChannels: Int, kernel: Size, stride: Size = 1, dilation: Size = 1,
    groups: Int = 1, padding: PaddingAmounts? = nil, bias: Bool = true, shared: Bool = false
  ) -> Value {
    func customary(_ axis: Axis) -> (before: Int, after: Int) {
      let total = (kernel[axis] &- 1) &* dilation[axis] &+ 1 &- stride[axis]
      return total < 0 ? (0, total) : (total - total / 2, total / 2)
    }
    let vertical = customary(.vertical), horizontal = customary(.horizontal)
    return builder.add(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: outChannels, kernel: kernel, stride: stride, dilation: dilation,
          groups: groups,
          padding: padding
            ?? PaddingAmounts(vertical.before, horizontal.before, vertical.after, horizontal.after),
          bias: bias)),
      layer: name, shared: shared, [self])
  }
}
