import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Concatenate: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      "Concat", node, node.inputs.map { writer.name($0) }, value, [("axis", .integer(1))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    let x = inputs[0]
    if inputs.count == 1 { return x }
    var arranged = [x]
    for other in inputs.dropFirst() {
      arranged.append(try builder.arranged(other, x.order, node.name))
    }
    var shape = x.place.shape
    shape[x.axis(of: 1)] = builder.shapes.channels(
      builder.graph.inputs.count + builder.position)
    return builder.add(
      "Concatenate", node.name, ["axis": .int(x.axis(of: 1))], arranged, shape: shape)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "torch.cat([\(inputs.joined(separator: ", "))], 1)"
  }
}

extension Concatenate: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Concat": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.concatenation()
  }
}

extension Concatenate: KerasMergeOperation {
  static let kerasMerges = ["Concatenate"]
  static let kerasMergeFunctions = ["concat", "concatenate"]

  static func merge(
    _ layer: KerasLayer, function word: String?, _ operands: [KerasImport.Operand],
    _ call: KerasCall, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    guard word != nil else { return try importer.merge(layer, operands, call) }
    let axis = KerasFunction.option(["axis"], call, layer)?.int ?? -1
    return try importer.concatenated(
      try importer.values(operands, of: layer), axis: axis, layer)
  }
}

extension Concatenate: NCNNReadOperation {
  static let ncnnLayers = ["Concat"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.concatenate(layer)
  }
}

extension ChannelSlice: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.slice(node, value, axes: [1], from: [start], to: [start + count])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.slice(
      try builder.picture(inputs[0], node.name), start: start, count: count, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "\(expression.object(inputs[0]))[:, \(start):\(start + count)]"
  }
}

extension ChannelSlice: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Slice": [], "Split": [], "Gather": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    switch reader.node.kind {
    case "Split": try reader.split()
    case "Gather": try reader.gather()
    default: try reader.slice()
    }
  }
}

extension ChannelSlice: KerasFunctionOperation {
  static let kerasFunctions = ["getitem"]

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.sliced(
      function.x, function.call.options["slice_spec"]?.array ?? function.arguments,
      function.layer)
  }
}

extension ChannelSlice: NCNNReadOperation {
  static let ncnnLayers = ["Slice"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.slice(layer)
  }
}

extension ONNXReader {
  mutating func concatenation() throws(InterchangeError) -> ONNXOperand {
    var values: [Int] = []
    for input in node.inputs.indices { values.append(try value(input)) }
    guard let first = values.first, let axis = node.integer("axis") else {
      throw unsupported("inputs and an axis expected")
    }
    let dimension = try self.axis(axis, rank: rank(first))
    if dimension == 1 { return .value(try add(.concatenate, values)) }
    // Another dimension changes places with the channels for the time being.
    var order = Array(0..<rank(first))
    guard order.count >= 2 else { throw unsupported("at least 2 dimensions expected") }
    order.swapAt(1, dimension)
    var turned: [Int] = []
    for value in values { turned.append(try add(.permute(Permute(order)), [value])) }
    return .value(try add(.permute(Permute(order)), [try add(.concatenate, turned)]))
  }

  mutating func slice() throws(InterchangeError) -> ONNXOperand {
    var result = try value(0)
    for range in try sliceRanges() {
      guard range.step == 1 else { throw unsupported("steps of 1 expected, \(range.step) found") }
      let dimension = try axis(range.axis, rank: rank(result))
      var (before, after): (Int?, Int?) = (nil, nil)
      for shape in shapes[result] {
        let size = shape[dimension]
        func bounded(_ position: Int) -> Int {
          min(max(position < 0 ? position &+ size : position, 0), size)
        }
        let (start, end) = (bounded(range.start), bounded(range.end))
        guard before ?? start == start, after ?? (size - end) == size - end, start < end else {
          throw unsupported("a slice whose edges depend on the size of the picture")
        }
        (before, after) = (start, size - end)
      }
      guard let before, let after, before > 0 || after > 0 else { continue }
      let size = shapes[result][0][dimension]
      switch dimension {
      case 1:
        result = try add(
          .slice(ChannelSlice(start: before, count: size - before - after)), [result])
      case 2 where rank(result) == 4:
        result = try add(.crop(Crop(PaddingAmounts(before, 0, after, 0))), [result])
      case 3 where rank(result) == 4:
        result = try add(.crop(Crop(PaddingAmounts(0, before, 0, after))), [result])
      default: throw unsupported("a slice of dimension \(dimension) of \(rank(result))")
      }
    }
    return .value(result)
  }

