import AviaryGraph

/// One node as an expression of Python's.
struct PyTorchOperation {
  let node: Graph.Node
  let graph: Graph
  let shapes: ExportShapes
  let members: PyTorchMembers
  /// How the node uses its parameters.
  let layer: PyTorchModule.Use?

  /// The expression; what stands in it as an operand comes from `forward`, and what it calls beyond
  /// PyTorch is noted there.
  func text(_ forward: inout PyTorchForward) -> String {
    let inputs = node.inputs.map { forward.operand($0) }
    let x = inputs[0]
    switch node.op {
    case .convolution(let c): return convolution(x, c, &forward)
    case .transposedConvolution(let c): return transposedConvolution(x, c)
    case .linear: return called(x) ?? "F.linear(\(x), \(parameters()))"
    case .batchNormalization(let b): return batchNormalization(x, b)
    case .prelu: return called(x) ?? "F.prelu(\(x), \(parameters()))"
    case .layerNormalization(let operation):
      return called(x)
        ?? "F.layer_norm(\(x), \(object(x)).shape[-\(operation.dimensions):], \(parameters()), eps=\(operation.epsilon))"
    case .groupNormalization(let operation):
      let list = parameterList()
      let weight = operation.scale ? list[0] : "None"
      let bias = operation.center ? list[list.count - 1] : "None"
      return called(x)
        ?? "F.group_norm(\(x), \(operation.groups), \(weight), \(bias), \(operation.epsilon))"
    case .maxPool(let operation): return maxPool(x, operation.window, &forward)
    case .averagePool(let operation):
      return averagePool(x, operation.window, operation.countsPadding, &forward)
    case .globalAveragePool: return "F.adaptive_avg_pool2d(\(x), 1)"
    case .activation(let activation): return activation.python(x, object(x))
    case .binary(.add): return "\(x) + \(term(inputs[1]))"
    case .binary(.subtract): return "\(x) - \(term(inputs[1]))"
    case .binary(.multiply): return "\(factor(x)) * \(factor(inputs[1]))"
    case .scale(let operation): return "\(factor(x)) * \(constant(operation.values, x))"
    case .offset(let operation): return "\(x) + \(constant(operation.values, x))"
    case .concatenate: return "torch.cat([\(inputs.joined(separator: ", "))], 1)"
    case .slice(let operation):
      return "\(object(x))[:, \(operation.start):\(operation.start + operation.count)]"
    case .pixelShuffle(let shuffle):
      switch shuffle.order {
      case .pytorch: return "F.pixel_shuffle(\(x), \(shuffle.factor))"
      case .tensorflow:
        forward.need(.depthToSpace)
        return "depth_to_space(\(x), \(shuffle.factor))"
      }
    case .pixelUnshuffle(let shuffle):
      switch shuffle.order {
      case .pytorch: return "F.pixel_unshuffle(\(x), \(shuffle.factor))"
      case .tensorflow:
        forward.need(.spaceToDepth)
        return "space_to_depth(\(x), \(shuffle.factor))"
      }
    case .resize(let resize):
      return resize.python(x, like: inputs.count > 1 ? inputs[1] : nil, &forward)
    case .pad(let operation): return pad(x, operation.amounts, operation.mode)
    case .crop(let operation): return "\(object(x))[\(Self.range(operation.amounts))]"
    case .dropout(let operation): return "F.dropout(\(x), \(operation.rate), self.training)"
    case .reduce(let reduction):
      let name =
        switch reduction.kind {
        case .mean: "mean"
        case .sum: "sum"
        case .maximum: "amax"
        }
      let keeps = reduction.keepsDimensions ? ", keepdim=True" : ""
      return "\(object(x)).\(name)(\(PythonText.tuple(reduction.dimensions))\(keeps))"
    case .matmul: return "torch.matmul(\(x), \(inputs[1]))"
    case .softmax(let operation): return "\(object(x)).softmax(\(operation.dimension))"
    case .reshape(let operation):
      let sizes = operation.shape.enumerated().map { $1 == 0 ? "\(x).shape[\($0)]" : "\($1)" }
      return "\(x).reshape(\(sizes.joined(separator: ", ")))"
    case .permute(let operation):
      return "\(object(x)).permute(\(operation.order.map(String.init).joined(separator: ", ")))"
    case .roll(let operation):
      return
        "\(object(x)).roll(\(PythonText.tuple(operation.shifts)), \(PythonText.tuple(operation.dimensions)))"
    case .expansion: preconditionFailure("graphs are expanded before they are written")
    }
  }

