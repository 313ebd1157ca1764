/// A convolution whose kernel is a value that the network calculates, for each image its own or one
/// for all (Jia et al., "Dynamic Filter Networks", 2016).
///
/// Takes the image, the kernel, [images, O, I, height, width] or OIHW, and perhaps a bias,
/// [images, O] or [O] as the kernel. I is the number of channels of a group.
public struct DynamicConvolution: Hashable, Sendable {
  /// How far the window steps.
  public var stride: Size
  /// How far apart the elements of the kernel lie.
  public var dilation: Size
  /// Into how many parts, each convolved for itself, the channels are divided.
  public var groups: Int
  /// How the image is padded.
  public var padding: Padding

  /// A convolution; without padding, stride, dilation and groups unless stated.
  public init(
    stride: Size = 1, dilation: Size = 1, groups: Int = 1, padding: Padding = .valid
  ) {
    (self.stride, self.dilation) = (stride, dilation)
    (self.groups, self.padding) = (groups, padding)
  }
}

extension DynamicConvolution: Operation {
  package static let names = ["dynamicConvolution"]
  package var name: String { "dynamicConvolution" }
  package var op: Op { .dynamicConvolution(self) }
  package var inputCount: ClosedRange<Int> { 2...3 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      stride: try a.size("stride", default: 1), dilation: try a.size("dilation", default: 1),
      groups: try a.int("groups", default: 1), padding: try a.padding())
  }

  package var attributes: [String: JSON] {
    Attributes.members(
      ("stride", stride.json, 1), ("dilation", dilation.json, 1), ("groups", .int(groups), 1),
      ("padding", padding.json, 0))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("stride", stride)
    try check("dilation", dilation)
    try check("groups", groups, AttributeCheck.channels)
    try check(padding)
  }

  /// The convolution that this is of an image, with this kernel's number of channels and size.
  ///
  /// - Parameter kernel: the shape of the kernel.
  package func convolution(_ kernel: [Int]) -> Convolution {
    let shape = Array(kernel.suffix(4))
    return Convolution(
      outChannels: shape[0], kernel: Size(shape[2], shape[3]), stride: stride, dilation: dilation,
      groups: groups, padding: padding, bias: false)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let (image, kernel) = (inputs[0], inputs[1])
    try Self.expectImage(image)
    guard (4...5).contains(kernel.count) else {
      throw .rank(expected: "a kernel OIHW, or one for each image", found: kernel)
    }
    guard kernel.count == 4 || kernel[0] == image[0] else { throw .mismatch(image, kernel) }
    guard kernel.suffix(2).allSatisfy((1...GraphLimits.window).contains) else {
      throw .rank(expected: "a kernel of 1 to \(GraphLimits.window) pixels a side", found: kernel)
    }
    let convolution = convolution(kernel)
    guard convolution.outChannels > 0, convolution.outChannels % groups == 0 else {
      throw .notDivisible("the kernel's out channels", value: convolution.outChannels, by: groups)
    }
    let shape = try convolution.outputShape([image])
    guard kernel[kernel.count - 3] == image[1] / groups else {
      throw .channels(
        expected: "a kernel for \(image[1] / groups)", found: kernel[kernel.count - 3])
    }
    if inputs.count > 2 {
      let bias = kernel.count == 4 ? [shape[1]] : [image[0], shape[1]]
      guard inputs[2] == bias else { throw .mismatch(bias, inputs[2]) }
    }
    return shape
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(
      reason: "the kernel of \(name) may depend on the whole image",
      size: .input(0, times: Ratio(1, stride[axis])))
  }

  /// Unresolved padding 'same' needs the kernel's size, which is an input's: it stays as it is, and
  /// the whole image counts anyway.
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    Self.elements(output) * Self.elements(inputs[1].suffix(3))
  }
}
