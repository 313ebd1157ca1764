import AviaryCheckpoint
import AviaryGraph

/// Layers with windows and weights.
extension ONNXWriter {
  mutating func convolution(
    _ c: Convolution, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    var inputs = [name(node.inputs[0])]
    for parameter in node.parameters { inputs.append(try self.parameter(parameter)) }
    emit(
      "Conv", node, inputs, value,
      [
        ("kernel_shape", .integers(list(c.kernel))), ("strides", .integers(list(c.stride))),
        ("dilations", .integers(list(c.dilation))), ("group", .integer(c.groups)),
        padding(c.padding, kernel: c.kernel, stride: c.stride, dilation: c.dilation),
      ])
  }

  mutating func transposedConvolution(
    _ c: TransposedConvolution, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    // Rows beyond the full output: as output padding below the stride, which is all that it may be;
    // more by zeros that make the kernel longer.
    let added = Size(max(-c.padding.bottom, 0), max(-c.padding.right, 0))
    let isPadding = added.height < c.stride.height && added.width < c.stride.width
    let steps: [TensorStep] = isPadding ? [] : [.padded([0, 0, added.height, added.width])]
    let kernel =
      isPadding
      ? c.kernel : Size(c.kernel.height + added.height, c.kernel.width + added.width)
    var inputs = [name(node.inputs[0]), try parameter(node.parameters[0], steps)]
    if c.bias { inputs.append(try parameter(node.parameters[1])) }
    var attributes: [(String, ONNXDraft.Attribute)] = [
      ("kernel_shape", .integers(list(kernel))), ("strides", .integers(list(c.stride))),
      ("group", .integer(c.groups)),
      (
        "pads",
        .integers([
          c.padding.top, c.padding.left, max(c.padding.bottom, 0), max(c.padding.right, 0),
        ])
      ),
    ]
    if isPadding, added != 0 {
      attributes.append(("output_padding", .integers(list(added))))
    }
    emit("ConvTranspose", node, inputs, value, attributes)
  }

  mutating func linear(
    _ bias: Bool, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let input = name(node.inputs[0])
    var parameters: [String] = []
    for parameter in node.parameters { parameters.append(try self.parameter(parameter)) }
    if shapes[node.inputs[0]].count == 2 {
      return emit("Gemm", node, [input] + parameters, value, [("transB", .integer(1))])
    }
    // The weights stay as they are; a runtime turns them once.
    let turned = step("Transpose", node, [parameters[0]], [("perm", .integers([1, 0]))])
    guard bias else { return emit("MatMul", node, [input, turned], value) }
    emit("Add", node, [step("MatMul", node, [input, turned]), parameters[1]], value)
  }

  mutating func batchNormalization(
    _ b: BatchNormalization, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let channels = shapes[node.inputs[0]][1]
    var left = node.parameters[...]
    func next(_ has: Bool, _ what: String, _ number: Double) throws(InterchangeError) -> String {
      guard has, let name = left.popFirst() else {
        return filled(node, what, number, count: channels)
      }
      return try parameter(name)
    }
    let weight = try next(b.scale, "weight", 1)
    let bias = try next(b.center, "bias", 0)
    let mean = try next(true, "mean", 0)
    let variance = try next(true, "variance", 1)
    // ONNX states what stays of the running statistics, PyTorch what comes in.
    emit(
      "BatchNormalization", node, [name(node.inputs[0]), weight, bias, mean, variance], value,
      [("epsilon", .float(b.epsilon)), ("momentum", .float(1 - b.momentum))])
  }

  mutating func resize(
    _ resize: Resize, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    var attributes: [(String, ONNXDraft.Attribute)] = []
    var ratio: Ratio?
    if case .factor(let factor) = resize.target { ratio = factor }
    let shrinks = ratio.map { $0.value < 1 } ?? true
    guard !resize.antialias || !shrinks || resize.kernel == .nearest else {
      throw refusal(
        node, "antialiasing leaves out what is beyond the edges, where ours repeats the edge")
    }
    // One pixel beyond the edge is the edge pixel by both rules.
    let reachesOne = resize.kernel == .nearest || resize.kernel == .linear && !shrinks
    guard resize.edge == .edge || reachesOne && resize.coordinates != .alignCorners else {
      throw refusal(node, "pixels mirrored at the edges")
    }
    switch resize.kernel {
    case .nearest: attributes.append(("mode", .text("nearest")))
    case .linear: attributes.append(("mode", .text("linear")))
    case .cubic(let a):
      attributes += [("mode", .text("cubic")), ("cubic_coeff_a", .float(a))]
    case .lanczos: throw refusal(node, "interpolation by Lanczos's function")
    }
    let rule: String
    switch resize.coordinates {
    case .halfPixel: rule = "half_pixel"
    case .alignCorners: rule = "align_corners"
    case .asymmetric: rule = "asymmetric"
    }
    attributes.append(("coordinate_transformation_mode", .text(rule)))
    if resize.kernel == .nearest {
      let isFloor = resize.coordinates == .asymmetric
      attributes.append(("nearest_mode", .text(isFloor ? "floor" : "round_prefer_ceil")))
    }
    let input = name(node.inputs[0])
    guard let ratio else {
      // The first two dimensions of the one, the last two of the other.
      let two = integers(node, "two", [2])
      let own = step(
        "Slice", node, [step("Shape", node, [input]), integers(node, "zero", [0]), two])
      let other = step(
        "Slice", node,
        [step("Shape", node, [name(node.inputs[1])]), two, integers(node, "four", [4])])
      let sizes = step("Concat", node, [own, other], [("axis", .integer(0))])
      return emit("Resize", node, [input, "", "", sizes], value, attributes)
    }
    let scales = unique("\(node.name)/scales")
    draftScales(scales, ratio)
    emit("Resize", node, [input, "", scales], value, attributes)
  }

  // MARK: - Attributes

  /// Whether the padding 'same' is another for other sizes.
  private func dependsOnSize(_ kernel: Size, _ stride: Size) -> Bool {
    Axis.allCases.contains { stride[$0] > 1 && kernel[$0] > 2 }
  }

  func list(_ size: Size) -> [Int] { [size.height, size.width] }

  /// A pool's window, stride and border.
  func window(
    _ pool: Pool, _ node: Graph.Node
  ) throws(InterchangeError) -> [(String, ONNXDraft.Attribute)] {
    // There ONNX Runtime finds negative padding, and stops.
    if pool.padding == .same, dependsOnSize(pool.kernel, pool.stride),
      Axis.allCases.contains(where: { pool.kernel[$0] < pool.stride[$0] })
    {
      throw refusal(node, "padding 'same' for windows smaller than their stride")
    }
    return [
      ("kernel_shape", .integers(list(pool.kernel))), ("strides", .integers(list(pool.stride))),
      padding(pool.padding, kernel: pool.kernel, stride: pool.stride, dilation: 1),
    ]
  }

  /// The padding: as numbers wherever it does not depend on the picture's size.
  private func padding(
    _ padding: Padding, kernel: Size, stride: Size, dilation: Size
  ) -> (String, ONNXDraft.Attribute) {
    if padding == .same, dependsOnSize(kernel, stride) {
      return ("auto_pad", .text("SAME_UPPER"))
    }
    // At stride 1 any size tells the padding, and a window of one pixel has none. One of two pixels
    // has one at the end; where the size leaves it none, no window reaches it.
    let amounts = padding.amounts(size: Size(1), kernel: kernel, stride: stride, dilation: dilation)
    return ("pads", .integers([amounts.top, amounts.left, amounts.bottom, amounts.right]))
  }
}
