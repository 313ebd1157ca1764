public import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
public import AviaryGraph
import AviaryTensor

/// Networks of ours as ncnn's.
public enum NCNNExport {
  /// Writes a network with its weights: a text of layers, and beside it the file of their weights in
  /// float32 (`x.param` and `x.bin`).
  ///
  /// The size of the image is free wherever the network leaves it free. ncnn computes one image at a
  /// time.
  ///
  /// - Parameters:
  ///   - weights: the graph's parameters by name, in our layout; counters may be left out. They are read
  ///     one after the other as they are written.
  ///   - path: the text. Each file appears whole or not at all, the text last.
  /// - Returns: what was done to the weights on the way, in words.
  /// - Throws: `InterchangeError.target` for an operation that no layer of ncnn's computes, `.weights`
  ///   for weights that are not there; `CheckpointError` for what goes wrong with the files.
  @discardableResult
  public static func write(
    graph: Graph, weights: TensorSource, to path: String
  ) throws -> [String] {
    let plain: Graph
    do throws(GraphError) {
      plain = try graph.expanded { !($0 is any NCNNWrittenOperation) }.graph
    } catch {
      throw InterchangeError.graph(error)
    }
    var writer = NCNNWriter(plain, weights)
    try writer.writeGraph()
    do {
      // Whether both can be written shows before either is.
      let text = try AtomicFile(replacing: path)
      let binary = try AtomicFile(replacing: NCNNFile.weightsPath(of: path))
      for draft in writer.layers {
        for stored in draft.stored {
          try binary.write(try bytes(of: stored, in: weights, layer: draft.layer.name))
        }
      }
      try text.write(Array(Self.text(writer.layers).utf8))
      try binary.commit()
      try text.commit()
    } catch let error as FileError {
      throw CheckpointError(error)
    }
    return plain.precisionNotes(weights)
  }

  private static func text(_ layers: [NCNNDraft]) -> String {
    let blobs = layers.reduce(0) { $0 + $1.layer.outputs.count }
    var text = "7767517\n\(layers.count) \(blobs)\n"
    for draft in layers {
      let layer = draft.layer
      let words =
        [layer.type, layer.name, "\(layer.inputs.count)", "\(layer.outputs.count)"] + layer.inputs
        + layer.outputs + draft.text
      text += words.joined(separator: " ") + "\n"
    }
    return text
  }

  /// The numbers of a weight as they lie in the file, behind a mark where there is one: 0 for float32.
  private static func bytes(
    of stored: NCNNDraft.Stored, in weights: TensorSource, layer: String
  ) throws -> [UInt8] {
    var tensor: Tensor
    switch stored.content {
    case .constant(let constant): tensor = constant
    case .parameter(let name):
      guard let parameter = try weights.tensor(name) else {
        throw InterchangeError.weights(layer: layer, expected: name, found: "nothing")
      }
      tensor = parameter.converted(to: .float32)
    }
    let weight = stored.weight
    var shape = weight.shape
    for step in weight.steps { shape = try step.shape(of: shape) }
    guard tensor.count == shape.reduce(1, *) else {
      throw InterchangeError.weights(
        layer: layer, expected: "shape \(shape)", found: "\(tensor.shape)")
    }
    tensor = try weight.steps.inverse.applied(to: tensor.reshaped(to: shape))
    var bytes: [UInt8] = weight.isMarked ? [0, 0, 0, 0] : []
    bytes.reserveCapacity(bytes.count + 4 * tensor.count)
    for number in tensor.floats {
      var bits = number.bitPattern
      for _ in 0..<4 {
        bytes.append(UInt8(truncatingIfNeeded: bits))
        bits >>= 8
      }
    }
    return bytes
  }
}
