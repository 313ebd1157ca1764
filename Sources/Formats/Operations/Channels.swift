import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Concatenate: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      "Concat", node, node.inputs.map { writer.name($0) }, value,
      [("axis", .integer(dimension))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    let x = inputs[0]
    if inputs.count == 1 { return x }
    guard dimension > 0 else {
      throw builder.refusal(node.name, "no stock layer puts batches one behind the other")
    }
    var arranged = [x]
    for other in inputs.dropFirst() {
      arranged.append(try builder.arranged(other, x.order, node.name))
    }
    var shape = x.place.shape
    let axis = x.axis(of: dimension)
    shape[axis] = builder.shapes.values[builder.graph.inputs.count + builder.position][dimension]
    return builder.add("Concatenate", node.name, ["axis": .int(axis)], arranged, shape: shape)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "torch.cat([\(inputs.joined(separator: ", "))], \(dimension))"
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
  static let onnxOperators: [String: [ONNXWeight]] = [
    "Slice": [], "Split": [], "Gather": [], "GatherND": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    switch reader.node.kind {
    case "Split": try reader.split()
    case "Gather": try reader.gather()
    case "GatherND": try reader.gatherND()
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

extension ONNXWriter {
  mutating func slice(
    _ node: Graph.Node, _ value: Int, axes: [Int], from starts: [Int], to ends: [Int],
    steps: [Int]? = nil
  ) {
    emit(
      "Slice", node,
      [
        name(node.inputs[0]), integers(node, "starts", starts), integers(node, "ends", ends),
        integers(node, "axes", axes),
      ] + (steps.map { [integers(node, "steps", $0)] } ?? []), value)
  }
}

extension KerasImport {
  /// Values side by side along an axis of Keras's.
  mutating func concatenated(
    _ values: [KerasTensor], axis number: Int, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard let first = values.first else {
      throw layer.refusal("expected 1 or more inputs, found 0")
    }
    let axis = try axis(number, of: first, layer)
    var turned: [KerasTensor] = []
    let base = try withChannels(axis, first, layer)
    turned.append(base)
    for value in values.dropFirst() {
      guard value.rank == first.rank else {
        throw layer.refusal("expected inputs of one rank, found \(first.rank) and \(value.rank)")
      }
      turned.append(try arranged(value, as: base.axes, layer.fullName))
    }
    var result = try add(
      .concatenate(Concatenate()), turned, name: layer.fullName, of: layer)
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
    let refusal = layer.refusal("expected slices that leave something of every dimension")
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
      let step = slice["step"]?.int ?? 1
      let start = slice["start"]?.int ?? 0
      let stop = slice["stop"]?.int
      if start == 0, stop == nil, step == 1 { continue }
      switch (x.rank, x.axes[axis]) {
      case (_, 1) where step == 1:
        let count = x.shape[1]
        let range = place(start, count)..<max(place(stop ?? count, count), place(start, count))
        guard !range.isEmpty else { throw refusal }
        x = try add(
          .slice(ChannelSlice(start: range.lowerBound, count: range.count)), [x],
          name: "\(layer.fullName).channels", of: layer)
      case (4, let dimension)
      where dimension > 1 && step == 1 && (0...GraphLimits.window).contains(start)
        && (-GraphLimits.window...(-1)).contains(stop ?? -1):
        if dimension == 2 {
          (edges.top, edges.bottom) = (start, stop.map { -$0 } ?? 0)
        } else {
          (edges.left, edges.right) = (start, stop.map { -$0 } ?? 0)
        }
      case (_, let dimension):
        let strided = StridedSlice(
          dimension: dimension, start: slice["start"]?.int, end: stop, step: step)
        guard dimension > 0, step != 0, step.magnitude <= GraphLimits.window,
          strided.places(x.shape[dimension]).count > 0
        else { throw refusal }
        // Where the size is known, Python may have worked out the places from it.
        if isSizeKnown, dimension > 1 { try needSize(x, layer) }
        x = try add(
          .stridedSlice(strided), [x], name: "\(layer.fullName).dimension\(dimension)", of: layer)
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
    let dimension = try dimension(layer, axis: layer.integer(0), rank: shape(values[0]).count)
    guard values.count <= GraphLimits.inputs else {
      throw layer.unsupported("\(values.count) inputs")
    }
    try give(
      layer, .value(try add(.concatenate(Concatenate(dimension: dimension)), layer, values)))
  }

  mutating func slice(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    let dimension = try dimension(layer, axis: layer.integer(1), rank: shape(value).count)
    guard let counts = layer.integers(0), counts.count == layer.outputs.count, !layer.has(2) else {
      throw layer.unsupported("expected a count of elements for each output")
    }
    // The size of an image is known only when it is computed.
    guard dimension == 1 || shape(value).count != 4 else {
      throw layer.unsupported("rows or columns divided among outputs")
    }
    let channels = shape(value)[dimension]
    var start = 0
    for (position, output) in layer.outputs.enumerated() {
      // -233: an equal part of what is left.
      let stated = counts[position]
      let count = stated == -233 ? (channels - start) / (counts.count - position) : stated
      guard (1...GraphLimits.channels).contains(count), start + count <= channels else {
        throw layer.unsupported("\(count) elements from \(start) on of \(channels)")
      }
      let op: Op =
        dimension == 1
        ? .slice(ChannelSlice(start: start, count: count))
        : .stridedSlice(StridedSlice(dimension: dimension, start: start, end: start + count))
      let part = try add(op, layer, [value])
      give(blob: output, .value(part))
      start += count
    }
  }

  /// The dimension of an axis: ncnn does not count that of the images.
  private func dimension(
    _ layer: NCNNLayer, axis: Int?, rank: Int
  ) throws(InterchangeError) -> Int {
    let axis = axis ?? 0
    guard (1 - rank..<rank - 1).contains(axis) else {
      throw layer.unsupported("axis \(axis) of \(rank - 1)")
    }
    return axis < 0 ? axis + rank : axis + 1
  }
}

extension Concatenate: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.emit(
      "Concat", node, node.inputs.map { writer.blob($0) }, value, [(0, .integer(dimension - 1))])
  }
}

extension ChannelSlice: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.emit(
      "Crop", node, [writer.blob(node.inputs[0])], value,
      [(9, .integers([start])), (10, .integers([start + count])), (11, .integers([0]))])
  }
}
