import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Activation: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU"]

  static let kerasFunctions =
    [
      "clip", "clipbyvalue", "leakyrelu", "gelu", "hardsigmoid", "hardsilu", "hardswish",
      "logsigmoid", "celu",
    ] + Array(KerasImport.functions.keys)

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.activationLayer(layer, x)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    let (x, layer, arguments) = (function.x, function.layer, function.arguments)
    let name = layer.fullName
    switch function.word {
    case "clip", "clipbyvalue":
      let numbers = arguments.compactMap(\.double)
      guard
        let least = function.option("x_min", "clip_value_min", "min_value")?.double
          ?? numbers.first,
        let most = function.option("x_max", "clip_value_max", "max_value")?.double
          ?? numbers.last,
        least <= most, (most - least).isFinite
      else { throw layer.refusal("expected two numbers as limits") }
      return try importer.function(.clamp(minimum: least, maximum: most), x, layer, name)
    case "leakyrelu":
      let slope =
        function.option("negative_slope", "alpha")?.double ?? arguments.first?.double ?? 0.2
      return try importer.function(.leakyRelu(slope: slope), x, layer, name)
    case "gelu":
      // TensorFlow's is exact unless stated, Keras 3's operation approximate.
      let absent = layer.module.contains(".ops")
      return try importer.function(
        .gelu(approximate: function.option("approximate")?.bool ?? absent), x, layer, name)
    case "celu":
      let alpha = function.option("alpha")?.double ?? arguments.first?.double ?? 1
      return try importer.function(.celu(alpha: alpha), x, layer, name)
    default: return try importer.function(function.word, x, layer, name: name)
    }
  }
}

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

  mutating func activated(
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
    let plain = Self.plain(word)
    if let activation = Self.functions[plain] { return try function(activation, x, layer, name) }
    switch plain {
    case "linear": return x
    case "leakyrelu": return try function(.leakyRelu(slope: 0.2), x, layer, name)
    case "celu": return try function(.celu(alpha: 1), x, layer, name)
    case "gelu": return try function(.gelu(approximate: false), x, layer, name)
    case "hardsigmoid": return try hardSigmoid(x, layer, name)
    case "hardsilu", "hardswish":
      if isKeras3 { return try function(.hardSwish, x, layer, name) }
      let gate = try hardSigmoid(x, layer, "\(name).gate")
      return try add(.binary(.multiply), [x, gate], name: name, of: layer)
    case "logsigmoid":
      let mirrored = try add(.scale(Scale([-1])), [x], name: "\(name).mirrored", of: layer)
      let curved = try function(
        .softplus(beta: 1, threshold: 20), mirrored, layer, "\(name).softplus")
      return try add(.scale(Scale([-1])), [curved], name: name, of: layer)
    case "tanhshrink":
      let bent = try function(.tanh, x, layer, "\(name).tanh")
      return try add(.binary(.subtract), [x, bent], name: name, of: layer)
    case "softshrink":
      let middle = try function(
        .clamp(minimum: -0.5, maximum: 0.5), x, layer, "\(name).clamp")
      return try add(.binary(.subtract), [x, middle], name: name, of: layer)
    case "softmax": return try softmax(x, axis: -1, layer, name: name)
    case "logsoftmax": return try softmax(x, axis: -1, layer, name: name, logarithm: true)
    default:
      throw layer.refusal("activation '\(word.prefix(60))' is not supported")
    }
  }

  /// max(0, min(1, x / 6 + 1/2)) in Keras 3, with x / 5 before.
  private mutating func hardSigmoid(
    _ x: KerasTensor, _ layer: KerasLayer, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    if isKeras3 { return try function(.hardSigmoid, x, layer, name) }
    let scaled = try add(.scale(Scale([0.2])), [x], name: "\(name).scale", of: layer)
    let moved = try add(.offset(Offset([0.5])), [scaled], name: "\(name).offset", of: layer)
    return try function(.clamp(minimum: 0, maximum: 1), moved, layer, name)
  }

  /// Keras's rectifier: x from the threshold to the maximum, slope · (x - threshold) below.
  mutating func relu(
    _ x: KerasTensor, slope: Double, maximum: Double?, threshold: Double, _ layer: KerasLayer,
    name: String
  ) throws(InterchangeError) -> KerasTensor {
    guard threshold == 0 else {
      throw layer.refusal("threshold \(threshold) is not supported, as no operation of ours jumps")
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
    default: throw layer.refusal("max_value: expected 0 or more")
    }
  }

  /// Functions of single values that their name says everything of, in small letters without '_'.
  static let functions: [String: Activation] = [
    "relu": .relu, "relu6": .clamp(minimum: 0, maximum: 6), "elu": .elu(alpha: 1), "selu": .selu,
    "silu": .silu, "swish": .silu, "mish": .mish, "sigmoid": .sigmoid, "tanh": .tanh,
    "hardtanh": .clamp(minimum: -1, maximum: 1), "softplus": .softplus(beta: 1, threshold: 20),
    "softsign": .softsign, "exp": .exp, "exponential": .exp, "log": .log, "sqrt": .sqrt,
    "rsqrt": .rsqrt, "reciprocal": .reciprocal, "abs": .abs, "absolute": .abs, "erf": .erf,
    "floor": .floor, "sign": .sign,
  ]
}

