import AviaryGraph

extension ONNXReader {
  mutating func pool() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard node.integers("kernel_shape") != nil else { throw unsupported("expected a kernel_shape") }
    let kernel = try size("kernel_shape")
    let stride = try size("strides")
    guard try size("dilations") == 1 else { throw unsupported("expected dilations of 1") }
    var padding = try padding(kernel: kernel, stride: stride, dilation: 1)
    let countsPadding = node.integer("count_include_pad") ?? 0 != 0
    let roundsUp = node.integer("ceil_mode") ?? 0 != 0
    if roundsUp, padding != .same {
      // Which windows count that begin in the padding at the end was not said from the beginning.
      guard Axis.allCases.allSatisfy({ isCeilingPlain(padding, kernel, stride, $0) }) else {
        throw unsupported("ceil_mode with windows that may begin behind the image")
      }
    }
    // By twos without padding it is 'same', whose padding is all at the end.
    let isSame = roundsUp && kernel == 2 && stride == 2 && padding == .valid && !countsPadding
    if isSame { padding = .same }
    let pool = Pool(
      kernel: kernel, stride: stride, padding: padding,
      roundsUp: roundsUp && padding != .same)
    return .value(
      try add(
        node.kind == "MaxPool"
          ? .maxPool(MaxPool(pool)) : .averagePool(AveragePool(pool, countsPadding: countsPadding)),
        [input]))
  }
}

extension ONNXReader {
  /// Whether no window begins behind the image, however sizes are rounded.
  private func isCeilingPlain(
    _ padding: Padding, _ kernel: Size, _ stride: Size, _ axis: Axis
  ) -> Bool {
    guard case .explicit(let amounts) = padding else { return true }
    return amounts.after(axis) + stride[axis] <= kernel[axis]
  }
}

extension ONNXWriter {
  /// A mean. Where sizes are rounded up, what padding counts is padded before: runtimes differ in
  /// what they count beyond it.
  mutating func averagePool(
    _ pool: AveragePool, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    var (window, input) = (pool.window, name(node.inputs[0]))
    if window.roundsUp, pool.countsPadding, case .explicit(let edges) = window.padding,
      edges != .none
    {
      let pads = integers(
        node, "pads", [0, 0, edges.top, edges.left, 0, 0, edges.bottom, edges.right])
      input = step("Pad", node, [input, pads], [("mode", .text("constant"))])
      // Only windows that begin before the end of the image count.
      guard
        Axis.allCases.allSatisfy({
          edges.after($0) + window.stride[$0] <= window.kernel[$0]
        })
      else { throw refusal(node, "sizes rounded up, with windows that may begin behind the image") }
      window.padding = .valid
    }
    let counts = pool.countsPadding && !window.roundsUp
    emit(
      "AveragePool", node, [input], value,
      try self.window(window, node) + [("count_include_pad", .integer(counts ? 1 : 0))])
  }

  /// A pool's window, stride and border.
  func window(
    _ pool: Pool, _ node: Graph.Node
  ) throws(InterchangeError) -> [(String, ONNXModelBuilder.Attribute)] {
    // There ONNX Runtime finds negative padding, and stops.
    if pool.padding.dependsOnSize(kernel: pool.kernel, stride: pool.stride),
      Axis.allCases.contains(where: { pool.kernel[$0] < pool.stride[$0] })
    {
      throw refusal(node, "padding 'same' for windows smaller than their stride")
    }
    if pool.roundsUp, case .explicit(let edges) = pool.padding,
      Axis.allCases.contains(where: { edges.after($0) + pool.stride[$0] > pool.kernel[$0] })
    {
      throw refusal(node, "sizes rounded up, with windows that may begin behind the image")
    }
    return [
      ("kernel_shape", .integers(list(pool.kernel))), ("strides", .integers(list(pool.stride))),
      padding(pool.padding, kernel: pool.kernel, stride: pool.stride, dilation: 1),
    ] + (pool.roundsUp ? [("ceil_mode", .integer(1))] : [])
  }
}
