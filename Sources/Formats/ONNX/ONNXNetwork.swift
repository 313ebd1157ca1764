import AviaryGraph

/// ONNX models as graphs of ours.
public enum ONNXNetwork {
  /// The network that an ONNX file holds, with its weights.
  ///
  /// A size of picture that the file states is let go where nothing in the network depends on it:
  /// exporters write down the size of the example that they were given.
  ///
  /// - Parameter file: what `WeightsFile.read` gave of an ONNX file.
  /// - Throws: `InterchangeError`: `.layer` for an operation that ours do not express, `.description`
  ///   for a model that contradicts itself, `.weights` for weights of another shape, `.graph`.
  public static func graph(_ file: WeightsFile) throws(InterchangeError) -> ImportedGraph {
    guard case .onnx(let model) = file.network else {
      throw .description(part: file.path, problem: "an ONNX model expected, none found")
    }
    let inputs = try ONNXInput.inputs(of: model)
    // Sizes that only look as if they were in proportion differ on odd ones; networks that cannot
    // take odd ones are asked about even ones alone.
    var attempts = [ONNXSamples.all(inputs), .even(inputs)]
    if inputs.contains(where: { $0.size != nil }) {
      attempts.append(.stated(inputs))
    } else if inputs.count > 1 {
      attempts.insert(.unrelated(inputs), at: 0)
    }
    var first: InterchangeError?
    for samples in attempts {
      do {
        var reader = ONNXReader(model, file, inputs, samples)
        return try reader.graph()
      } catch {
        first = first ?? error
        // What cannot be read at all is best said by the attempt that depends least on sizes.
        switch error {
        case .layer, .graph, .weights: continue
        default: throw error
        }
      }
    }
    throw first ?? .description(part: file.path, problem: "no network")
  }
}