extension KerasBuilder {
  mutating func activation(
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
    case .celu(let alpha):
      guard alpha > 0 else { throw refusal(name, "CELU with an alpha below 0") }
      // alpha · elu(x / alpha)
      if alpha == 1 { return add("ELU", name, ["alpha": 1], [x]) }
      let scaled = try affine(x, scale: [1 / alpha], offset: nil, "\(name).from")
      let curved = add("ELU", "\(name).elu", ["alpha": 1], [scaled])
      return try affine(curved, scale: [alpha], offset: nil, name)
    case .gelu(approximate: true):
      throw refusal(name, "GELU by tanh is an argument that no configuration has")
    case .hardSigmoid, .hardSwish:
      // Keras 2 and Keras 3 have different slopes under the same name.
      let isSwish = activation == .hardSwish
      let gate = isSwish ? "\(name).gate" : name
      let moved = try affine(x, scale: [1.0 / 6], offset: [0.5], "\(gate).line")
      let bounded = add("ReLU", gate, ["max_value": 1], [moved])
      return isSwish
        ? add("Multiply", name, [:], [x, bounded], shape: x.place.shape) : bounded
    case .softplus(let beta, let threshold):
      // From 15 on the two forms differ by less than float32 tells.
      guard threshold >= 15 else {
        throw refusal(name, "softplus that becomes a line at \(threshold)")
      }
      if beta == 1 { return add("Activation", name, ["activation": "softplus"], [x]) }
      let scaled = try affine(x, scale: [beta], offset: nil, "\(name).from")
      let curved = add(
        "Activation", "\(name).softplus", ["activation": "softplus"], [scaled])
      return try affine(curved, scale: [1 / beta], offset: nil, name)
    case .clamp(let minimum, let maximum): return try clamp(x, minimum, maximum, name)
    case .abs:
      let mirrored = try affine(x, scale: [-1], offset: nil, "\(name).mirrored")
      let sides = [
        add("ReLU", "\(name).above", [:], [x]), add("ReLU", "\(name).below", [:], [mirrored]),
      ]
      return add("Add", name, [:], sides, shape: x.place.shape)
    case .gelu(approximate: false), .silu, .sigmoid, .tanh, .selu, .mish, .softsign, .exp:
      let word = activation == .exp ? "exponential" : activation.name
      return add("Activation", name, ["activation": .string(word)], [x])
    case .log, .sqrt, .rsqrt, .reciprocal, .erf, .floor, .sign:
      throw refusal(name, "no layer of Keras's computes \(activation.name)")
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
}