  // MARK: Layers

  /// The call of the layer; nil where a function is called instead.
  private func called(_ x: String) -> String? {
    guard case .layer(let path, _)? = layer else { return nil }
    return "\(members.access(path))(\(x))"
  }

  /// The paths of the parameters, or of a layer's own.
  private func parameterList() -> [String] {
    switch layer {
    case .function(let paths)?: paths.map { members.access($0) }
    case .layer(let path, _)?: node.op.slotSuffixes.map { members.access(path) + ".\($0)" }
    case nil: []
    }
  }

  private func parameters() -> String { parameterList().joined(separator: ", ") }

  private func convolution(
    _ x: String, _ c: Convolution, _ forward: inout PyTorchForward
  ) -> String {
    let padding = PyTorchPadding(c)
    let padded = padded(
      x, padding, kernel: c.kernel, stride: c.stride, dilation: c.dilation, &forward)
    if let call = called(padded) { return call }
    var arguments = [padded] + parameterList() + (c.bias ? [] : ["None"])
    arguments.append("\(PythonText.pair(c.stride.height, c.stride.width))")
    if case .symmetric(let size) = padding {
      arguments.append(PythonText.pair(size.height, size.width))
    } else {
      arguments.append("0")
    }
    arguments.append("\(PythonText.pair(c.dilation.height, c.dilation.width))")
    return "F.conv2d(\(arguments.joined(separator: ", ")), \(c.groups))"
  }

  private func transposedConvolution(_ x: String, _ c: TransposedConvolution) -> String {
    if c.pytorchPadding != nil, let call = called(x) { return call }
    let list = parameterList()
    let stride = PythonText.pair(c.stride.height, c.stride.width)
    if let known = c.pytorchPadding {
      let padding = PythonText.pair(known.padding.height, known.padding.width)
      let output = PythonText.pair(known.output.height, known.output.width)
      return "F.conv_transpose2d(\(x), \(list[0]), \(c.bias ? list[1] : "None"), \(stride), "
        + "\(padding), \(output), \(c.groups))"
    }
    // The full output cut by hand, or continued by zeros; the bias comes after, as it reaches those.
    let full = "F.conv_transpose2d(\(x), \(list[0]), None, \(stride), 0, 0, \(c.groups))"
    let amounts = c.padding
    let cut =
      "F.pad(\(full), (\(-amounts.left), \(-amounts.right), \(-amounts.top), \(-amounts.bottom)))"
    return c.bias ? "\(cut) + \(list[1]).view(-1, 1, 1)" : cut
  }

  private func batchNormalization(_ x: String, _ b: BatchNormalization) -> String {
    if let call = called(x) { return call }
    var list = parameterList()[...]
    let weight = b.scale ? list.removeFirst() : "None"
    let bias = b.center ? list.removeFirst() : "None"
    let statistics = list.prefix(2).joined(separator: ", ")
    return "F.batch_norm(\(x), \(statistics), \(weight), \(bias), eps=\(b.epsilon))"
  }

  // MARK: Windows

  private func padded(
    _ x: String, _ padding: PyTorchPadding, kernel: Size, stride: Size, dilation: Size = 1,
    value: String? = nil, _ forward: inout PyTorchForward
  ) -> String {
    let value = value.map { ", value=\($0)" } ?? ""
    switch padding {
    case .symmetric: return x
    case .explicit(let amounts): return "F.pad(\(x), \(Self.order(amounts))\(value))"
    case .same:
      forward.need(.same)
      let sizes = [kernel, stride] + (dilation == 1 ? [] : [dilation])
      let list = sizes.map { "(\($0.height), \($0.width))" }.joined(separator: ", ")
      return "same(\(x), \(list)\(value))"
    }
  }

