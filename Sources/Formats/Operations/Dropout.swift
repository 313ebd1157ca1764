import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

/// Dropout does nothing where a network is run: it is left out of what is read.
extension Dropout: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.emit("Identity", node, [writer.name(node.inputs[0])], value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    builder.add("Dropout", node.name, ["rate": .number(rate)], [inputs[0]])
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    "F.dropout(\(inputs[0]), \(rate), self.training)"
  }
}

extension Dropout: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Dropout": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.given(0)
  }
}

extension Dropout: KerasLayerOperation {
  static let kerasLayers = [
    "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
    "ActivityRegularization",
  ]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    importer.leaveOut(layer)
    return x
  }
}

extension Dropout: NCNNReadOperation {
  static let ncnnLayers = ["Dropout"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    let inputs = try importer.blobs(of: layer)
    try layer.require(0, 1, default: 1, "a dropout that scales")
    importer.notes.append("\(layer.name): dropout has no effect and was left out")
    try importer.pass(inputs, to: layer)
  }
}

extension Dropout: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.emit("Dropout", node, [writer.blob(node.inputs[0])], value)
  }
}
