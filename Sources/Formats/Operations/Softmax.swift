import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension Softmax: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit(
      logarithm ? "LogSoftmax" : "Softmax", node, [writer.name(node.inputs[0])], value,
      [("axis", .integer(dimension))])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    guard dimension > 0 else {
      throw builder.refusal(node.name, "no layer works across images")
    }
    let x = inputs[0]
    if logarithm {
      // Keras has it as a function of the last axis alone.
      let order = x.order.filter { $0 != dimension } + [dimension]
      return builder.add(
        "Activation", node.name, ["activation": "log_softmax"],
        [try builder.arranged(x, order, node.name)])
    }
    return builder.add("Softmax", node.name, ["axis": .int(x.axis(of: dimension))], [x])
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "\(expression.object(inputs[0])).\(logarithm ? "log_softmax" : "softmax")(\(dimension))"
  }
}

extension Softmax: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Softmax": [], "LogSoftmax": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.softmax()
  }
}

extension Softmax: KerasLayerOperation, KerasFunctionOperation {
  static let kerasLayers = ["Softmax"]
  static let kerasFunctions = ["softmax", "logsoftmax"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.activationLayer(layer, x)
  }

  static func read(
    _ function: KerasFunction, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.softmax(
      function.x, axis: function.option("axis")?.int ?? -1, function.layer,
      name: function.layer.fullName, logarithm: function.word == "logsoftmax")
  }
}

extension Softmax: NCNNReadOperation {
  static let ncnnLayers = ["Softmax"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.softmax(layer)
  }
}

extension ONNXReader {
  mutating func softmax() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    let dimension = try axis(node.integer("axis") ?? (version >= 13 ? -1 : 1), rank: rank)
    // Before version 13 all dimensions from the axis on were one.
    guard version >= 13 || dimension == rank - 1 else {
      throw unsupported("softmax over several dimensions")
    }
    let softmax = Softmax(dimension: dimension, logarithm: node.kind == "LogSoftmax")
    return .value(try add(softmax.op, [input]))
  }
}

extension KerasImport {
  /// exp(x) / Σ exp(x) along an axis of Keras's, or the logarithm of it.
  mutating func softmax(
    _ x: KerasTensor, axis number: Int, _ layer: KerasLayer, name: String, logarithm: Bool = false
  ) throws(InterchangeError) -> KerasTensor {
    let axis = try axis(number, of: x, layer)
    let softmax = Softmax(dimension: x.axes[axis], logarithm: logarithm)
    return try add(softmax.op, [x], name: name, of: layer)
  }
}

extension NCNNImporter {
  mutating func softmax(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    let rank = shape(value).count
    let axis = try layer.integer(0, in: -rank + 1...rank - 2)
    try give(
      layer,
      .value(
        try add(.softmax(Softmax(dimension: axis < 0 ? rank + axis : axis + 1)), layer, [value])))
  }
}

extension Softmax: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    guard !logarithm else { throw writer.refusal(node, "ncnn has no logarithm of a softmax") }
    try writer.emit(
      "Softmax", node, [writer.blob(node.inputs[0])], value,
      [(0, .integer(dimension - 1)), (1, .integer(1))])
  }
}
