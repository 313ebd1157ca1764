import AviaryGraph

/// What a model takes. Our graphs take images; rows and matrices are images of another shape.
extension KerasImport {
  /// The inputs of the model, each with the name of its layer.
  mutating func makeInputs() throws(InterchangeError) -> [KerasTensor] {
    var stated: [(name: String, shape: [Int?], layer: KerasLayer?)] = []
    if network.isSequential {
      let (layer, shape) = Self.firstShape(of: network)
      // Keras calls the input of a layer that states its shape so, too.
      let name = layer.map { $0.className == "InputLayer" ? $0.name : "\($0.name)_input" }
      stated = [(name ?? "input", try dimensions(shape, of: layer), layer)]
    } else {
      for reference in network.inputs {
        guard let layer = network.layers.first(where: { $0.name == reference.layer }) else {
          throw .description(
            part: "input_layers", problem: "expected layer \(reference.layer), found none")
        }
        stated.append(
          (layer.name, try dimensions(Self.statedShape(of: layer), of: layer), layer))
      }
    }
    guard !stated.isEmpty else {
      throw .description(part: "the model", problem: "expected at least one input, found none")
    }
    guard stated.count <= GraphLimits.inputs else {
      throw .graph(.limit("inputs", value: stated.count, limit: GraphLimits.inputs))
    }
    for input in stated {
      inputs.append(try self.input(uniqueName(KerasParser.sound(input.name)), input.shape))
    }
    // Nodes come after all inputs.
    var values: [KerasTensor] = []
    for (position, input) in stated.enumerated() {
      values.append(try value(position, input.shape, of: input.layer))
    }
    return values
  }

  /// The shape that an input layer, or a Sequential's first layer, states: the first dimension is
  /// that of images.
  static func statedShape(of layer: KerasLayer) -> JSON? {
    layer.option(["batch_shape", "batch_input_shape"])
      ?? layer.option(["input_shape"]).flatMap { shape in
        shape.array.map { .array([.null] + $0) }
      }
  }

  private static func firstShape(of network: KerasNetwork) -> (KerasLayer?, JSON?) {
    guard let first = network.layers.first else { return (nil, network.builtShape) }
    if let shape = statedShape(of: first) { return (first, shape) }
    if let inner = first.network {
      if inner.isSequential {
        let found = firstShape(of: inner)
        if found.1 != nil { return found }
      } else if let reference = inner.inputs.first,
        let layer = inner.layers.first(where: { $0.name == reference.layer })
      {
        return (layer, statedShape(of: layer))
      }
    }
    return (first, network.builtShape)
  }

  private func dimensions(
    _ shape: JSON?, of layer: KerasLayer?
  ) throws(InterchangeError) -> [Int?] {
    guard let list = shape?.array, (2...4).contains(list.count) else {
      let problem =
        "expected the shape of an input of 1 to 3 dimensions, found \(shape?.text ?? "none")"
      throw layer?.refusal(String(problem.prefix(200)))
        ?? .description(part: "the model", problem: problem)
    }
    var result: [Int?] = []
    for size in list.dropFirst() {
      if let size = size.int, !(1...GraphLimits.channels).contains(size) {
        throw .description(
          part: layer?.name ?? "the model",
          problem: "expected sizes of 1 to \(GraphLimits.channels), found \(size)")
      }
      result.append(size.int)
    }
    return result
  }

  /// The graph's input for a shape less the first dimension.
  private func input(_ name: String, _ shape: [Int?]) throws(InterchangeError) -> Graph.Input {
    func known(_ size: Int?) throws(InterchangeError) -> Int {
      guard let size else {
        throw .description(
          part: "input \(name)", problem: "expected a stated number of channels, found none")
      }
      return size
    }
    switch shape.count {
    case 3:
      let channels = try known(isChannelsFirst ? shape[0] : shape[2])
      let sides = isChannelsFirst ? shape[1...] : shape[..<2]
      guard let height = sides[sides.startIndex], let width = sides[sides.startIndex + 1] else {
        return Graph.Input(name, channels: channels)
      }
      return Graph.Input(name, channels: channels, size: Size(height, width))
    case 2:
      return Graph.Input(name, channels: 1, size: Size(try known(shape[0]), try known(shape[1])))
    default: return Graph.Input(name, channels: try known(shape[0]), size: 1)
    }
  }

  /// The side on which a graph of any size is checked.
  private static let nominalSide = 7_680

  /// The value of an input, in the shape that Keras's layers see.
  private mutating func value(
    _ position: Int, _ shape: [Int?], of layer: KerasLayer?
  ) throws(InterchangeError) -> KerasTensor {
    let input = inputs[position]
    let size = input.size ?? Size(Self.nominalSide)
    var value = KerasTensor(
      index: position, shape: [1, input.channels, size.height, size.width],
      axes: KerasTensor.pictureAxes(channelsFirst: isChannelsFirst))
    if shape.count == 3 { return value }
    // A row or a matrix goes in as an image of as many channels, or as one channel.
    sizeReason = "input \(input.name)"
    let target = shape.map { $0 ?? 1 }
    value = add(
      .reshape(Reshape([0] + target)), [value], shape: [1] + target, name: "\(input.name).reshaped")
    value.axes = Array(0...target.count)
    value.isSized = shape.count == 2
    notes.append(
      "input \(input.name): \(target.count == 1 ? "a row" : "a matrix") of \(target) goes in as a"
        + " image of \(input.channels) channels, \(size.height)x\(size.width)")
    return value
  }

  /// Whether all inputs state their size, so that sizes inside are what they will be.
  var isSizeKnown: Bool { inputs.allSatisfy { $0.size != nil } }

