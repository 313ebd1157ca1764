public import AviaryCheckpoint
import AviaryFiles
public import AviaryGraph

/// A whole network of another framework as a graph of ours, with its weights: it computes what the
/// file describes, borders included, without any architecture of ours.
public struct ImportedGraph: Sendable {
  /// The network. Layers keep their names of the file.
  public var graph: Graph
  /// One tensor for each parameter of the graph, by its name and in our layout; what the file's
  /// layout went through stands in the descriptions.
  public var weights: TensorSource
  /// What the file does not say and was assumed, in words.
  public var assumed: [String]
  /// What was done to the network on the way, in words: an input size that was let go, layers
  /// without effect left out.
  public var notes: [String]

  /// A network.
  public init(
    graph: Graph, weights: TensorSource, assumed: [String] = [], notes: [String] = []
  ) {
    self.graph = graph
    self.weights = weights
    self.assumed = assumed
    self.notes = notes
  }
}

/// A layer of a Keras file: which of its tensors belong together, and what is known of their class.
///
/// Keras names layers by class and counter (`conv2d_3`), and what holds them by attribute or
/// counter: without the class's source, a layer is known by its place and not by its name.
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
  /// Whether the file lists layers in the model's order. Where it does not, those of one class in
  /// one place are in order by their counters, and nothing is known across classes and places.
  public var isOrdered: Bool

  /// A layer.
  public init(name: String, path: [String], kind: Kind, isOrdered: Bool) {
    self.name = name
    self.path = path
    self.kind = kind
    self.isOrdered = isOrdered
  }
}

/// A network as another framework's file describes it beside its weights, not yet understood.
package enum ExternalNetwork: Sendable {
  /// Keras's configuration, as JSON: `{"class_name": "Functional", "config": {…}}`.
  case keras(String)
  /// ncnn's layers, whose weights are the file's tensors by `<layer>.<suffix>`.
  case ncnn(NCNNNetwork)
  /// A model of ONNX.
  case onnx(ONNXModel)
}

/// What can be wrong when a network goes from one framework to another.
public enum InterchangeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A layer that no operation of ours computes.
  case layer(String, kind: String, place: String, why: String)
  /// A description of a network that contradicts itself, or its format.
  case description(part: String, problem: String)
  /// Weights that a layer wants and the file does not have, or of another shape.
  case weights(layer: String, expected: String, found: String)
  /// A network that the target cannot express.
  case target(format: String, node: String, why: String)
  /// What the description amounts to is no sound graph.
  case graph(GraphError)

  /// One line: the thing, and what is wrong with it.
  public var description: String { text.printable }

  /// The message as the names in the file make it, which may hold anything.
  private var text: String {
    switch self {
    case .layer(let name, let kind, let place, let why):
      "layer \(name) of class \(kind) (\(place)): \(why)"
    case .description(let part, let problem): "\(part): \(problem)"
    case .weights(let layer, let expected, let found):
      "layer \(layer): expected \(expected), found \(found)"
    case .target(let format, let node, let why): "\(node): cannot be written as \(format): \(why)"
    case .graph(let error): "\(error)"
    }
  }
}

/// What wrote a third-party file, as far as the file says.
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