  mutating func split() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard rank(input) >= 2, try axis(node.integer("axis") ?? 0, rank: rank(input)) == 1 else {
      throw unsupported("a split of the channels expected")
    }
    let channels = shapes[input][0][1]
    let count = node.outputs.count
    let part = (channels + count - 1) / max(count, 1)
    let sizes =
      try integers(1, "split") ?? (0..<count).map { min(part, max(channels - $0 * part, 0)) }
    guard sizes.count == count, sizes.allSatisfy({ $0 > 0 && $0 <= channels }),
      sizes.reduce(0, +) == channels
    else { throw unsupported("parts of \(channels) channels expected, \(sizes) found") }
    var start = 0
    var first: ONNXOperand?
    for (output, size) in zip(node.outputs, sizes) {
      let part = ONNXOperand.value(
        try add(.slice(ChannelSlice(start: start, count: size)), [input]))
      operands[output] = part
      first = first ?? part
      start += size
    }
    guard let first else { throw unsupported("outputs expected") }
    return first
  }

  /// Channels picked by number.
  mutating func gather() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard rank(input) >= 2, try axis(node.integer("axis") ?? 0, rank: rank(input)) == 1,
      let indices = try numbers(1), indices.shape.count == 1, let picked = indices.integers
    else { return try constantGather() }
    let channels = shapes[input][0][1]
    let places = picked.map { $0 < 0 ? $0 &+ channels : $0 }
    guard !places.isEmpty, places.allSatisfy((0..<channels).contains) else {
      throw unsupported("numbers of \(channels) channels expected")
    }
    // TensorFlow's order of channels turned into PyTorch's.
    if let source = source(input), case .pixelUnshuffle(let unshuffle) = source.op,
      unshuffle.order == .tensorflow
    {
      let factor = unshuffle.factor
      let (area, depth) = (factor * factor, channels / (factor * factor))
      if places == (0..<channels).map({ $0 % area * depth + $0 / area }) {
        return .value(
          try add(.pixelUnshuffle(PixelUnshuffle(factor: factor, order: .pytorch)), source.inputs))
      }
    }
    // Runs of neighbours, side by side.
    var runs: [(start: Int, count: Int)] = []
    for place in places {
      if let last = runs.last, last.start + last.count == place {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((place, 1))
      }
    }
    guard runs.count <= 64 else { return try constantGather() }
    if runs.count == 1, runs[0] == (0, channels) { return .value(input) }
    var parts: [Int] = []
    for run in runs {
      parts.append(try add(.slice(ChannelSlice(start: run.start, count: run.count)), [input]))
    }
    return .value(parts.count == 1 ? parts[0] : try add(.concatenate, parts))
  }
}

extension ONNXWriter {
  mutating func slice(
    _ node: Graph.Node, _ value: Int, axes: [Int], from starts: [Int], to ends: [Int]
  ) {
    emit(
      "Slice", node,
      [
        name(node.inputs[0]), integers(node, "starts", starts), integers(node, "ends", ends),
        integers(node, "axes", axes),
      ], value)
  }
}

extension KerasImport {
  /// Values side by side along an axis of Keras's.
  mutating func concatenated(
    _ values: [KerasTensor], axis number: Int, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard let first = values.first else {
      throw layer.refusal("1 or more inputs expected, 0 found")
    }
    let axis = try axis(number, of: first, layer)
    var turned: [KerasTensor] = []
    let base = try withChannels(axis, first, layer)
    turned.append(base)
    for value in values.dropFirst() {
      guard value.rank == first.rank else {
        throw layer.refusal("inputs of one rank expected, \(first.rank) and \(value.rank) found")
      }
      turned.append(try arranged(value, as: base.axes, layer.fullName))
    }
    var result = try add(.concatenate, turned, name: layer.fullName, of: layer)
    result.axes = base.axes
    return result
  }
}