  /// Notes that a layer needs the stated size.
  mutating func needSize(_ value: KerasTensor, _ layer: KerasLayer) throws(InterchangeError) {
    guard value.isSized else { return }
    guard isSizeKnown else {
      throw layer.refusal("expected a stated size of the input, found none")
    }
    sizeReason = sizeReason ?? "layer \(layer.name)"
  }
}

/// Where axes lie: images made NCHW, rows made ordered, where an operation wants them so.
extension KerasImport {
  /// The axis that Keras means by a number, which counts from behind where it is negative.
  func axis(_ number: Int, of value: KerasTensor, _ layer: KerasLayer) throws(InterchangeError)
    -> Int
  {
    guard (-value.rank..<value.rank).contains(number) else {
      throw layer.refusal("axis \(number): expected one of \(value.rank) axes")
    }
    return number < 0 ? number + value.rank : number
  }

  /// The only axis of a layer.
  func axis(
    _ layer: KerasLayer, _ x: KerasTensor, default absent: Int = -1
  ) throws(InterchangeError) -> Int {
    let value = layer.option(["axis"])
    let numbers = value?.array?.map(\.int) ?? [value == nil ? absent : value?.int]
    guard numbers.count == 1, let number = numbers[0] else {
      throw layer.refusal("axis: expected one axis, found \((value ?? .null).text.prefix(60))")
    }
    return try axis(number, of: x, layer)
  }

  /// The value with its axes in these places.
  mutating func arranged(
    _ value: KerasTensor, as axes: [Int], _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let value = try unflattened(value, name)
    if value.axes == axes { return value }
    var order = axes
    for (old, new) in zip(value.axes, axes) { order[new] = old }
    var result = add(
      .permute(Permute(order)), [value], shape: order.map { value.shape[$0] },
      name: "\(name).permuted")
    result.axes = axes
    return result
  }

  /// An image as our operations take it.
  mutating func picture(
    _ value: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard value.rank == 4 else {
      throw layer.refusal("expected an image, found shape \(value.kerasShape)")
    }
    let isFirst = layer.isChannelsFirst ?? isChannelsFirst
    return try arranged(
      value, as: KerasTensor.pictureAxes(channelsFirst: isFirst), layer.fullName)
  }

  /// The value with an axis of Keras's as dimension 1, where channels are.
  mutating func withChannels(
    _ axis: Int, _ value: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard axis > 0 else { throw layer.refusal("axis 0, that of images, is not supported") }
    let value = try unflattened(value, layer.fullName)
    if value.axes[axis] == 1 { return value }
    var axes = [0] + Array(2..<value.rank)
    axes.insert(1, at: axis)
    return try arranged(value, as: axes, layer.fullName)
  }

  /// A row whose elements lie as Keras counts them.
  mutating func unflattened(
    _ value: KerasTensor, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    guard let flattened = value.flattened else { return value }
    var picture = value
    picture.flattened = nil
    picture = add(
      .reshape(Reshape([0] + flattened.shape)), [picture], shape: [1] + flattened.shape,
      name: "\(name).unflattened")
    picture.axes = [0] + flattened.axes.map { $0 + 1 }
    let turned = try arranged(picture, as: Array(picture.axes.indices), name)
    var row = add(
      .reshape(Reshape([0, value.shape[1]])), [turned], shape: value.shape,
      name: "\(name).flattened")
    row.axes = [0, 1]
    return row
  }

  /// A value as the network gives it: an image in NCHW, anything else as Keras has it.
  mutating func ordered(
    _ value: KerasTensor, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let axes =
      value.rank == 4
      ? KerasTensor.pictureAxes(channelsFirst: isChannelsFirst) : Array(0..<value.rank)
    return try arranged(value, as: axes, KerasParser.sound(name))
  }

  /// An image made a row, which keeps its order as long as nobody asks for Keras's.
  mutating func flattened(
    _ value: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    if value.rank == 2 { return value }
    guard value.rank > 2 else {
      throw layer.refusal("expected 2 or more axes, found \(value.rank)")
    }
    try needSize(value, layer)
    let value = try unflattened(value, layer.fullName)
    let shape = Array(value.shape.dropFirst())
    let count = shape.reduce(1, *)
    var row = add(
      .reshape(Reshape([0, count])), [value], shape: [1, count], name: layer.fullName)
    row.axes = [0, 1]
    row.isSized = false
    // channels_first counts by pixels all the same.
    var axes = value.axes.dropFirst().map { $0 - 1 }
    if layer.isChannelsFirst == true { axes.append(axes.removeFirst()) }
    // Dimensions of 1 have no order.
    let counted = axes.filter { shape[$0] > 1 }
    if counted != counted.sorted() { row.flattened = .init(shape: shape, axes: axes) }
    return row
  }

  /// The same elements in Keras's order under another shape.
  mutating func reshaped(
    _ value: KerasTensor, to target: [Int], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    try needSize(value, layer)
    guard (1..<GraphLimits.rank).contains(target.count),
      target.allSatisfy({ $0 == -1 || (1...GraphLimits.dimension).contains($0) }),
      target.count(where: { $0 == -1 }) <= 1
    else { throw layer.refusal("target shape \(target): expected sizes above 0 and one -1") }
    let plain = try arranged(value, as: Array(0..<value.rank), layer.fullName)
    var result = try add(.reshape(Reshape([0] + target)), [plain], name: layer.fullName, of: layer)
    result.axes = Array(result.shape.indices)
    result.isSized = false
    return result
  }
}
