import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension KerasBuilder {
  /// Elements of a constant kernel beyond which a network is refused.
  static let kernelLimit = 1 << 24

  /// A kernel of zeros with ones at some places.
  private func oneHot(
    _ shape: [Int], _ name: String, at places: some Sequence<Int>
  ) throws(InterchangeError) -> KerasModel.Variable {
    let count = shape.reduce(1.0) { $0 * Double($1) }
    guard count <= Double(Self.kernelLimit) else {
      throw refusal(
        name, "a constant kernel of at most \(Self.kernelLimit) elements expected, \(shape) found")
    }
    var values = [Float](repeating: 0, count: shape.reduce(1, *))
    for place in places { values[place] = 1 }
    return KerasModel.Variable(
      name: "kernel", shape: shape, content: .constant(try constant(shape, values, name)))
  }

  mutating func slice(
    _ x: PlacedValue, start: Int, count: Int, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let channels = x.place.shape[3] ?? 1
    let kernel = try oneHot(
      [1, 1, channels, count], name, at: (0..<count).map { (start + $0) * count + $0 })
    return add(
      "Conv2D", name, ["filters": .int(count), "kernel_size": 1, "use_bias": false], [x],
      shape: x.place.shape.dropLast() + [count], variables: [kernel])
  }

  /// Pixel shuffle as a transposed convolution that puts each channel at its pixel: every Keras loads
  /// it.
  mutating func pixelShuffle(
    _ x: PlacedValue, _ r: Int, _ order: ChannelOrder, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let inputs = x.place.shape[3] ?? 1
    let outputs = inputs / (r * r)
    // (row, column, output channel, input channel)
    let kernel = try oneHot(
      [r, r, outputs, inputs], name,
      at: (0..<inputs).map { input in
        let (pixel, channel) = order.place(input, factor: r, channels: outputs)
        return (pixel * outputs + channel) * inputs + input
      })
    return add(
      "Conv2DTranspose", name,
      [
        "filters": .int(outputs), "kernel_size": .int(r), "strides": .int(r), "padding": "valid",
        "use_bias": false,
      ], [x], shape: [nil, nil, nil, outputs], variables: [kernel])
  }

  mutating func pixelUnshuffle(
    _ x: PlacedValue, _ r: Int, _ order: ChannelOrder, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let inputs = x.place.shape[3] ?? 1
    let outputs = inputs * r * r
    // (row, column, input channel, output channel)
    let kernel = try oneHot(
      [r, r, inputs, outputs], name,
      at: (0..<outputs).map { output in
        let (pixel, channel) = order.place(output, factor: r, channels: inputs)
        return (pixel * inputs + channel) * outputs + output
      })
    return add(
      "Conv2D", name,
      [
        "filters": .int(outputs), "kernel_size": .int(r), "strides": .int(r), "padding": "valid",
        "use_bias": false,
      ], [x], shape: [nil, nil, nil, outputs], variables: [kernel])
  }

  mutating func resize(
    _ x: PlacedValue, _ resize: Resize, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard case .factor(let ratio) = resize.target, ratio.denominator == 1 else {
      throw refusal(name, "no stock layer resizes but by whole factors")
    }
    let isExact =
      switch (resize.kernel, resize.coordinates) {
      // At whole factors both give each pixel as often.
      case (.nearest, .halfPixel), (.nearest, .asymmetric): true
      // A mirrored pixel beyond the edge is the edge pixel.
      case (.linear, .halfPixel): true
      default: false
      }
    guard isExact else {
      throw refusal(
        name,
        "UpSampling2D computes nearest and linear interpolation at half-pixel coordinates alone as "
          + "the network does")
    }
    return add(
      "UpSampling2D", name,
      [
        "size": [.int(ratio.numerator), .int(ratio.numerator)],
        "interpolation": resize.kernel == .nearest ? "nearest" : "bilinear",
      ], [x], shape: [nil, nil, nil, x.place.shape[3]])
  }

  mutating func reduction(
    _ x: PlacedValue, _ reduction: Reduction, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard x.order.count == 4, Set(reduction.dimensions) == [2, 3], reduction.kind != .sum else {
      throw refusal(name, "Keras's layers reduce pictures to one pixel, by mean or maximum")
    }
    let picture = try arranged(x, .picture, name)
    let keeps = reduction.keepsDimensions
    let channels = picture.place.shape[3]
    return add(
      reduction.kind == .mean ? "GlobalAveragePooling2D" : "GlobalMaxPooling2D", name,
      ["keepdims": .bool(keeps)], [picture],
      shape: keeps ? [nil, 1, 1, channels] : [nil, channels], order: keeps ? .picture : [0, 1])
  }

  // MARK: The last dimensions

  mutating func linear(
    _ x: PlacedValue, features: Int, bias: Bool, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    let input = try ending(x, dimensions: 1, node.name)
    let inputs = (input.place.shape.last ?? nil) ?? 1
    var variables = [
      KerasModel.Variable(
        name: "kernel", shape: [inputs, features],
        content: .parameter(node.parameters[0], [.permuted([1, 0])]))
    ]
    if bias {
      variables.append(
        KerasModel.Variable(
          name: "bias", shape: [features], content: .parameter(node.parameters[1], [])))
    }
    return add(
      "Dense", node.name, ["units": .int(features), "use_bias": .bool(bias)], [input],
      shape: input.place.shape.dropLast() + [features], variables: variables)
  }

  mutating func layerNormalization(
    _ x: PlacedValue, _ dimensions: Int, _ epsilon: Double, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    var input = try ending(x, dimensions: dimensions, node.name)
    let shape = input.place.shape
    let sizes = shape.suffix(dimensions).map { $0 ?? 1 }
    let count = sizes.reduce(1, *)
    // As one dimension: Keras 3 keeps only the first of several from a file of Keras 2.
    if dimensions > 1 {
      input = try reshaped(input, shape.dropFirst().dropLast(dimensions) + [count], node.name)
    }
    let steps: [TensorStep] = dimensions > 1 ? [.reshaped(from: sizes, to: [count])] : []
    let result = add(
      "LayerNormalization", node.name, ["axis": -1, "epsilon": .number(epsilon)], [input],
      variables: zip(["gamma", "beta"], node.parameters).map {
        KerasModel.Variable(name: $0, shape: [count], content: .parameter($1, steps))
      })
    if dimensions == 1 { return result }
    var back = try reshaped(result, shape.dropFirst(), node.name)
    back.order =
      x.order.suffix(dimensions).elementsEqual(x.order.indices.suffix(dimensions))
      ? x.order : Array(x.order.indices)
    return back
  }

  /// The value with the graph's last dimensions last.
  private mutating func ending(
    _ x: PlacedValue, dimensions: Int, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let last = Array(x.order.indices.suffix(dimensions))
    return x.order.suffix(dimensions).elementsEqual(last)
      ? x : try arranged(x, Array(x.order.indices), name)
  }

  mutating func reshape(
    _ x: PlacedValue, _ target: [Int], _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    let input = try arranged(x, Array(x.order.indices), node.name)
    let result = shapes.values[graph.inputs.count + position]
    let rest = result.dropFirst()
    let before = input.place.shape.dropFirst()
    // A first dimension that takes what is left is the number of pictures if all others are known.
    let keepsPictures =
      target[0] == 0
      || target[0] == -1 && !rest.contains(nil) && !before.contains(nil)
        && rest.reduce(1) { $0 * ($1 ?? 1) } == before.reduce(1) { $0 * ($1 ?? 1) }
    guard keepsPictures else {
      throw refusal(node.name, "no layer reshapes the dimension of the pictures")
    }
    return try reshaped(input, rest, node.name)
  }

  /// The elements of each picture in another shape.
  private mutating func reshaped(
    _ x: PlacedValue, _ sizes: some Collection<Int?>, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard sizes.count(where: { $0 == nil }) <= 1 else {
      throw refusal(name, "Reshape takes one size at most that depends on the picture")
    }
    return add(
      "Reshape", "\(name).reshape", ["target_shape": .array(sizes.map { .int($0 ?? -1) })], [x],
      shape: [nil] + sizes, order: Array(0...sizes.count))
  }
}

extension ChannelOrder {
  /// The pixel (row · r + column) and the channel of an enlarged picture that a channel of the small
  /// one holds.
  fileprivate func place(
    _ channel: Int, factor r: Int, channels: Int
  ) -> (pixel: Int, channel: Int) {
    switch self {
    case .pytorch: (channel % (r * r), channel / (r * r))
    case .tensorflow: (channel / channels, channel % channels)
    }
  }
}