/// Parts of values, as Python's indexing takes them: some channels, or rows and columns off the
/// edges.
extension KerasImport {
  /// What indexing gives: `x[..., :3]`, `x[:, 1:-1, 1:-1, :]`.
  ///
  /// - Parameter indices: one for each axis, or fewer and an ellipsis, as Keras 2 or 3 writes them.
  mutating func sliced(
    _ x: KerasTensor, _ indices: [JSON], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    let refusal = layer.refusal("slices of channels, rows and columns by steps of 1 expected")
    var slices: [JSON] = []
    for index in indices {
      if index["class_name"]?.string == "__ellipsis__" {
        guard indices.count <= x.rank + 1 else { throw refusal }
        slices += Array(repeating: [:], count: x.rank - (indices.count - 1))
      } else {
        slices.append(index["config"] ?? index)
      }
    }
    guard slices.count <= x.rank, slices.allSatisfy({ $0.object != nil }) else { throw refusal }
    var x = try unflattened(x, layer.fullName)
    var edges = PaddingAmounts.none
    for (axis, slice) in slices.enumerated() {
      guard (slice["step"]?.int ?? 1) == 1 else { throw refusal }
      let start = slice["start"]?.int ?? 0
      let stop = slice["stop"]?.int
      if start == 0, stop == nil { continue }
      switch (x.rank, x.axes[axis]) {
      case (_, 1):
        let count = x.shape[1]
        let range = place(start, count)..<max(place(stop ?? count, count), place(start, count))
        guard !range.isEmpty else { throw refusal }
        x = try add(
          .slice(ChannelSlice(start: range.lowerBound, count: range.count)), [x],
          name: "\(layer.fullName).channels", of: layer)
      case (4, let dimension) where dimension > 1:
        // How far from the far edge is known for any size only where it is counted from there.
        guard (0...GraphLimits.window).contains(start),
          (-GraphLimits.window...(-1)).contains(stop ?? -1)
        else { throw refusal }
        if dimension == 2 {
          (edges.top, edges.bottom) = (start, stop.map { -$0 } ?? 0)
        } else {
          (edges.left, edges.right) = (start, stop.map { -$0 } ?? 0)
        }
      default: throw refusal
      }
    }
    return edges == .none ? x : try add(.crop(Crop(edges)), [x], name: layer.fullName, of: layer)
  }

  /// A place among so many, which counts from behind where it is negative.
  func place(_ number: Int, _ count: Int) -> Int {
    min(max(number < 0 ? max(number, -count) + count : number, 0), count)
  }
}

extension KerasBuilder {
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
}

extension NCNNImporter {
  mutating func concatenate(_ layer: NCNNLayer) throws(InterchangeError) {
    let values = try values(of: layer, count: nil)
    try requireChannels(layer, axis: layer.integer(0), rank: shape(values[0]).count)
    guard values.count <= GraphLimits.inputs else {
      throw layer.unsupported("\(values.count) inputs")
    }
    try give(layer, .value(try add(.concatenate, layer, values)))
  }

  mutating func slice(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    try requireChannels(layer, axis: layer.integer(1), rank: shape(value).count)
    guard let counts = layer.integers(0), counts.count == layer.outputs.count, !layer.has(2) else {
      throw layer.unsupported("a count of channels for each output expected")
    }
    let channels = shape(value)[1]
    var start = 0
    for (position, output) in layer.outputs.enumerated() {
      // -233: an equal part of what is left.
      let stated = counts[position]
      let count = stated == -233 ? (channels - start) / (counts.count - position) : stated
      guard (1...GraphLimits.channels).contains(count), start + count <= channels else {
        throw layer.unsupported("\(count) channels from \(start) on of \(channels)")
      }
      let part = try add(.slice(ChannelSlice(start: start, count: count)), layer, [value])
      give(blob: output, .value(part))
      start += count
    }
  }

  /// Only channels can be put side by side and taken apart.
  private func requireChannels(
    _ layer: NCNNLayer, axis: Int?, rank: Int
  ) throws(InterchangeError) {
    guard axis == 0 || axis == 1 - rank else {
      throw layer.unsupported("the axis of channels expected, \(axis ?? -1) found")
    }
  }
}
