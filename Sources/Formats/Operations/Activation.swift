import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Activation: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.activation(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.activation(inputs[0], self, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    python(inputs[0], expression.object(inputs[0]))
  }
}

extension Activation: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "Relu": [], "LeakyRelu": [], "Elu": [], "Sigmoid": [], "Tanh": [], "Gelu": [], "Selu": [],
    "HardSigmoid": [], "HardSwish": [], "Clip": [], "Max": [], "Min": [], "Erf": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    let node = reader.node
    return switch node.kind {
    case "Relu": try reader.one(.activation(.relu))
    case "LeakyRelu":
      try reader.one(.activation(.leakyRelu(slope: node.number("alpha") ?? 0.01)))
    case "Elu": try reader.one(.activation(.elu(alpha: node.number("alpha") ?? 1)))
    case "Sigmoid": try reader.one(.activation(.sigmoid))
    case "Tanh": try reader.one(.activation(.tanh))
    case "Gelu":
      try reader.one(.activation(.gelu(approximate: node.text("approximate") == "tanh")))
    case "Selu": try reader.selu()
    case "HardSigmoid", "HardSwish": try reader.hardSigmoid()
    case "Clip": try reader.clip()
    case "Max", "Min": try reader.extreme()
    case "Erf": try reader.errorFunction()
    default: throw reader.unsupported("it is no activation that is read")
    }
  }
}

extension Activation: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU"]

  static let kerasFunctions =
    ["clip", "clipbyvalue", "leakyrelu", "gelu", "erf"] + Array(KerasImport.functions.keys)

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
      else { throw layer.refusal("two numbers as limits expected") }
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
    case "erf": return try importer.errorFunction(of: x, layer)
    default:
      return try importer.function(
        KerasImport.functions[function.word] ?? function.word, x, layer, name: name)
    }
  }
}

extension Activation: NCNNReadOperation {
  static let ncnnLayers = [
    "ReLU", "Clip", "Sigmoid", "TanH", "ELU", "GELU", "Swish", "UnaryOp", "HardSigmoid",
    "HardSwish",
  ]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.activation(layer)
  }
}

extension ONNXReader {
  mutating func selu() throws(InterchangeError) -> ONNXOperand {
    let alpha = node.number("alpha") ?? 1.673_263_242_354_377_2
    let gamma = node.number("gamma") ?? 1.050_700_987_355_480_5
    let curved = try add(.activation(.elu(alpha: alpha)), [try value(0)])
    return .value(try scaled(curved, [gamma]))
  }

  mutating func hardSigmoid() throws(InterchangeError) -> ONNXOperand {
    let isSwish = node.kind == "HardSwish"
    let input = try value(0)
    let slope = isSwish ? 1.0 / 6 : node.number("alpha") ?? 0.2
    let sloped = try add(.scale(Scale([slope])), [input])
    let shifted = try add(.offset(Offset([node.number("beta") ?? 0.5])), [sloped])
    let result = try add(.activation(.clamp(minimum: 0, maximum: 1)), [shifted])
    return .value(isSwish ? try add(.binary(.multiply), [input, result]) : result)
  }

  mutating func clip() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    func bound(_ place: Int, _ name: String) throws(InterchangeError) -> Double? {
      if let number = node.number(name) { return number }
      guard node.input(place) != nil else { return nil }
      guard let numbers = try numbers(place)?.constant, numbers.count == 1 else {
        throw unsupported("\(name): a constant number expected")
      }
      return numbers[0]
    }
    return try clamped(input, try bound(1, "min"), try bound(2, "max"))
  }

  /// A value within bounds, of which either may be none.
  private mutating func clamped(
    _ value: Int, _ minimum: Double?, _ maximum: Double?
  ) throws(InterchangeError) -> ONNXOperand {
    if minimum == 0, maximum == nil { return .value(try add(.activation(.relu), [value])) }
    let largest = Double(Float.greatestFiniteMagnitude)
    func finite(_ number: Double?, _ standard: Double) -> Double {
      guard let number else { return standard }
      return number.isInfinite ? (number < 0 ? -largest : largest) : number
    }
    let bounds = (finite(minimum, -largest), finite(maximum, largest))
    return .value(try add(.activation(.clamp(minimum: bounds.0, maximum: bounds.1)), [value]))
  }

  /// The larger or the smaller of a value and a constant.
  mutating func extreme() throws(InterchangeError) -> ONNXOperand {
    guard node.inputs.count == 2 else { throw unsupported("two inputs expected") }
    let isFirst: Bool = if case .value = try given(0) { true } else { false }
    let input = try value(isFirst ? 0 : 1)
    guard let bound = try numbers(isFirst ? 1 : 0)?.constant, bound.count == 1 else {
      throw unsupported("a value of the network and one constant number expected")
    }
    return node.kind == "Max"
      ? try clamped(input, bound[0], nil) : try clamped(input, nil, bound[0])
  }
}