  /// Kernel and stride as pooling functions take them.
  private func window(_ pool: Pool) -> String {
    let kernel = PythonText.pair(pool.kernel.height, pool.kernel.width)
    return pool.stride == pool.kernel
      ? kernel : "\(kernel), \(PythonText.pair(pool.stride.height, pool.stride.width))"
  }

  /// The padding where the function does it; it takes no more than half the kernel.
  private func padding(_ pool: Pool) -> PyTorchPadding {
    let padding = PyTorchPadding(pool.padding, kernel: pool.kernel, stride: pool.stride)
    guard case .symmetric(let size) = padding,
      size.height * 2 > pool.kernel.height || size.width * 2 > pool.kernel.width
    else { return padding }
    return .explicit(PaddingAmounts(size.height, size.width, size.height, size.width))
  }

  private func maxPool(_ x: String, _ pool: Pool, _ forward: inout PyTorchForward) -> String {
    let padding = padding(pool)
    let input = padded(
      x, padding, kernel: pool.kernel, stride: pool.stride, value: "float(\"-inf\")", &forward)
    guard case .symmetric(let size) = padding, size != 0 else {
      return "F.max_pool2d(\(input), \(window(pool)))"
    }
    let sizes = PythonText.pair(size.height, size.width)
    return "F.max_pool2d(\(input), \(window(pool)), padding=\(sizes))"
  }

  private func averagePool(
    _ x: String, _ pool: Pool, _ countsPadding: Bool, _ forward: inout PyTorchForward
  ) -> String {
    let padding = padding(pool)
    if case .symmetric(let size) = padding {
      if size == 0 { return "F.avg_pool2d(\(x), \(window(pool)))" }
      let sizes = PythonText.pair(size.height, size.width)
      let counts = countsPadding ? "" : ", count_include_pad=False"
      return "F.avg_pool2d(\(x), \(window(pool)), padding=\(sizes)\(counts))"
    }
    func mean(_ x: String, _ forward: inout PyTorchForward) -> String {
      let input = padded(x, padding, kernel: pool.kernel, stride: pool.stride, &forward)
      return "F.avg_pool2d(\(input), \(window(pool)))"
    }
    let sum = mean(x, &forward)
    // The mean over the picture's part of each window.
    return countsPadding ? sum : "\(sum) / \(mean("torch.ones_like(\(x))", &forward))"
  }

  private func pad(_ x: String, _ amounts: PaddingAmounts, _ mode: PadMode) -> String {
    let name =
      switch mode {
      case .zero: ""
      case .reflect: ", mode=\"reflect\""
      case .edge: ", mode=\"replicate\""
      }
    return "F.pad(\(x), \(Self.order(amounts))\(name))"
  }

  // MARK: Text

  /// Edges in PyTorch's order: the last dimension first.
  private static func order(_ amounts: PaddingAmounts) -> String {
    PythonText.tuple([amounts.left, amounts.right, amounts.top, amounts.bottom])
  }

  /// What is left of a picture without its edges.
  private static func range(_ amounts: PaddingAmounts) -> String {
    let parts = Axis.allCases.map { axis in
      let before = amounts.before(axis), after = amounts.after(axis)
      return (before == 0 ? "" : "\(before)") + ":" + (after == 0 ? "" : "-\(after)")
    }
    return ":, :, " + parts.joined(separator: ", ")
  }

  /// One number, or one a channel for a value of the input's rank.
  private func constant(_ values: [Double], _ x: String) -> String {
    if values.count == 1 { return values[0] < 0 ? "(\(values[0]))" : "\(values[0])" }
    let ones = String(repeating: ", 1", count: max(shapes.rank(node.inputs[0]) - 2, 0))
    return "\(object(x)).new_tensor(\(values)).view(-1\(ones))"
  }

  /// An expression of which a method or an index can be taken.
  private func object(_ text: String) -> String { Self.isWhole(text) ? text : "(\(text))" }
  private func factor(_ text: String) -> String { object(text) }
  private func term(_ text: String) -> String { object(text) }

  /// Whether no operator stands outside brackets.
  private static func isWhole(_ text: String) -> Bool {
    var depth = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
      // Operators have spaces about them.
      case UInt8(ascii: " ") where depth == 0: return false
      default: break
      }
    }
    return true
  }
}
