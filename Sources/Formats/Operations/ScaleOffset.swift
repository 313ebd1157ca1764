import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

/// An operation with one constant for all, or one a channel.
private protocol ExchangedConstants: ExchangedOperation {
  var values: [Double] { get }
  /// ONNX's operator, what its constant is called, and Python's operator.
  static var words: (onnx: String, constant: String, python: String) { get }
  /// What Keras's layer is given.
  var affine: (scale: [Double]?, offset: [Double]?) { get }
}

extension ExchangedConstants {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let input = node.inputs[0]
    let numbers = writer.floats(
      node, Self.words.constant, values, rank: writer.shapes[input].count)
    writer.emit(Self.words.onnx, node, [writer.name(input), numbers], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.affine(inputs[0], scale: affine.scale, offset: affine.offset, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = expression.object(inputs[0])
    return "\(x) \(Self.words.python) \(expression.constant(values, inputs[0]))"
  }

  var repeatsOperand: Bool { values.count > 1 }
}

extension Scale: ExchangedConstants {
  static var words: (onnx: String, constant: String, python: String) { ("Mul", "factor", "*") }
  var affine: (scale: [Double]?, offset: [Double]?) { (values, nil) }
}

extension Offset: ExchangedConstants {
  static var words: (onnx: String, constant: String, python: String) { ("Add", "term", "+") }
  var affine: (scale: [Double]?, offset: [Double]?) { (nil, values) }
}

extension Scale: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Neg": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    .value(try reader.scaled(try reader.value(0), [-1]))
  }
}

extension Scale: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["Rescaling", "Normalization"]
  static let kerasFunctions = ["negative"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    if layer.className == "Normalization" { return try importer.normalization(layer, x) }
    return try importer.rescaled(
      x, by: try layer.number(["scale"], default: 1),
      plus: try layer.number(["offset"], default: 0), layer)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    let layer = function.layer
    return try importer.add(
      .scale(Scale([-1])), [function.x], name: layer.fullName, of: layer)
  }
}

extension Scale: NCNNReadOperation {
  static let ncnnLayers = ["Scale"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] {
    // -233: the factors come from another layer.
    if layer.layer.integer(0) == -233 { return [] }
    return layer.vectors(
      try layer.size(1) == 0 ? ["weight"] : ["weight", "bias"], try layer.size(0))
  }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.scale(layer)
  }
}

extension ONNXReader {
  /// The numbers at an input: one for all, or one for each channel of a value.
  func terms(_ input: Int, for value: Int) throws(InterchangeError) -> [Double] {
    guard let numbers = try numbers(input) else {
      throw unsupported("input \(input + 1): numbers are needed, and it depends on values")
    }
    // One number over and over, which may fill a shape as large as the value.
    if let number = numbers.uniform {
      let fits = shapes[value].indices.allSatisfy { sample in
        let own = shapes[value][sample]
        return (try? NumberArray.broadcast(own, numbers.array(sample).shape)) == own
      }
      guard fits else {
        throw unsupported(
          "input \(input + 1): a constant of shape \(numbers.shape) makes shape "
            + "\(shapes[value][0]) larger")
      }
      return [number.meant]
    }
    guard let constant = numbers.constant else {
      throw unsupported("input \(input + 1): the numbers depend on the size of the image")
    }
    let rank = rank(value)
    let shape = [Int](repeating: 1, count: max(rank - numbers.shape.count, 0)) + numbers.shape
    guard rank >= 2, shape.count == rank, shape[1] == constant.count,
      shapes[value][0][1] == constant.count
    else {
      throw unsupported(
        "input \(input + 1): expected one number, or one for each of \(rank >= 2 ? shapes[value][0][1] : 0) "
          + "channels, found a constant of shape \(numbers.shape)")
    }
    return constant.map(\.meant)
  }

  /// A value times numbers. Factors that follow one another become one.
  mutating func scaled(_ value: Int, _ factors: [Double]) throws(InterchangeError) -> Int {
    if let source = source(value), case .scale(let earlier) = source.op,
      earlier.values.count == 1
    {
      let product = factors.map { $0 * earlier.values[0] }
      if product == [1] { return source.inputs[0] }
      return try add(.scale(Scale(product)), source.inputs)
    }
    return factors == [1] ? value : try add(.scale(Scale(factors)), [value])
  }

  mutating func shifted(_ value: Int, _ terms: [Double]) throws(InterchangeError) -> Int {
    terms == [0] ? value : try add(.offset(Offset(terms)), [value])
  }
}

extension KerasImport {
  /// The value times a number plus a number.
  mutating func rescaled(
    _ x: KerasTensor, by scale: Double, plus offset: Double, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    var x = x
    if scale != 1 { x = try add(.scale(Scale([scale])), [x], name: layer.fullName, of: layer) }
    if offset != 0 {
      x = try add(
        .offset(Offset([offset])), [x],
        name: scale != 1 ? "\(layer.fullName).offset" : layer.fullName, of: layer)
    }
    return x
  }

