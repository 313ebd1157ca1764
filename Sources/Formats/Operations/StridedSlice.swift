import AviaryContainers
import AviaryGraph

extension StridedSlice: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.slice(
      node, value, axes: [dimension], from: [start ?? (step > 0 ? 0 : .max)],
      to: [end ?? (step > 0 ? .max : .min + 1)], steps: [step])
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(
      node.name, "no stock layer takes elements by steps or along such a dimension")
  }

  /// PyTorch has no steps below 0: the dimension is turned round, and places are counted from its
  /// other end.
  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let x = expression.object(inputs[0])
    func place(_ place: Int?) -> String { place.map(String.init) ?? "" }
    func slice(_ start: Int?, _ end: Int?, _ step: Int) -> String {
      let all = String(repeating: ":, ", count: dimension)
      return "[\(all)\(place(start)):\(place(end))\(step == 1 ? "" : ":\(step)")]"
    }
    if step > 0 { return x + slice(start, end, step) }
    let turned = "\(x).flip(\(dimension))"
    return step == -1 && start == nil && end == nil
      ? turned : turned + slice(start.map { ~$0 }, end.map { ~$0 }, -step)
  }
}

/// ncnn turns dimensions round; its other slices are read with channels and crops.
extension StridedSlice: NCNNReadOperation {
  static let ncnnLayers = ["Flip"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    var value = try importer.values(of: layer)[0]
    let rank = importer.shape(value).count
    guard let axes = layer.integers(0), !axes.isEmpty else {
      throw layer.unsupported("expected axes")
    }
    var dimensions: Set<Int> = []
    for axis in axes {
      guard (1 - rank..<rank - 1).contains(axis) else {
        throw layer.unsupported("axis \(axis) of \(rank - 1)")
      }
      dimensions.insert(axis < 0 ? axis + rank : axis + 1)
    }
    for dimension in dimensions.sorted() {
      value = try importer.add(.stridedSlice(.flip(dimension)), layer, [value])
    }
    try importer.give(layer, .value(value))
  }
}
