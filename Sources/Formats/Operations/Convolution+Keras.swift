import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Convolution: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"]
  static let kerasFunctions = [
    "convolution", "conv2d", "depthwiseconv2d", "depthwiseconv2dnative",
  ]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    switch layer.className {
    case "DepthwiseConv2D": try importer.depthwiseConvolution(layer, x)
    case "SeparableConv2D": try importer.separableConvolution(layer, x)
    default: try importer.convolution(layer, x)
    }
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    let layer = function.layer
    guard let kernel = function.option("filters", "filter") ?? function.arguments.first else {
      throw layer.refusal("expected a kernel in the configuration, found none")
    }
    return try importer.convolution(
      ofConstants: kernel, function.x, isDepthwise: function.word.hasPrefix("depthwise"),
      options: function.call.options, layer)
  }
}

extension KerasImport {
  static let channels = 1...GraphLimits.channels

  /// The window of a layer: Keras 1 states its sides by themselves.
  func kernel(_ layer: KerasLayer) throws(InterchangeError) -> Size {
    if layer.config["nb_row"] != nil {
      return Size(
        try layer.integer(["nb_row"], in: 1...GraphLimits.window),
        try layer.integer(["nb_col"], in: 1...GraphLimits.window))
    }
    return try layer.size(["kernel_size"])
  }

  func hasBias(_ layer: KerasLayer) throws(InterchangeError) -> Bool {
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
        "expected \(x.shape[1]) channels and \(convolution.outChannels) filters divisible by"
          + " \(convolution.groups) groups")
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
  func depthwise(
    _ layer: KerasLayer, _ x: KerasTensor, bias: Bool
  ) throws(InterchangeError) -> Convolution {
    let multiplier = try layer.integer(["depth_multiplier"], in: 1...4096, default: 1)
    let filters = x.shape[1] * multiplier
    guard filters <= GraphLimits.channels else {
      throw layer.refusal("expected at most \(GraphLimits.channels) channels, found \(filters)")
    }
    return Convolution(
      outChannels: filters, kernel: try kernel(layer),
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
    let filters = try layer.integer(["filters", "nb_filter"], in: Self.channels)
    return try activated(
      try convolve(
        layer, wide, Convolution(outChannels: filters, kernel: 1, bias: try hasBias(layer)),
        part: "pointwise"), layer)
  }

  /// A convolution, of each channel for itself or of all.
  mutating func convolution(
    ofConstants json: JSON, _ x: KerasTensor, isDepthwise: Bool, options: [String: JSON],
    _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    var plain = layer
    // The options of TensorFlow's functions, in Keras's names: of four numbers the middle ones count.
    func inner(_ name: String) -> JSON {
      guard let list = options[name]?.array else { return options[name] ?? 1 }
      return .array(list.count == 4 ? Array(list[1...2]) : list)
    }
    let format = options["data_format"]?.string ?? "NHWC"
    plain.config = [
      "strides": inner("strides"), "padding": options["padding"] ?? "VALID",
      "dilation_rate": inner(isDepthwise ? "rate" : "dilations"), "data_format": .string(format),
    ]
    let x = try picture(x, plain)
    let kernel = try kernel(json, layer)
    let (height, width, channels, count) = (
      kernel.shape[0], kernel.shape[1], kernel.shape[2], kernel.shape[3]
    )
    let groups = isDepthwise ? channels : max(x.shape[1] / channels, 1)
    guard x.shape[1] == (isDepthwise ? channels : channels * groups),
      [height, width].allSatisfy({ $0 <= GraphLimits.window }),
      isDepthwise || count % groups == 0
    else {
      throw layer.refusal("expected a kernel for \(x.shape[1]) channels, found \(kernel.shape)")
    }
    let filters = isDepthwise ? channels * count : count
    let weight: Tensor
    do throws(TensorError) {
      weight =
        isDepthwise
        ? try kernel.permuted([2, 3, 0, 1]).reshaped(to: [filters, 1, height, width])
        : try kernel.permuted([3, 2, 0, 1])
    } catch {
      throw layer.refusal("\(error)")
    }
    let name = try bind(layer, "weight", made: weight)
    return try add(
      .convolution(
        Convolution(
          outChannels: filters, kernel: Size(height, width), stride: try plain.size(["strides"]),
          dilation: try plain.size(["dilation_rate"]), groups: groups,
          padding: try plain.padding(), bias: false)), [x], name: layer.fullName, of: layer,
      parameters: [name])
  }

  /// Numbers in lists in lists, of four dimensions.
  func kernel(_ json: JSON, _ layer: KerasLayer) throws(InterchangeError) -> Tensor {
    var shape: [Int] = []
    var first: JSON? = json
    while let list = first?.array {
      shape.append(list.count)
      first = list.first
    }
    var numbers: [Float] = []
    let refusal = layer.refusal("expected a kernel of four dimensions as a constant")
    guard shape.count == 4 else { throw refusal }
    for row in json.array ?? [] {
      for column in row.array ?? [] {
        for channel in column.array ?? [] {
          for number in channel.array ?? [] {
            guard let number = number.double else { throw refusal }
            numbers.append(Float(number))
          }
        }
      }
    }
    // Lists of different lengths do not fill the shape.
    do throws(TensorError) {
      return try Tensor(shape: shape, numbers)
    } catch {
      throw refusal
    }
  }
}

extension KerasBuilder {
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

  /// What a convolution takes, its padding in Keras's words, and the zeros about its kernel.
  mutating func window(
    _ x: PlacedValue, _ c: Convolution, _ name: String
  ) -> (input: PlacedValue, padding: String, zeros: PaddingAmounts) {
    guard case .explicit(let edges) = c.padding else { return (x, "same", .none) }
    if edges == .none { return (x, "valid", .none) }
    var zeros = PaddingAmounts.none
    for axis in Axis.allCases {
      let padding = KerasBorder(
        reach: (c.kernel[axis] - 1) * c.dilation[axis] + 1, stride: c.stride[axis],
        before: edges.before(axis), after: edges.after(axis))
      // Zeros cannot lie between the elements of a dilated kernel and beyond it as well.
      let found = c.dilation == 1 && borders == .kernels ? padding.kernelZeros : nil
      guard let found = found ?? (padding.isSame ? (0, 0) : nil) else {
        return (padded(x, edges, "\(name).padding"), "valid", .none)
      }
      zeros.set(axis, before: found.front, after: found.behind)
    }
    return (x, "same", zeros)
  }
}
