import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension KerasBuilder {
  // MARK: Convolutions

  mutating func convolution(
    _ x: PlacedValue, _ c: Convolution, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    guard c.stride == 1 || c.dilation == 1 else {
      throw refusal(node.name, "Keras has no convolution with a stride and a dilation")
    }
    let channels = x.place.shape[3] ?? 1
    let isDepthwise = c.groups > 1 && c.groups == channels && c.stride.height == c.stride.width
    let (input, padding, zeros) = window(x, c, node.name)
    let kernel = Size(
      c.kernel.height + zeros.total(.vertical), c.kernel.width + zeros.total(.horizontal))
    var steps: [TensorStep] = zeros == .none ? [] : [.padded([zeros])]
    var config: [String: JSON] = [
      "kernel_size": [.int(kernel.height), .int(kernel.width)],
      "strides": [.int(c.stride.height), .int(c.stride.width)], "padding": .string(padding),
      "dilation_rate": [.int(c.dilation.height), .int(c.dilation.width)],
      "use_bias": .bool(c.bias),
    ]
    let shape: [Int]
    if isDepthwise {
      let multiplier = c.outChannels / channels
      config["depth_multiplier"] = .int(multiplier)
      shape = [kernel.height, kernel.width, channels, multiplier]
      steps.append(
        .reshaped(
          from: [c.outChannels, 1, kernel.height, kernel.width],
          to: [channels, multiplier, kernel.height, kernel.width]))
      steps.append(.permuted([2, 3, 0, 1]))
    } else {
      config["filters"] = .int(c.outChannels)
      config["groups"] = .int(c.groups)
      shape = [kernel.height, kernel.width, channels / c.groups, c.outChannels]
      steps.append(.permuted([2, 3, 1, 0]))
    }
    return add(
      isDepthwise ? "DepthwiseConv2D" : "Conv2D", node.name, config, [input],
      shape: [nil, nil, nil, c.outChannels],
      variables: weights(
        isDepthwise ? "depthwise_kernel" : "kernel", shape, steps, bias: c.outChannels, node))
  }

  mutating func transposedConvolution(
    _ x: PlacedValue, _ c: TransposedConvolution, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    guard c.groups == 1 else {
      throw refusal(node.name, "Keras has no transposed convolution in groups")
    }
    let channels = x.place.shape[3] ?? 1
    // As Keras cuts it by itself, with zeros about the kernel where that is wanted.
    var zeros = PaddingAmounts.none
    var isSame = true
    for axis in Axis.allCases {
      let found = KerasBorder.transposedZeros(
        kernel: c.kernel[axis], stride: c.stride[axis], before: c.padding.before(axis),
        after: c.padding.after(axis))
      guard let found, borders == .kernels || found == (0, 0) else {
        isSame = false
        break
      }
      zeros.set(axis, before: found.front, after: found.behind)
    }
    var padding = PaddingAmounts.none
    if !isSame {
      // The full output; rows beyond it are reached by a longer kernel.
      zeros = PaddingAmounts(0, 0, max(-c.padding.bottom, 0), max(-c.padding.right, 0))
      padding = PaddingAmounts(
        c.padding.top, c.padding.left, max(c.padding.bottom, 0), max(c.padding.right, 0))
    }
    let kernel = Size(
      c.kernel.height + zeros.total(.vertical), c.kernel.width + zeros.total(.horizontal))
    let result = add(
      "Conv2DTranspose", node.name,
      [
        "filters": .int(c.outChannels), "kernel_size": [.int(kernel.height), .int(kernel.width)],
        "strides": [.int(c.stride.height), .int(c.stride.width)],
        "padding": isSame ? "same" : "valid", "use_bias": .bool(c.bias),
      ], [x], shape: [nil, nil, nil, c.outChannels],
      variables: weights(
        "kernel", [kernel.height, kernel.width, c.outChannels, channels],
        (zeros == .none ? [] : [.padded([zeros])]) + [.permuted([2, 3, 1, 0])], bias: c.outChannels,
        node))
    // Keras's 'valid' output of a kernel shorter than its stride is continued to whole strides.
    for axis in Axis.allCases where !isSame {
      let more = max(c.stride[axis] - kernel[axis], 0)
      padding.set(axis, before: padding.before(axis), after: padding.after(axis) + more)
    }
    return cropped(result, padding, node.name)
  }

  private func weights(
    _ name: String, _ shape: [Int], _ steps: [TensorStep], bias: Int, _ node: Graph.Node
  ) -> [KerasModel.Variable] {
    var variables = [
      KerasModel.Variable(
        name: name, shape: shape, content: .parameter(node.parameters[0], steps))
    ]
    if node.parameters.count > 1 {
      variables.append(
        KerasModel.Variable(
          name: "bias", shape: [bias], content: .parameter(node.parameters[1], [])))
    }
    return variables
  }

  /// What a convolution takes, its padding in Keras's words, and the zeros about its kernel.
  private mutating func window(
    _ x: PlacedValue, _ c: Convolution, _ name: String
  ) -> (input: PlacedValue, padding: String, zeros: PaddingAmounts) {
    guard case .explicit(let amounts) = c.padding else { return (x, "same", .none) }
    if amounts == .none { return (x, "valid", .none) }
    var zeros = PaddingAmounts.none
    for axis in Axis.allCases {
      let padding = KerasBorder(
        reach: (c.kernel[axis] - 1) * c.dilation[axis] + 1, stride: c.stride[axis],
        before: amounts.before(axis), after: amounts.after(axis))
      // Zeros cannot lie between the elements of a dilated kernel and beyond it as well.
      let found = c.dilation == 1 && borders == .kernels ? padding.kernelZeros : nil
      guard let found = found ?? (padding.isSame ? (0, 0) : nil) else {
        return (padded(x, amounts, "\(name).padding"), "valid", .none)
      }
      zeros.set(axis, before: found.front, after: found.behind)
    }
    return (x, "same", zeros)
  }

  // MARK: Edges

  mutating func padded(_ x: PlacedValue, _ amounts: PaddingAmounts, _ name: String) -> PlacedValue {
    if amounts == .none { return x }
    return add(
      "ZeroPadding2D", name, ["padding": amounts.keras], [x],
      shape: [nil, nil, nil, x.place.shape[3]])
  }

  mutating func cropped(_ x: PlacedValue, _ amounts: PaddingAmounts, _ name: String) -> PlacedValue
  {
    if amounts == .none { return x }
    return add(
      "Cropping2D", "\(name).crop", ["cropping": amounts.keras], [x],
      shape: [nil, nil, nil, x.place.shape[3]])
  }

  // MARK: Pooling

  mutating func maxPool(
    _ x: PlacedValue, _ pool: Pool, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    try pooled(x, "MaxPooling2D", pool, name)
  }

  mutating func averagePool(
    _ x: PlacedValue, _ pool: Pool, countsPadding: Bool, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard countsPadding, pool.padding != .valid else {
      return try pooled(x, "AveragePooling2D", pool, name)
    }
    if case .explicit(let amounts) = pool.padding {
      let input = padded(x, amounts, "\(name).padding")
      return pooling(input, "AveragePooling2D", pool.kernel, pool.stride, "valid", name)
    }
    // The rule's padding is counted by a convolution that knows no padding from a picture.
    guard pool.stride.height == pool.stride.width else {
      throw refusal(name, "Keras has no convolution of each channel with two strides")
    }
    let channels = x.place.shape[3] ?? 1
    let area = pool.kernel.height * pool.kernel.width
    guard Double(area) * Double(channels) <= Double(Self.kernelLimit) else {
      throw refusal(
        name,
        "a constant kernel of at most \(Self.kernelLimit) elements expected, "
          + "\(pool.kernel.height) x \(pool.kernel.width) x \(channels) found")
    }
    let shape = [pool.kernel.height, pool.kernel.width, channels, 1]
    let part = Array(repeating: 1 / Float(area), count: area * channels)
    return add(
      "DepthwiseConv2D", name,
      [
        "kernel_size": [.int(pool.kernel.height), .int(pool.kernel.width)],
        "strides": [.int(pool.stride.height), .int(pool.stride.width)], "padding": "same",
        "use_bias": false,
      ], [x], shape: [nil, nil, nil, channels],
      variables: [
        KerasModel.Variable(
          name: "depthwise_kernel", shape: shape,
          content: .constant(try constant(shape, part, name)))
      ])
  }

  /// Pooling that leaves the padding out.
  private mutating func pooled(
    _ x: PlacedValue, _ className: String, _ pool: Pool, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard case .explicit(let amounts) = pool.padding else {
      return pooling(x, className, pool.kernel, pool.stride, "same", name)
    }
    if amounts == .none { return pooling(x, className, pool.kernel, pool.stride, "valid", name) }
    let isSame = Axis.allCases.allSatisfy { axis in
      KerasBorder(
        reach: pool.kernel[axis], stride: pool.stride[axis], before: amounts.before(axis),
        after: amounts.after(axis)
      ).isSame
    }
    if isSame { return pooling(x, className, pool.kernel, pool.stride, "same", name) }
    // Every window at stride 1, of which those that count are picked.
    let before = Size((pool.kernel.height - 1) / 2, (pool.kernel.width - 1) / 2)
    let padding = PaddingAmounts(
      before.height - amounts.top, before.width - amounts.left,
      pool.kernel.height - 1 - before.height - amounts.bottom,
      pool.kernel.width - 1 - before.width - amounts.right)
    guard min(padding.top, padding.left, padding.bottom, padding.right) >= 0 else {
      throw refusal(name, "Keras pads a pooling window by half of it at most")
    }
    let all = pooling(x, className, pool.kernel, 1, "same", "\(name).windows")
    let picked = cropped(all, padding, name)
    return pool.stride == 1
      ? picked : pooling(picked, "MaxPooling2D", 1, pool.stride, "valid", name)
  }

  private mutating func pooling(
    _ x: PlacedValue, _ className: String, _ kernel: Size, _ stride: Size, _ padding: String,
    _ name: String
  ) -> PlacedValue {
    add(
      className, name,
      [
        "pool_size": [.int(kernel.height), .int(kernel.width)],
        "strides": [.int(stride.height), .int(stride.width)], "padding": .string(padding),
      ], [x], shape: [nil, nil, nil, x.place.shape[3]])
  }
}

extension PaddingAmounts {
  /// Rows, then columns, as Keras states padding and cropping.
  var keras: JSON { [[.int(top), .int(bottom)], [.int(left), .int(right)]] }

  /// Sets both edges of an axis.
  mutating func set(_ axis: Axis, before: Int, after: Int) {
    if axis == .vertical {
      (top, bottom) = (before, after)
    } else {
      (left, right) = (before, after)
    }
  }
}

extension TensorStep {
  /// Zeros about a kernel.
  static func padded(_ zeros: [PaddingAmounts]) -> TensorStep {
    .padded(zeros.flatMap { [$0.top, $0.left, $0.bottom, $0.right] })
  }
}
