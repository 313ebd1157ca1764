/// The gradient of a convolution with respect to its input. Weight IOHW, bias O.
public struct TransposedConvolution: Hashable, Sendable {
  /// The number of output channels.
  public var filters: Int
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// Into how many parts, each computed for itself, the channels are divided.
  public var groups: Int
  /// What is cut from the full output of (n - 1) · stride + kernel pixels. Negative at the bottom
  /// and right: rows that no input reaches, which hold the bias (PyTorch's `output_padding`).
  public var crops: Edges
  /// Whether a learned number is added to each output channel.
  public var bias: Bool

  /// A transposed convolution; with the full output unless stated.
  public init(
    filters: Int, kernel: Size, stride: Size = 1, groups: Int = 1, crops: Edges = .none,
    bias: Bool = true
  ) {
    self.filters = filters
    self.kernel = kernel
    self.stride = stride
    self.groups = groups
    self.crops = crops
    self.bias = bias
  }
}

extension TransposedConvolution: Operation {
  package static let names = ["transposedConvolution"]
  package var name: String { "transposedConvolution" }
  package var op: Op { .transposedConvolution(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      filters: try a.int("filters"), kernel: try a.size("kernel"),
      stride: try a.size("stride", default: 1), groups: try a.int("groups", default: 1),
      crops: try a.edges("crops", default: Edges.none), bias: try a.bool("bias", default: true))
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("filters", .int(filters), nil), ("kernel", kernel.json, nil), ("stride", stride.json, 1),
      ("groups", .int(groups), 1), ("crops", crops.json, 0), ("bias", .bool(bias), true))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("filters", filters, AttributeCheck.channels)
    try check("groups", groups, AttributeCheck.channels)
    try check("kernel", kernel)
    try check("stride", stride)
    try check("crops", crops, least: -GraphLimits.window)
    // At the top and left there is no way for PyTorch or Keras to add rows.
    try check("crops", min(crops.top, crops.left), 0...GraphLimits.window)
    try check.divides("filters", filters, groups)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectPicture(input)
    guard input[1] % groups == 0 else {
      throw .notDivisible("channels", value: input[1], by: groups)
    }
    let size = Axis.allCases.map { axis in
      (input[axis.dimension] - 1) * stride[axis] + kernel[axis] - crops.total(axis)
    }
    guard size.allSatisfy({ $0 > 0 }) else {
      throw .tooSmall(needed: "what the crops leave a pixel of", found: input)
    }
    return [input[0], filters, size[0], size[1]]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let step = stride[axis], crop = crops.before(axis), reach = kernel[axis]
    return .window(
      ReceptiveWindow(ratio: Ratio(step)) { input in
        let first = input.lowerBound * step - step + reach - crop
        // A kernel smaller than the stride reaches less far than the next input pixel.
        let start = max(first, input.lowerBound * step - crop)
        return start..<max(input.upperBound * step - crop, start)
      })
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    Self.elements(inputs[0]) * Double(filters / groups * kernel.height * kernel.width)
  }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    [
      ParameterSlot(
        suffix: "weight",
        shape: [inputs[0][1], filters / max(groups, 1), kernel.height, kernel.width])
    ] + ParameterSlot.bias(filters, if: bias)
  }

  package var parameterDimensions: [String] {
    ["input channels", "output channels", "kernel height", "kernel width"]
  }
}

extension Edges {
  /// The crops of a transposed convolution as PyTorch states them.
  ///
  /// - Parameters:
  ///   - padding: rows and columns cut from every edge.
  ///   - outputPadding: rows and columns less cut at the bottom and right.
  public static func pytorch(padding: Int, outputPadding: Int = 0) -> Edges {
    Edges(before: padding, after: padding - outputPadding)
  }

  /// The crops of a transposed convolution with padding 'same' as Keras makes them: the odd one at
  /// the bottom and right. A kernel smaller than the stride leaves rows to add, which is a negative
  /// crop at the bottom and right.
  public static func keras(kernel: Int, stride: Int) -> Edges {
    let total = kernel - stride
    return total < 0
      ? Edges(before: 0, after: total) : Edges(before: total / 2, after: total - total / 2)
  }
}

extension Value {
  /// A transposed convolution.
  ///
  /// - Parameter crops: what is cut from the full output; where nothing is stated, what makes the
  ///   output `stride` times as large, the odd row cut at the top and left, as PyTorch's customary
  ///   `padding` and `output_padding` do (Keras cuts it at the bottom and right: `Edges.keras`).
  public func transposedConvolution(
    _ name: String, _ filters: Int, kernel: Size, stride: Size = 1, groups: Int = 1,
    crops: Edges? = nil, bias: Bool = true, shared: Bool = false
  ) -> Value {
    func customary(_ axis: Axis) -> (before: Int, after: Int) {
      let total = kernel[axis] &- stride[axis]
      return total < 0 ? (0, total) : (total - total / 2, total / 2)
    }
    let vertical = customary(.vertical), horizontal = customary(.horizontal)
    return builder.add(
      .transposedConvolution(
        TransposedConvolution(
          filters: filters, kernel: kernel, stride: stride, groups: groups,
          crops: crops
            ?? Edges(vertical.before, horizontal.before, vertical.after, horizontal.after),
          bias: bias)),
      layer: name, shared: shared, [self])
  }
}
