internal import AviaryCheckpoint
internal import AviaryGraph

/// The network that a third-party file's weights belong to, and the weights under its names.
struct Recognition {
  /// The network.
  var network: Network
  /// The file's tensors, under the names of the network's parameters where they have one.
  var tensors: TensorSource
  /// The names of layers or tensors that differ, in the file and in the network.
  var source: String?
  /// Whether the file itself has an image description, as our embedded metadata does.
  var statesImage = false
  /// What was assumed, by member of the configuration, or in words.
  var assumed: [String]
  /// What was done, in words.
  var notes: [String] = []
  /// How the architecture was detected.
  var reason: String
  /// The content hash of the weights, if the embedded metadata states it and it was verified.
  var verifiedHash: String?
  /// The model card from the embedded metadata.
  var card: Card?
}
