/// What wrote a foreign file, as far as the file says.
public struct Origin: Hashable, Sendable {
  /// Whose conventions the file follows: names, layouts, borders.
  public enum Framework: String, Codable, Hashable, Sendable {
    case keras = "Keras"
    case pytorch = "PyTorch"
    case onnx = "ONNX"
    case ncnn = "ncnn"
    /// Arrays by name, of whatever framework.
    case arrays = "arrays"
  }

  /// Whose conventions the file follows.
  public var framework: Framework
  /// The framework's version, or the producer's, as the file has it.
  public var version: String?
  /// What Keras computed with: `tensorflow`, `theano`, `jax`, `torch`.
  public var backend: String?

  /// An origin.
  public init(_ framework: Framework, version: String? = nil, backend: String? = nil) {
    self.framework = framework
    self.version = version
    self.backend = backend
  }
}
