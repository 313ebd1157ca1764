/// A layer of a Keras file: which of its tensors belong together, and what is known of their class.
///
/// Keras names layers by class and counter (`conv2d_3`), and what holds them by attribute or counter:
/// without the class's source, a layer is known by its place and not by its name.
public struct ExternalLayer: Hashable, Sendable {
  /// What a layer with weights computes, as its class or the shapes of its tensors show.
  public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
    case convolution
    case transposedConvolution
    case depthwiseConvolution
    case separableConvolution
    case dense
    case batchNormalization
    case prelu
    /// Anything else.
    case other
  }

  /// What its tensors' names begin with, less the dot: `conv2d_1` for `conv2d_1.weight`.
  public var name: String
  /// What holds it, from the outside in, and itself last, as the file names them:
  /// `["encoder", "conv2d_1"]`. Words that only say "here are layers" (`layers`) are left out.
  public var path: [String]
  /// What it computes.
  public var kind: Kind
  /// Whether the file lists layers in the model's order. Where it does not, those of one class in one
  /// place are in order by their counters, and nothing is known across classes and places.
  public var isOrdered: Bool

  /// A layer.
  public init(name: String, path: [String], kind: Kind, isOrdered: Bool) {
    self.name = name
    self.path = path
    self.kind = kind
    self.isOrdered = isOrdered
  }
}
