import AviaryCheckpoint
import AviaryGraph

/// Layers with kernels.
extension KerasImport {
  private static let channels = 1...GraphLimits.channels

  /// The window of a layer: Keras 1 states its sides by themselves.
  private func kernel(_ layer: KerasLayer) throws(InterchangeError) -> Size {
    if layer.config["nb_row"] != nil {
      return Size(
        try layer.integer(["nb_row"], in: 1...GraphLimits.window),
        try layer.integer(["nb_col"], in: 1...GraphLimits.window))
    }
    return try layer.size(["kernel_size"])
  }

  private func hasBias(_ layer: KerasLayer) throws(InterchangeError) -> Bool {
    try layer.flag(["use_bias", "bias"], default: true)
  }

  /// Adds a convolution with the layer's activation.
  ///
  /// - Parameter part: which of a layer's several convolutions it is; the last one has the bias.
  private mutating func convolve(
    _ layer: KerasLayer, _ x: KerasTensor, _ convolution: Convolution, part: String? = nil
  ) throws(InterchangeError) -> KerasTensor {
    let prefix = part.map { "\($0)." } ?? ""
    guard x.shape[1] % convolution.groups == 0, convolution.outChannels % convolution.groups == 0
    else {
      throw layer.refusal(
        "\(x.shape[1]) channels and \(convolution.outChannels) filters divisible by"
          + " \(convolution.groups) groups expected")
    }
    var names = [
      try bind(
        layer, "\(prefix)weight",
        [
          convolution.outChannels, x.shape[1] / convolution.groups, convolution.kernel.height,
          convolution.kernel.width,
        ])
    ]
    if convolution.bias {
      names.append(try bind(layer, "\(prefix)bias", [convolution.outChannels]))
    }
    return try add(
      .convolution(convolution), [x], name: layer.fullName + (part.map { ".\($0)" } ?? ""),
      of: layer, parameters: names)
  }

  /// A convolution; of Keras 1 under its names.
  mutating func convolution(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let x = try picture(x, layer)
    let result = try convolve(
      layer, x,
      Convolution(
        outChannels: try layer.integer(["filters", "nb_filter"], in: Self.channels),
        kernel: try kernel(layer), stride: try layer.size(["strides", "subsample"], default: 1),
        dilation: try layer.size(["dilation_rate", "atrous_rate"], default: 1),
        groups: try layer.integer(["groups"], in: Self.channels, default: 1),
        padding: try layer.padding(), bias: try hasBias(layer)))
    return try activated(result, layer)
  }

  /// A kernel of its own for each channel.
  mutating func depthwiseConvolution(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let x = try picture(x, layer)
    return try activated(
      try convolve(layer, x, try depthwise(layer, x, bias: try hasBias(layer))), layer)
  }

  /// The convolution of each channel for itself.
  private func depthwise(
    _ layer: KerasLayer, _ x: KerasTensor, bias: Bool
  ) throws(InterchangeError) -> Convolution {
    let multiplier = try layer.integer(["depth_multiplier"], in: 1...4096, default: 1)
    let outChannels = x.shape[1] * multiplier
    guard outChannels <= GraphLimits.channels else {
      throw layer.refusal("at most \(GraphLimits.channels) channels expected, \(outChannels) found")
    }
    return Convolution(
      outChannels: outChannels, kernel: try kernel(layer),
      stride: try layer.size(["strides", "subsample"], default: 1),
      dilation: try layer.size(["dilation_rate"], default: 1), groups: x.shape[1],
      padding: try layer.padding(), bias: bias)
  }

  /// A depthwise convolution and one by a pixel, which has the bias.
  mutating func separableConvolution(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let x = try picture(x, layer)
    let wide = try convolve(
      layer, x, try depthwise(layer, x, bias: false), part: "depthwise")
    let outChannels = try layer.integer(["filters", "nb_filter"], in: Self.channels)
    return try activated(
      try convolve(
        layer, wide, Convolution(outChannels: outChannels, kernel: 1, bias: try hasBias(layer)),
        part: "pointwise"), layer)
  }