extension ONNXWriter {
  mutating func activation(_ activation: Activation, _ node: Graph.Node, _ value: Int) {
    let x = name(node.inputs[0])
    func number(_ what: String, _ number: Double) -> String {
      floats(node, what, [number], rank: 0)
    }
    switch activation {
    case .relu: emit("Relu", node, [x], value)
    case .leakyRelu(let slope): emit("LeakyRelu", node, [x], value, [("alpha", .float(slope))])
    case .elu(let alpha): emit("Elu", node, [x], value, [("alpha", .float(alpha))])
    case .sigmoid: emit("Sigmoid", node, [x], value)
    case .tanh: emit("Tanh", node, [x], value)
    case .clamp(let minimum, let maximum):
      emit("Clip", node, [x, number("min", minimum), number("max", maximum)], value)
    case .silu: emit("Mul", node, [x, step("Sigmoid", node, [x])], value)
    case .gelu(approximate: false):
      // x / 2 · (1 + erf(x / √2)): an operator of its own is younger than version 17.
      let scaled = step("Mul", node, [x, number("root", 0.5.squareRoot())])
      let curve = step("Add", node, [step("Erf", node, [scaled]), number("one", 1)])
      let half = step("Mul", node, [x, number("half", 0.5)])
      emit("Mul", node, [half, curve], value)
    case .gelu(approximate: true):
      // x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
      let square = step("Mul", node, [x, x])
      let cube = step("Mul", node, [square, x])
      let bent = step(
        "Add", node, [x, step("Mul", node, [cube, number("cubic", 0.044_715)])])
      let scaled = step(
        "Mul", node, [bent, number("root", (2 / Double.pi).squareRoot())])
      let curve = step("Add", node, [step("Tanh", node, [scaled]), number("one", 1)])
      let half = step("Mul", node, [x, number("half", 0.5)])
      emit("Mul", node, [half, curve], value)
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
    switch word {
    case "linear": return x
    case "relu": return try function(.relu, x, layer, name)
    case "relu6": return try function(.clamp(minimum: 0, maximum: 6), x, layer, name)
    case "leaky_relu": return try function(.leakyRelu(slope: 0.2), x, layer, name)
    case "elu", "celu": return try function(.elu(alpha: 1), x, layer, name)
    case "selu":
      let inner = try function(
        .elu(alpha: 1.6732632423543772), x, layer, "\(name).elu")
      return try add(.scale(Scale([1.0507009873554805])), [inner], name: name, of: layer)
    case "gelu": return try function(.gelu(approximate: false), x, layer, name)
    case "silu", "swish": return try function(.silu, x, layer, name)
    case "sigmoid": return try function(.sigmoid, x, layer, name)
    case "tanh": return try function(.tanh, x, layer, name)
    case "hard_tanh": return try function(.clamp(minimum: -1, maximum: 1), x, layer, name)
    case "hard_sigmoid": return try hardSigmoid(x, layer, name)
    case "hard_silu", "hard_swish":
      let gate = try hardSigmoid(x, layer, "\(name).gate")
      return try add(.binary(.multiply), [x, gate], name: name, of: layer)
    case "tanh_shrink":
      let bent = try function(.tanh, x, layer, "\(name).tanh")
      return try add(.binary(.subtract), [x, bent], name: name, of: layer)
    case "soft_shrink":
      let middle = try function(
        .clamp(minimum: -0.5, maximum: 0.5), x, layer, "\(name).clamp")
      return try add(.binary(.subtract), [x, middle], name: name, of: layer)
    case "softmax": return try softmax(x, axis: -1, layer, name: name)
    case "logsoftmax": return try softmax(x, axis: -1, layer, name: name, logarithm: true)
    default:
      throw layer.refusal("activation '\(word.prefix(60))' is not supported")
    }
  }

  /// max(0, min(1, x / 6 + 1 / 2)) in Keras 3, with x / 5 before.
  fileprivate mutating func hardSigmoid(
    _ x: KerasTensor, _ layer: KerasLayer, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let scaled = try add(
      .scale(Scale([isKeras3 ? 1.0 / 6 : 0.2])), [x], name: "\(name).scale", of: layer)
    let moved = try add(.offset(Offset([0.5])), [scaled], name: "\(name).offset", of: layer)
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

  /// Operations on single values, by the name of the activation that does the same.
  static let functions: [String: String] = [
    "relu": "relu", "relu6": "relu6", "elu": "elu", "selu": "selu", "silu": "silu",
    "swish": "silu", "sigmoid": "sigmoid", "tanh": "tanh", "hardsigmoid": "hard_sigmoid",
    "hardsilu": "hard_silu", "hardtanh": "hard_tanh",
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
}

extension NCNNImporter {
  mutating func activation(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    let largest = Double(Float.greatestFiniteMagnitude)
    let op: Op
    switch layer.type {
    case "ReLU":
      let slope = layer.number(0)
      op = .activation(slope == 0 ? .relu : .leakyRelu(slope: slope))
    case "Clip":
      op = try clamp(layer, layer.number(0, default: -largest), layer.number(1, default: largest))
    case "Sigmoid": op = .activation(.sigmoid)
    case "TanH": op = .activation(.tanh)
    case "ELU": op = .activation(.elu(alpha: layer.number(0, default: 0.1)))
    case "GELU": op = .activation(.gelu(approximate: layer.number(0) != 0))
    case "Swish": op = .activation(.silu)
    case "UnaryOp" where layer.number(0) == 1: op = .scale(Scale([-1]))
    case "UnaryOp" where layer.number(0) == 16: op = .activation(.tanh)
    case "HardSigmoid", "HardSwish":
      let gate = try hardSigmoid(
        layer, value, layer.number(0, default: 0.2), layer.number(1, default: 0.5))
      let isSwish = layer.type == "HardSwish"
      try give(layer, .value(isSwish ? try add(.binary(.multiply), layer, [value, gate]) : gate))
      return
    default: throw layer.unsupported("no operation computes it")
    }
    try give(layer, .value(try add(op, layer, [value])))
  }

  /// The activation that ncnn's optimiser moved into a layer (attributes 9 and 10).
  mutating func fused(_ layer: NCNNLayer, _ value: Int) throws(InterchangeError) -> Int {
    let numbers = layer.numbers(10)
    func number(_ position: Int) throws(InterchangeError) -> Double {
      guard position < numbers.count else {
        throw layer.unsupported("an activation without its numbers")
      }
      return numbers[position]
    }
    switch try layer.integer(9, in: 0...100) {
    case 0: return value
    case 1: return try add(.activation(.relu), layer, [value])
    case 2: return try add(.activation(.leakyRelu(slope: try number(0))), layer, [value])
    case 3: return try add(try clamp(layer, try number(0), try number(1)), layer, [value])
    case 4: return try add(.activation(.sigmoid), layer, [value])
    case 6:
      let gate = try hardSigmoid(layer, value, try number(0), try number(1))
      return try add(.binary(.multiply), layer, [value, gate])
    case let other: throw layer.unsupported("a fused activation of kind \(other)")
    }
  }

  /// min(max(alpha · x + beta, 0), 1)
  mutating func hardSigmoid(
    _ layer: NCNNLayer, _ value: Int, _ alpha: Double, _ beta: Double
  ) throws(InterchangeError) -> Int {
    let scaled = try add(.scale(Scale([alpha])), layer, [value])
    let moved = try add(.offset(Offset([beta])), layer, [scaled])
    return try add(.activation(.clamp(minimum: 0, maximum: 1)), layer, [moved])
  }

  func clamp(
    _ layer: NCNNLayer, _ minimum: Double, _ maximum: Double
  ) throws(InterchangeError) -> Op {
    guard minimum <= maximum else { throw layer.unsupported("from \(minimum) to \(maximum)") }
    return .activation(.clamp(minimum: minimum, maximum: maximum))
  }
}

extension Activation {
  /// The function as an expression of Python's.
  ///
  /// - Parameter object: the operand as something of which a method can be taken.
  func python(_ x: String, _ object: String) -> String {
    switch self {
    case .relu: "F.relu(\(x))"
    case .leakyRelu(let slope): "F.leaky_relu(\(x), \(slope))"
    case .elu(let alpha): alpha == 1 ? "F.elu(\(x))" : "F.elu(\(x), \(alpha))"
    case .gelu(let approximate):
      approximate ? "F.gelu(\(x), approximate=\"tanh\")" : "F.gelu(\(x))"
    case .silu: "F.silu(\(x))"
    case .sigmoid: "torch.sigmoid(\(x))"
    case .tanh: "torch.tanh(\(x))"
    case .clamp(let minimum, let maximum): "\(object).clamp(\(minimum), \(maximum))"
    }
  }
}
