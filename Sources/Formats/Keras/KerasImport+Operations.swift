import AviaryGraph

/// Operations that stand among layers: TensorFlow's functions in Keras 2, Keras 3's own, and Lambda
/// layers of a function with a known name. No function's code is ever looked at.
extension KerasImport {
  /// What an operation gives.
  mutating func operation(
    _ layer: KerasLayer, _ given: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor {
    let word = try operationName(layer)
    var operands = given
    if let kind = Self.elementwise[word] {
      if operands.count == 1, let other = call.options["y"] ?? call.options["x2"] {
        operands.append(.constant(other))
      }
      return try combined(operands, kind, layer)
    }
    func option(_ names: String...) -> JSON? {
      for name in names {
        if let value = call.options[name] ?? layer.option([name])
          ?? layer.config["arguments"]?[name],
          value != .null
        {
          return value
        }
      }
      return nil
    }
    if word == "concat" || word == "concatenate" {
      return try concatenated(
        try values(operands, of: layer), axis: option("axis")?.int ?? -1, layer)
    }
    if word == "getitem" {
      guard case .value(let x)? = operands.first else {
        throw layer.refusal("a value as the first operand expected")
      }
      let indices = operands.dropFirst().compactMap { operand -> JSON? in
        guard case .constant(let json) = operand else { return nil }
        return json
      }
      return try sliced(x, call.options["slice_spec"]?.array ?? indices, layer)
    }
    guard case .value(let x)? = operands.first else {
      throw layer.refusal("a value as the first operand expected")
    }
    // Further operands are what others give as options.
    var arguments: [JSON] = []
    for operand in operands.dropFirst() {
      guard case .constant(let json) = operand else {
        throw layer.refusal("one value expected, \(operands.count) found")
      }
      arguments.append(json)
    }
    let name = layer.fullName
    switch word {
    case "depthtospace", "spacetodepth":
      return try shuffled(
        x, isInverse: word == "spacetodepth",
        by: (option("block_size") ?? arguments.first)?.int, format: option("data_format")?.string,
        layer)
    case "clip", "clipbyvalue":
      let numbers = arguments.compactMap(\.double)
      guard let least = option("x_min", "clip_value_min", "min_value")?.double ?? numbers.first,
        let most = option("x_max", "clip_value_max", "max_value")?.double ?? numbers.last,
        least <= most, (most - least).isFinite
      else { throw layer.refusal("two numbers as limits expected") }
      return try function(.clamp(minimum: least, maximum: most), x, layer, name)
    case "leakyrelu":
      let slope = option("negative_slope", "alpha")?.double ?? arguments.first?.double ?? 0.2
      return try function(.leakyRelu(slope: slope), x, layer, name)
    case "gelu":
      // TensorFlow's is exact unless stated, Keras 3's operation approximate.
      let absent = layer.module.contains(".ops")
      return try function(
        .gelu(approximate: option("approximate")?.bool ?? absent), x, layer, name)
    case "convolution", "conv2d", "depthwiseconv2d", "depthwiseconv2dnative":
      guard let kernel = option("filters", "filter") ?? arguments.first else {
        throw layer.refusal("a kernel in the configuration expected, none found")
      }
      return try convolution(
        ofConstants: kernel, x, isDepthwise: word.hasPrefix("depthwise"), options: call.options,
        layer)
    case "pad":
      return try padded(x, option("paddings") ?? arguments.first, options: call.options, layer)
    case "erf": return try errorFunction(of: x, layer)
    case "negative": return try add(.scale(Scale([-1])), [x], name: name, of: layer)
    case "square": return try add(.binary(.multiply), [x, x], name: name, of: layer)
    case "identity", "stopgradient", "converttotensor": return x
    case "softmax":
      return try softmax(x, axis: option("axis")?.int ?? -1, layer, name: name)
    case "reshape":
      guard let target = (option("newshape", "shape") ?? arguments.first)?.array?.compactMap(\.int),
        target.count > 1, target[0] == -1 || target[0] == 1
      else { throw layer.refusal("a shape that begins with -1 expected") }
      return try reshaped(x, to: Array(target.dropFirst()), layer)
    case "transpose":
      return try transposed(
        x, (option("axes", "perm") ?? arguments.first)?.array?.compactMap(\.int) ?? [], layer)
    case "mean", "reducemean": return try mean(x, layer, option("axis"), option("keepdims"))
    default:
      if let function = Self.functions[word] {
        return try self.function(function, x, layer, name: name)
      }
      throw layer.refusal("operation '\(word.prefix(60))' is not supported")
    }
  }

  /// The operation's name in small letters, less what its versions differ in.
  func operationName(_ layer: KerasLayer) throws(InterchangeError) -> String {
    let stated: String
    switch layer.className {
    case "TFOpLambda", "SlicingOpLambda": stated = layer.config["function"]?.string ?? ""
    case "TensorFlowOpLayer": stated = layer.config["node_def"]?["op"]?.string ?? ""
    case "Lambda":
      let function = layer.config["function"]
      guard let name = function?.string ?? function?["config"]?.string,
        Self.lambdas.contains(Self.plain(name))
      else {
        throw layer.refusal(
          "a function of the user's own, which is never run; known by name are depth_to_space and"
            + " space_to_depth")
      }
      stated = name
    default: stated = layer.className
    }
    guard !stated.isEmpty else {
      throw layer.refusal("the name of an operation expected, none found")
    }
    return Self.plain(stated)
  }

  private static func plain(_ name: String) -> String {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    let word = last.lowercased().filter { $0 != "_" }
    return word.hasSuffix("v2") ? String(word.dropLast(2)) : word
  }

  /// The functions that a Lambda's name plainly means, as TensorFlow alone has them.
  private static let lambdas: Set<String> = ["depthtospace", "spacetodepth"]

  /// Operations on two values, by the layer that does the same.
  private static let elementwise: [String: String] = [
    "add": "Add", "subtract": "Subtract", "sub": "Subtract", "multiply": "Multiply",
    "mul": "Multiply", "divide": "Divide", "truediv": "Divide", "truedivide": "Divide",
    "maximum": "Maximum", "minimum": "Minimum",
  ]

  /// Operations on single values, by the name of the activation that does the same.
  private static let functions: [String: String] = [
    "relu": "relu", "relu6": "relu6", "elu": "elu", "selu": "selu", "silu": "silu",
    "swish": "silu", "sigmoid": "sigmoid", "tanh": "tanh", "hardsigmoid": "hard_sigmoid",
    "hardsilu": "hard_silu", "hardtanh": "hard_tanh",
  ]

  /// TensorFlow's pixel shuffle, channels counted by pixels first.
  private mutating func shuffled(
    _ x: KerasTensor, isInverse: Bool, by factor: Int?, format: String?, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard let factor, (1...64).contains(factor) else {
      throw layer.refusal(
        "block_size: 1 to 64 expected, \(factor.map(String.init) ?? "none") found")
    }
    var plain = layer
    plain.config = ["data_format": .string(format ?? "channels_last")]
    let x = try picture(x, plain)
    if plain.isChannelsFirst == true, layer.module.contains(".ops") {
      assumed.append(
        "layer \(layer.name): channels in TensorFlow's order; Keras on PyTorch counts them otherwise"
      )
    }
    return try add(
      isInverse
        ? .pixelUnshuffle(PixelUnshuffle(factor: factor, order: .tensorflow))
        : .pixelShuffle(PixelShuffle(factor: factor, order: .tensorflow)), [x],
      name: layer.fullName, of: layer)
  }

  /// A mean over some of Keras's axes.
  private mutating func mean(
    _ x: KerasTensor, _ layer: KerasLayer, _ axes: JSON?, _ keeps: JSON?
  ) throws(InterchangeError) -> KerasTensor {
    var dimensions: [Int] = []
    let x = try unflattened(x, layer.fullName)
    for number in axes?.array ?? axes.map({ [$0] }) ?? [] {
      guard let number = number.int else { throw layer.refusal("axis: whole numbers expected") }
      dimensions.append(x.axes[try axis(number, of: x, layer)])
    }
    guard !dimensions.isEmpty, Set(dimensions).count == dimensions.count, !dimensions.contains(0)
    else { throw layer.refusal("axis: different axes, not that of pictures, expected") }
    var result = try add(
      .reduce(Reduction(.mean, dimensions: dimensions.sorted())), [x], name: layer.fullName,
      of: layer)
    result.isSized = x.isSized && !(dimensions.contains(2) && dimensions.contains(3))
    if keeps?.bool ?? (keeps?.int == 1) { return result }
    let kept = x.axes.filter { !dimensions.contains($0) }
    // What is left, in Keras's order.
    let plain = try arranged(result, as: Array(0..<x.rank), layer.fullName)
    let shape = kept.map { x.shape[$0] }
    guard shape.count >= 2, !result.isSized else {
      throw layer.refusal("a mean over rows and columns, or with keepdims, expected")
    }
    var row = add(
      .reshape(Reshape([0] + shape.dropFirst())), [plain], shape: shape,
      name: "\(layer.fullName).row")
    row.axes = Array(shape.indices)
    return row
  }

  // MARK: Constants

  /// A value and numbers of the configuration.
  mutating func constant(
    _ x: KerasTensor, _ json: JSON, _ kind: String, isFirst: Bool, _ layer: KerasLayer,
    _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let numbers = try Self.numbers(json, layer)
    var x = x
    if numbers.count > 1 {
      x = try withChannels(x.rank - 1, x, layer)
      guard x.shape[1] == numbers.count else {
        throw layer.refusal("\(x.shape[1]) numbers expected, \(numbers.count) found")
      }
    }
    let limit = Double(Float.greatestFiniteMagnitude)
    switch (kind, isFirst) {
    case ("Add", _): return try add(.offset(Offset(numbers)), [x], name: name, of: layer)
    case ("Multiply", _): return try add(.scale(Scale(numbers)), [x], name: name, of: layer)
    case ("Subtract", false):
      return try add(.offset(Offset(numbers.map { -$0 })), [x], name: name, of: layer)
    case ("Subtract", true):
      let negative = try add(.scale(Scale([-1])), [x], name: "\(name).negative", of: layer)
      return try add(.offset(Offset(numbers)), [negative], name: name, of: layer)
    case ("Divide", false) where numbers.allSatisfy { (1 / $0).isFinite }:
      return try add(.scale(Scale(numbers.map { 1 / $0 })), [x], name: name, of: layer)
    case ("Maximum", _) where numbers.count == 1 && abs(numbers[0]) < limit:
      return try function(.clamp(minimum: numbers[0], maximum: limit), x, layer, name)
    case ("Minimum", _) where numbers.count == 1 && abs(numbers[0]) < limit:
      return try function(.clamp(minimum: -limit, maximum: numbers[0]), x, layer, name)
    default: throw layer.refusal("a constant as an operand of it is not supported")
    }
  }

  /// One number, or one for each channel: of more dimensions only the last may have a size.
  static func numbers(_ json: JSON, _ layer: KerasLayer) throws(InterchangeError) -> [Double] {
    var rest = json["config"]?["value"] ?? json
    while let list = rest.array, list.count == 1 { rest = list[0] }
    let numbers = rest.array?.compactMap(\.double) ?? rest.double.map { [$0] } ?? []
    guard !numbers.isEmpty, numbers.count == rest.array?.count ?? 1,
      numbers.count <= GraphLimits.channels, numbers.allSatisfy(\.isFinite)
    else { throw layer.refusal("one number, or one a channel, as a constant expected") }
    return numbers
  }
}