  /// A transposed convolution with TensorFlow's crops (tensorflow: conv2d_backprop_input).
  mutating func transposedConvolution(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let x = try picture(x, layer)
    guard try layer.size(["dilation_rate"], default: 1) == 1 else {
      throw layer.refusal("a dilated transposed convolution is not supported")
    }
    let groups = try layer.integer(["groups"], in: Self.channels, default: 1)
    guard groups == 1 else { throw layer.refusal("1 group expected, \(groups) found") }
    let kernel = try kernel(layer), stride = try layer.size(["strides", "subsample"], default: 1)
    let extra: Size? =
      layer.option(["output_padding"]) == nil ? nil : try layer.size(["output_padding"], least: 0)
    let padding = try layer.padding()
    func amounts(_ axis: Axis) -> (before: Int, after: Int) {
      // What of the full output goes; TensorFlow takes the lesser half from the front.
      let total =
        switch (padding, extra) {
        case (.same, nil): kernel[axis] - stride[axis]
        case (.same, let extra?): kernel[axis] - kernel[axis] % 2 - extra[axis]
        case (.explicit, nil): min(kernel[axis] - stride[axis], 0)
        case (.explicit, let extra?): -extra[axis]
        }
      if padding != .same || total < 0 { return (0, total) }
      return (total / 2, total - total / 2)
    }
    let vertical = amounts(.vertical), horizontal = amounts(.horizontal)
    let transposed = TransposedConvolution(
      outChannels: try layer.integer(["filters", "nb_filter"], in: Self.channels), kernel: kernel,
      stride: stride,
      padding: PaddingAmounts(vertical.before, horizontal.before, vertical.after, horizontal.after),
      bias: try hasBias(layer))
    var names = [
      try bind(
        layer, "weight", [x.shape[1], transposed.outChannels, kernel.height, kernel.width])
    ]
    if transposed.bias { names.append(try bind(layer, "bias", [transposed.outChannels])) }
    return try activated(
      try add(
        .transposedConvolution(transposed), [x], name: layer.fullName, of: layer,
        parameters: names), layer)
  }

  /// A product over Keras's last axis: of a picture, a convolution by one pixel.
  mutating func dense(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let features = try layer.integer(["units", "output_dim"], in: Self.channels)
    let bias = try hasBias(layer)
    guard x.rank >= 2 else { throw layer.refusal("2 or more axes expected, \(x.rank) found") }
    if x.rank == 4, x.axes[3] == 1 {
      let count = x.shape[1]
      var names = [
        try bind(
          layer, "weight", [features, count, 1, 1],
          steps: [.reshaped(from: [features, count], to: [features, count, 1, 1])])
      ]
      if bias { names.append(try bind(layer, "bias", [features])) }
      return try activated(
        try add(
          .convolution(Convolution(outChannels: features, kernel: 1, bias: bias)), [x],
          name: layer.fullName, of: layer, parameters: names), layer)
    }
    var x = x
    let count = x.shape[x.axes[x.rank - 1]]
    var steps: [TensorStep] = []
    if let flattened = x.flattened, !isBoundAsStored("\(layer.fullName).weight") {
      // The file's weights turned once, and not the row with every picture. The file must have
      // weights of this size before as many numbers are made.
      let stored = file.tensors[try position(of: ["weight"], layer)].shape
      if stored == [features, count] {
        steps = [.reordered(dimension: 1, indices: flattened.kerasPlaces)]
        x.flattened = nil
      }
    }
    if x.flattened != nil || x.axes[x.rank - 1] != x.rank - 1 {
      x = try arranged(x, as: Array(0..<x.rank), layer.fullName)
    }
    var names = [try bind(layer, "weight", [features, count], steps: steps)]
    if bias { names.append(try bind(layer, "bias", [features])) }
    return try activated(
      try add(
        .linear(Linear(outFeatures: features, bias: bias)), [x], name: layer.fullName, of: layer,
        parameters: names), layer)
  }

  /// Whether an earlier use of a layer took its weights as the file has them.
  private func isBoundAsStored(_ parameter: String) -> Bool {
    if case .file(_, let steps)? = bindings[parameter]?.source { return steps.isEmpty }
    return false
  }
}
