import AviaryGraph

/// What a model takes. Our graphs take pictures; rows and matrices are pictures of another shape.
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
            part: "input_layers", problem: "layer \(reference.layer) expected, none found")
        }
        stated.append(
          (layer.name, try dimensions(Self.statedShape(of: layer), of: layer), layer))
      }
    }
    guard !stated.isEmpty else {
      throw .description(part: "the model", problem: "at least one input expected, none found")
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
  /// that of pictures.
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
        "the shape of an input of 1 to 3 dimensions expected, \(shape?.text ?? "none") found"
      throw layer?.refusal(String(problem.prefix(200)))
        ?? .description(part: "the model", problem: problem)
    }
    var result: [Int?] = []
    for size in list.dropFirst() {
      if let size = size.int, !(1...GraphLimits.channels).contains(size) {
        throw .description(
          part: layer?.name ?? "the model",
          problem: "sizes of 1 to \(GraphLimits.channels) expected, \(size) found")
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
          part: "input \(name)", problem: "a stated number of channels expected, none found")
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
    // A row or a matrix goes in as a picture of as many channels, or as one channel.
    sizeReason = "input \(input.name)"
    let target = shape.map { $0 ?? 1 }
    value = add(
      .reshape(Reshape([0] + target)), [value], shape: [1] + target, name: "\(input.name).reshaped")
    value.axes = Array(0...target.count)
    value.isSized = shape.count == 2
    notes.append(
      "input \(input.name): \(target.count == 1 ? "a row" : "a matrix") of \(target) goes in as a"
        + " picture of \(input.channels) channels, \(size.height)x\(size.width)")
    return value
  }

  /// Whether all inputs state their size, so that sizes inside are what they will be.
  var isSizeKnown: Bool { inputs.allSatisfy { $0.size != nil } }

  /// Notes that a layer needs the stated size.
  mutating func needSize(_ value: KerasTensor, _ layer: KerasLayer) throws(InterchangeError) {
    guard value.isSized else { return }
    guard isSizeKnown else {
      throw layer.refusal("a stated size of the input expected, none found")
    }
    sizeReason = sizeReason ?? "layer \(layer.name)"
  }
}
