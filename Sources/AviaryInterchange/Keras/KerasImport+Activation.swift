import AviaryCheckpoint
import AviaryGraph

/// Functions of single values, and what is made of several of them.
extension KerasImport {
  /// A layer that is nothing but its function.
  mutating func activationLayer(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let name = layer.fullName
    switch layer.className {
    case "Activation":
      return try activated(layer.config["activation"] ?? .null, x, layer, name: name)
    case "Softmax":
      return try softmax(x, axis: layer.option(["axis"])?.int ?? -1, layer, name: name)
    default: return try functionLayer(layer.className, layer, x, name: name)
    }
  }

  /// The activation that a layer has beside its own work.
  mutating func activated(
    _ x: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    try activated(
      layer.config["activation"] ?? .null, x, layer, name: "\(layer.fullName).activation")
  }

  private mutating func activated(
    _ json: JSON, _ x: KerasTensor, _ layer: KerasLayer, name: String
  ) throws(InterchangeError) -> KerasTensor {
    if json == .null { return x }
    if let word = json.string { return try function(word, x, layer, name: name) }
    // Keras 3 wraps functions; a layer may serve as a function, too.
    if let word = json["config"]?.string { return try function(word, x, layer, name: name) }
    guard let className = json["class_name"]?.string else {
      throw layer.refusal("activation \(json.text.prefix(60)) is not supported")
    }
    var inner = layer
    inner.config = json["config"] ?? .null
    return try functionLayer(className, inner, x, name: name)
  }

  private mutating func functionLayer(
    _ className: String, _ layer: KerasLayer, _ x: KerasTensor, name: String
  ) throws(InterchangeError) -> KerasTensor {
    switch className {
    case "ReLU":
      return try relu(
        x, slope: try layer.number(["negative_slope"], default: 0),
        maximum: layer.option(["max_value"]) == nil
          ? nil : try layer.number(["max_value"], default: 0),
        threshold: try layer.number(["threshold"], default: 0), layer, name: name)
    case "LeakyReLU":
      return try function(
        .leakyRelu(slope: try layer.number(["negative_slope", "alpha"], default: 0.3)), x, layer,
        name)
    case "ELU":
      return try function(
        .elu(alpha: try layer.number(["alpha"], default: 1)), x, layer, name)
    case "ThresholdedReLU":
      return try relu(
        x, slope: 0, maximum: nil, threshold: try layer.number(["theta"], default: 1), layer,
        name: name)
    case "Softmax":
      return try softmax(x, axis: layer.option(["axis"])?.int ?? -1, layer, name: name)
    case "Activation":
      return try activated(layer.config["activation"] ?? .null, x, layer, name: name)
    default: throw layer.refusal("activation '\(className)' is not supported")
    }
  }

  /// A node of one function.
  mutating func function(
    _ activation: Activation, _ x: KerasTensor, _ layer: KerasLayer, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    try add(.activation(activation), [x], name: name, of: layer)
  }

  /// Keras's function of a name.
  mutating func function(
    _ word: String, _ x: KerasTensor, _ layer: KerasLayer, name: String
  ) throws(InterchangeError) -> KerasTensor {
    switch word {
    case "linear": return x
    case "relu": return try function(.relu, x, layer, name)
    case "relu6": return try function(.clamp(minimum: 0, maximum: 6), x, layer, name)
    case "leaky_relu": return try function(.leakyRelu(slope: 0.2), x, layer, name)
    case "elu", "celu": return try function(.elu(alpha: 1), x, layer, name)
    case "selu":
      let inner = try function(
        .elu(alpha: 1.6732632423543772), x, layer, "\(name).elu")
      return try add(.scale([1.0507009873554805]), [inner], name: name, of: layer)
    case "gelu": return try function(.gelu(approximate: false), x, layer, name)
    case "silu", "swish": return try function(.silu, x, layer, name)
    case "sigmoid": return try function(.sigmoid, x, layer, name)
    case "tanh": return try function(.tanh, x, layer, name)
    case "hard_tanh": return try function(.clamp(minimum: -1, maximum: 1), x, layer, name)
    case "hard_sigmoid": return try hardSigmoid(x, layer, name)
    case "hard_silu", "hard_swish":
      let gate = try hardSigmoid(x, layer, "\(name).gate")
      return try add(.multiply, [x, gate], name: name, of: layer)
    case "tanh_shrink":
      let bent = try function(.tanh, x, layer, "\(name).tanh")
      return try add(.subtract, [x, bent], name: name, of: layer)
    case "soft_shrink":
      let middle = try function(
        .clamp(minimum: -0.5, maximum: 0.5), x, layer, "\(name).clamp")
      return try add(.subtract, [x, middle], name: name, of: layer)
    case "softmax": return try softmax(x, axis: -1, layer, name: name)
    default:
      throw layer.refusal("activation '\(word.prefix(60))' is not supported")
    }
  }

