/// A network as another framework's file describes it beside its weights, not yet understood.
package enum ExternalNetwork: Sendable {
  /// Keras's configuration, as JSON: `{"class_name": "Functional", "config": {…}}`.
  case keras(String)
  /// ncnn's layers, whose weights are the file's tensors by `<layer>.<suffix>`.
  case ncnn(NCNNNetwork)
  /// A model of ONNX.
  case onnx(ONNXModel)
}