  /// (x - mean) / deviation by numbers that the layer states or found in its images.
  mutating func normalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let isShared = layer.config["axis"] == .null
    let channelAxis = isShared ? x.rank - 1 : try axis(layer, x)
    let x = try withChannels(channelAxis, x, layer)
    let count = isShared ? 1 : x.shape[1]
    func stated(_ name: String) throws(InterchangeError) -> [Double]? {
      guard let value = layer.option([name]) else { return nil }
      var numbers: [Double] = []
      var rest = [value]
      while let next = rest.popLast() {
        if let number = next.double { numbers.append(number) }
        rest += (next.array ?? next["config"]?["value"].map { [$0] } ?? []).reversed()
      }
      guard numbers.count == count || numbers.count == 1 else {
        throw layer.refusal("\(name): expected \(count) numbers, found \(numbers.count)")
      }
      return numbers
    }
    let means: [Double]
    let variances: [Double]
    if let mean = try stated("mean") {
      means = mean
      variances = try stated("variance") ?? [1]
    } else {
      means = try numbers(of: ["mean", "0"], count: count, layer)
      variances = try numbers(of: ["variance", "1"], count: count, layer)
    }
    guard (means + variances).allSatisfy(\.isFinite), variances.allSatisfy({ $0 >= 0 }) else {
      throw layer.refusal("expected finite means and variances of 0 or more")
    }
    // Keras's least deviation.
    let deviations = variances.map { max($0.squareRoot(), 1e-7) }
    let isInverse = try layer.flag(["invert"], default: false)
    if isInverse {
      let scaled = try add(
        .scale(Scale(deviations)), [x], name: "\(layer.fullName).scale", of: layer)
      return try add(.offset(Offset(means)), [scaled], name: layer.fullName, of: layer)
    }
    let centred = try add(
      .offset(Offset(means.map { -$0 })), [x], name: "\(layer.fullName).mean", of: layer)
    return try add(
      .scale(Scale(deviations.map { 1 / $0 })), [centred], name: layer.fullName, of: layer)
  }

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
        throw layer.refusal("expected \(x.shape[1]) numbers, found \(numbers.count)")
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
    default:
      // Nothing is less than itself, NaN included: zeros, to which the numbers are added.
      let zeros = try add(.binary(.less), [x, x], name: "\(name).zeros", of: layer)
      let constant = try add(
        .offset(Offset(numbers)), [zeros], name: "\(name).constant", of: layer)
      return try isFirst
        ? pair(constant, x, kind, layer, name) : pair(x, constant, kind, layer, name)
    }
  }

  /// One number, or one for each channel: of more dimensions only the last may have a size.
  static func numbers(_ json: JSON, _ layer: KerasLayer) throws(InterchangeError) -> [Double] {
    var rest = json["config"]?["value"] ?? json
    while let list = rest.array, list.count == 1 { rest = list[0] }
    let numbers = rest.array?.compactMap(\.double) ?? rest.double.map { [$0] } ?? []
    guard !numbers.isEmpty, numbers.count == rest.array?.count ?? 1,
      numbers.count <= GraphLimits.channels, numbers.allSatisfy(\.isFinite)
    else { throw layer.refusal("expected one number, or one a channel, as a constant") }
    return numbers
  }
}

extension KerasBuilder {
  /// x · scale + offset, by one number or one a channel.
  mutating func affine(
    _ x: PlacedValue, scale: [Double]?, offset: [Double]?, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let channels = scale?.count ?? offset?.count ?? 1
    if channels == 1 {
      return add(
        "Rescaling", name,
        ["scale": .number(scale?[0] ?? 1), "offset": .number(offset?[0] ?? 0)], [x])
    }
    guard x.order.count == 4 else {
      throw refusal(name, "constants a channel for what is no image")
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
}

extension NCNNImporter {
  /// A factor, and a number to add, for each channel: a convolution of single pixels.
  mutating func scale(_ layer: NCNNLayer) throws(InterchangeError) {
    // -233: the factors, one for each channel, are another layer's.
    if layer.integer(0) == -233 {
      let given = try values(of: layer, count: 2)
      let (value, factors) = try aligned(layer, given[0], given[1])
      guard shape(factors).count == 4, shape(factors)[1...] == [shape(value)[1], 1, 1] else {
        throw layer.unsupported("expected one factor for each channel")
      }
      return try give(layer, .value(try add(.binary(.multiply), layer, [value, factors])))
    }
    let value = try values(of: layer)[0]
    let channels = try layer.integer(0, in: 1...GraphLimits.channels)
    let bias = try layer.integer(1, in: 0...1) == 1
    steps["\(layer.name).weight"] = [.reshaped(from: [channels], to: [channels, 1, 1, 1])]
    let op = Op.convolution(
      Convolution(outChannels: channels, kernel: 1, groups: channels, bias: bias))
    try give(
      layer,
      .value(
        try add(op, layer, [value], parameters: bias ? ["weight", "bias"] : ["weight"])))
  }
}

extension PyTorchOperation {
  /// One number, or one a channel for a value of the input's rank.
  func constant(_ values: [Double], _ x: String) -> String {
    if values.count == 1 { return values[0] < 0 ? "(\(values[0]))" : "\(values[0])" }
    let ones = String(repeating: ", 1", count: max(shapes.rank(node.inputs[0]) - 2, 0))
    return "\(object(x)).new_tensor(\(values)).view(-1\(ones))"
  }
}

extension Scale: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.arithmetic(2, values, node, value)
  }
}

extension Offset: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.arithmetic(0, values, node, value)
  }
}

extension NCNNWriter {
  /// Arithmetic of a kind of BinaryOp with one number, or with one for each channel.
  fileprivate mutating func arithmetic(
    _ kind: Int, _ numbers: [Double], _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let input = blob(node.inputs[0])
    if numbers.count == 1 {
      return try emit(
        "BinaryOp", node, [input], value,
        [(0, .integer(kind)), (1, .integer(1)), (2, .float(numbers[0]))])
    }
    let ones = [Int](repeating: 1, count: shapes[value].count - 2)
    let constant = try constant(node, numbers, shape: [numbers.count] + ones)
    try emit("BinaryOp", node, [input, constant], value, [(0, .integer(kind))])
  }
}
