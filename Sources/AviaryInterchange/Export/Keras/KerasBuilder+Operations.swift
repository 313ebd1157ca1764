import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension KerasBuilder {
  /// Adds the layers that compute a node.
  mutating func value(of node: Graph.Node) throws(InterchangeError) -> PlacedValue {
    let name = node.name
    var inputs: [PlacedValue] = []
    for value in node.inputs { inputs.append(try operand(value)) }
    let x = inputs[0]
    switch node.op {
    case .convolution(let c): return try convolution(try picture(x, name), c, node)
    case .transposedConvolution(let c):
      return try transposedConvolution(try picture(x, name), c, node)
    case .linear(let features, let bias):
      return try linear(x, features: features, bias: bias, node)
    case .maxPool(let pool): return try maxPool(try picture(x, name), pool, name)
    case .averagePool(let pool, let counts):
      return try averagePool(try picture(x, name), pool, countsPadding: counts, name)
    case .globalAveragePool:
      return add("GlobalAveragePooling2D", name, ["keepdims": true], [try picture(x, name)])
    case .batchNormalization(let b): return batchNormalization(x, b, node)
    case .activation(let activation): return try self.activation(x, activation, name)
    case .prelu(let perChannel):
      return prelu(x, name, perChannel: perChannel) { from, to in
        .parameter(node.parameters[0], from == to ? [] : [.reshaped(from: from, to: to)])
      }
    case .add, .subtract, .multiply:
      let className =
        switch node.op {
        case .add: "Add"
        case .subtract: "Subtract"
        default: "Multiply"
        }
      let other = try arranged(inputs[1], x.order, name)
      let shape = zip(x.place.shape, other.place.shape).map {
        $0 == 1 ? $1 : $1 == 1 ? $0 : $0 ?? $1
      }
      return add(className, name, [:], [x, other], shape: shape)
    case .scale(let values): return try affine(x, scale: values, offset: nil, name)
    case .offset(let values): return try affine(x, scale: nil, offset: values, name)
    case .concatenate:
      if inputs.count == 1 { return x }
      var arranged = [x]
      for other in inputs.dropFirst() { arranged.append(try self.arranged(other, x.order, name)) }
      var shape = x.place.shape
      shape[x.axis(of: 1)] = shapes.channels(graph.inputs.count + position)
      return add(
        "Concatenate", name, ["axis": .int(x.axis(of: 1))], arranged, shape: shape)
    case .slice(let start, let count):
      return try slice(try picture(x, name), start: start, count: count, name)
    case .pixelShuffle(let factor, let order):
      return try pixelShuffle(try picture(x, name), factor, order, name)
    case .pixelUnshuffle(let factor, let order):
      return try pixelUnshuffle(try picture(x, name), factor, order, name)
    case .resize(let resize): return try self.resize(try picture(x, name), resize, name)
    case .pad(let edges, let mode):
      guard mode == .zero else {
        throw refusal(name, "no layer pads by mirrored or repeated pixels")
      }
      return padded(try picture(x, name), edges, name)
    case .crop(let edges): return cropped(try picture(x, name), edges, name)
    case .dropout(let rate): return add("Dropout", name, ["rate": .number(rate)], [x])
    case .reduce(let reduction): return try self.reduction(x, reduction, name)
    case .softmax(let dimension):
      guard dimension > 0 else { throw refusal(name, "no layer works across pictures") }
      return add("Softmax", name, ["axis": .int(x.axis(of: dimension))], [x])
    case .layerNormalization(let dimensions, let epsilon):
      return try layerNormalization(x, dimensions, epsilon, node)
    case .reshape(let shape): return try reshape(x, shape, node)
    case .permute(let order):
      // Only what Keras's dimensions mean changes; layers that care move them.
      return PlacedValue(place: x.place, order: x.order.map { order.firstIndex(of: $0) ?? 0 })
    case .matmul: throw refusal(name, "no stock layer multiplies matrices as it does")
    case .roll: throw refusal(name, "no stock layer moves elements round")
    }
  }

  /// The value as a picture, channels last.
  private mutating func picture(
    _ x: PlacedValue, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    try arranged(x, .picture, name)
  }

  // MARK: Single values

  private mutating func activation(
    _ x: PlacedValue, _ activation: Activation, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    switch activation {
    case .relu: return add("ReLU", name, [:], [x])
    case .leakyRelu(let slope) where slope >= 0:
      return add("LeakyReLU", name, ["negative_slope": .number(slope)], [x])
    case .leakyRelu(let slope):
      // Keras's takes no slope below 0; a constant PReLU does.
      let tensor = try constant([1], [Float(slope)], name)
      return prelu(x, name, perChannel: false) { _, shape in
        .constant((try? tensor.reshaped(to: shape)) ?? tensor)
      }
    case .elu(let alpha): return add("ELU", name, ["alpha": .number(alpha)], [x])
    case .gelu(let approximate):
      if approximate {
        throw refusal(name, "GELU by tanh is an argument that no configuration has")
      }
      return add("Activation", name, ["activation": "gelu"], [x])
    case .silu: return add("Activation", name, ["activation": "silu"], [x])
    case .sigmoid: return add("Activation", name, ["activation": "sigmoid"], [x])
    case .tanh: return add("Activation", name, ["activation": "tanh"], [x])
    case .clamp(let minimum, let maximum): return try clamp(x, minimum, maximum, name)
    }
  }

  /// A clamp by Keras's ReLU, whose lower bound is 0.
  ///
  /// A bound below 0 is one of the mirrored value. Values must not be moved by it and back: of a value
  /// next to a large bound, such as the -3.4e38 of a clamp from above alone, nothing would be left.
  private mutating func clamp(
    _ x: PlacedValue, _ minimum: Double, _ maximum: Double, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let limit = Double(Float.greatestFiniteMagnitude)
    if minimum == 0 {
      return add("ReLU", name, maximum < limit ? ["max_value": .number(maximum)] : [:], [x])
    }
    if maximum < 0 {
      let mirrored = try affine(x, scale: [-1], offset: nil, "\(name).mirrored")
      let clamped = try clamp(mirrored, -maximum, -minimum, "\(name).bounds")
      return try affine(clamped, scale: [-1], offset: nil, name)
    }
    var y = x
    if minimum > 0 {
      // What is left above the bound is larger than what rounding takes.
      y = try affine(y, scale: nil, offset: [-minimum], "\(name).from")
      y = add("ReLU", "\(name).lower", [:], [y])
      let last = maximum < limit ? "\(name).to" : name
      y = try affine(y, scale: nil, offset: [minimum], last)
    } else if minimum > -limit {
      y = try affine(y, scale: [-1], offset: nil, "\(name).mirrored")
      y = least(y, -minimum, "\(name).lower")
      y = try affine(y, scale: [-1], offset: nil, maximum < limit ? "\(name).back" : name)
    } else if maximum >= limit {
      return add("Activation", name, ["activation": "linear"], [x])
    }
    return maximum < limit ? least(y, maximum, name) : y
  }

  /// The lesser of a value and a bound of 0 or more: with a slope of 1, Keras's ReLU leaves what is
  /// below 0 as it is.
  private mutating func least(_ x: PlacedValue, _ bound: Double, _ name: String) -> PlacedValue {
    add("ReLU", name, ["negative_slope": 1, "max_value": .number(bound)], [x])
  }

  private mutating func prelu(
    _ x: PlacedValue, _ name: String, perChannel: Bool,
    _ content: ([Int], [Int]) -> KerasModel.Content
  ) -> PlacedValue {
    let channel = perChannel ? x.axis(of: 1) : -1
    let channels = perChannel ? x.place.shape[channel] ?? 1 : 1
    let axes = 1..<x.order.count
    let shape = axes.map { $0 == channel ? channels : 1 }
    let shared = axes.filter { $0 != channel }
    return add(
      "PReLU", name,
      ["shared_axes": shared.isEmpty ? .null : .array(shared.map(JSON.int))], [x],
      variables: [
        KerasModel.Variable(name: "alpha", shape: shape, content: content([channels], shape))
      ])
  }

  private mutating func batchNormalization(
    _ x: PlacedValue, _ b: BatchNormalization, _ node: Graph.Node
  ) -> PlacedValue {
    let kept = (b.scale ? ["gamma"] : []) + (b.center ? ["beta"] : [])
    let names = kept + ["moving_mean", "moving_variance"]
    let channels = x.place.shape[x.axis(of: 1)] ?? 1
    return add(
      "BatchNormalization", node.name,
      [
        "axis": .int(x.axis(of: 1)), "momentum": .number(1 - b.momentum),
        "epsilon": .number(b.epsilon), "center": .bool(b.center), "scale": .bool(b.scale),
      ], [x],
      variables: zip(names, node.parameters).map {
        KerasModel.Variable(name: $0, shape: [channels], content: .parameter($1, []))
      })
  }

  /// x · scale + offset, by one number or one a channel.
  private mutating func affine(
    _ x: PlacedValue, scale: [Double]?, offset: [Double]?, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let channels = scale?.count ?? offset?.count ?? 1
    if channels == 1 {
      return add(
        "Rescaling", name,
        ["scale": .number(scale?[0] ?? 1), "offset": .number(offset?[0] ?? 0)], [x])
    }
    guard x.order.count == 4 else {
      throw refusal(name, "constants a channel for what is no picture")
    }
    let picture = try arranged(x, .picture, name)
    let factors = (scale ?? Array(repeating: 1, count: channels)).map(Float.init)
    var variables = [
      KerasModel.Variable(
        name: "depthwise_kernel", shape: [1, 1, channels, 1],
        content: .constant(try constant([1, 1, channels, 1], factors, name)))
    ]
    if let offset {
      variables.append(
        KerasModel.Variable(
          name: "bias", shape: [channels],
          content: .constant(try constant([channels], offset.map(Float.init), name))))
    }
    return add(
      "DepthwiseConv2D", name, ["kernel_size": 1, "use_bias": .bool(offset != nil)], [picture],
      variables: variables)
  }

  /// A tensor of numbers that are not learned.
  func constant(
    _ shape: [Int], _ values: [Float], _ name: String
  ) throws(InterchangeError) -> Tensor {
    do {
      return try Tensor(shape: shape, values)
    } catch {
      throw refusal(name, "\(error)")
    }
  }
}
