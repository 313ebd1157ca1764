public import AviaryCheckpoint
public import AviaryGraph
import AviaryTensor

/// Networks of ours as ONNX models.
public enum ONNXExport {
  /// Writes a network with its weights: operators of version 17, float32, height, width and number of
  /// pictures free. The model computes the very same function, borders included.
  ///
  /// - Parameters:
  ///   - weights: the graph's parameters by name, in our layout; counters may be left out. They are
  ///     read one after the other as they are written.
  ///   - record: our record, as JSON, which the file carries; asked for once all weights are written.
  ///   - path: the file, which appears whole or not at all.
  /// - Returns: what was done to the weights on the way, in words.
  /// - Throws: `InterchangeError.target` for an operation that ONNX does not have, `.weights` for
  ///   weights that are not there; `CheckpointError` for what goes wrong with the files, a model
  ///   beyond 2 GiB included.
  @discardableResult
  public static func write(
    graph: Graph, weights: TensorSource, record: @autoclosure () throws -> String? = nil,
    to path: String
  ) throws -> [String] {
    var writer = ONNXWriter(try graph.forExport(), weights)
    try writer.writeGraph()
    try writer.draft.write(to: path, record: try record(), producer: "1")
    return writer.notes
  }
}
