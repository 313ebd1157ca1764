public import AviaryCheckpoint
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
  /// What was done to the network on the way, in words: an input size that was let go, layers without
  /// effect left out.
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