  /// max(0, min(1, x / 6 + 1 / 2)) in Keras 3, with x / 5 before.
  private mutating func hardSigmoid(
    _ x: KerasTensor, _ layer: KerasLayer, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let scaled = try add(
      .scale([isKeras3 ? 1.0 / 6 : 0.2]), [x], name: "\(name).scale", of: layer)
    let moved = try add(.offset([0.5]), [scaled], name: "\(name).offset", of: layer)
    return try function(.clamp(minimum: 0, maximum: 1), moved, layer, name)
  }

  /// Keras's rectifier: x from the threshold to the maximum, slope · (x - threshold) below.
  mutating func relu(
    _ x: KerasTensor, slope: Double, maximum: Double?, threshold: Double, _ layer: KerasLayer,
    name: String
  ) throws(InterchangeError) -> KerasTensor {
    guard threshold == 0 else {
      throw layer.refusal("threshold \(threshold): 0 expected, as no operation of ours jumps")
    }
    switch (slope, maximum) {
    case (0, nil): return try function(.relu, x, layer, name)
    case (0, let maximum?) where maximum >= 0:
      return try function(.clamp(minimum: 0, maximum: maximum), x, layer, name)
    case (_, nil): return try function(.leakyRelu(slope: slope), x, layer, name)
    case (1, let maximum?) where maximum >= 0:
      return try function(
        .clamp(minimum: -Double(Float.greatestFiniteMagnitude), maximum: maximum), x, layer, name)
    case (_, let maximum?) where maximum >= 0:
      let bent = try function(.leakyRelu(slope: slope), x, layer, "\(name).leaky")
      return try function(
        .clamp(minimum: -Double(Float.greatestFiniteMagnitude), maximum: maximum), bent, layer,
        name)
    default: throw layer.refusal("max_value: 0 or more expected")
    }
  }

  /// exp(x) / Σ exp(x) along an axis of Keras's.
  mutating func softmax(
    _ x: KerasTensor, axis number: Int, _ layer: KerasLayer, name: String
  ) throws(InterchangeError) -> KerasTensor {
    let axis = try axis(number, of: x, layer)
    return try add(.softmax(dimension: x.axes[axis]), [x], name: name, of: layer)
  }

  /// A learned slope for each channel, or one for all.
  mutating func prelu(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    var x = try unflattened(x, layer.fullName)
    var shared: Set<Int> = []
    for number in layer.option(["shared_axes"])?.array ?? [] {
      guard let number = number.int else { throw layer.refusal("shared_axes: numbers expected") }
      shared.insert(try axis(number, of: x, layer))
    }
    // Axes of one element, and all that share, have one slope.
    let own = (1..<x.rank).filter { !shared.contains($0) && x.kerasShape[$0] > 1 }
    guard own.count <= 1 else {
      throw layer.refusal("a slope for each pixel; one a channel, or one for all, expected")
    }
    if let channel = own.first { x = try withChannels(channel, x, layer) }
    let count = own.isEmpty ? 1 : x.shape[1]
    let stored = file.tensors[try position(of: ["weight", "alpha", "0"], layer)].shape
    let name = try bind(
      layer, "weight", [count], from: ["weight", "alpha", "0"],
      steps: stored == [count] ? [] : [.reshaped(from: stored, to: [count])])
    return try add(
      .prelu(perChannel: !own.isEmpty), [x], name: layer.fullName, of: layer, parameters: [name])
  }
}
