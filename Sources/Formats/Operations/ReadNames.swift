package import AviaryGraph

/// Under which names the formats have an operation that is read from them: for tables of what is
/// known.
package struct ReadNames: Hashable, Sendable {
  /// ONNX's operators.
  package let onnx: [String]
  /// Keras's classes, and functions in small letters.
  package let keras: [String]
  /// ncnn's classes of layers.
  package let ncnn: [String]

  /// The names of an operation, each list sorted.
  package init(of operation: some Operation) {
    let type: any Operation.Type = Swift.type(of: operation)
    onnx = ((type as? any ONNXReadOperation.Type)?.onnxOperators.keys).map { $0.sorted() } ?? []
    let classes =
      ((type as? any KerasLayerOperation.Type)?.kerasLayers ?? [])
      + ((type as? any KerasMergeOperation.Type)?.kerasMerges ?? [])
    let functions =
      ((type as? any KerasFunctionOperation.Type)?.kerasFunctions ?? [])
      + ((type as? any KerasMergeOperation.Type)?.kerasMergeFunctions ?? [])
    keras = Set(classes).sorted() + Set(functions).sorted()
    ncnn = ((type as? any NCNNReadOperation.Type)?.ncnnLayers ?? []).sorted()
  }
}
