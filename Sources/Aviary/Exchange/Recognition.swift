internal import AviaryCheckpoint
internal import AviaryGraph
internal import AviaryInterchange

/// The network that a foreign file's weights belong to, and the weights under its names.
struct Recognition {
  /// The network.
  var network: Network
  /// The file's tensors, by the names of the network's parameters where it has them.
  var tensors: TensorSource
  /// The names of layers or tensors that differ, in the file and in the network.
  var source: String?
  /// Whether the file itself says how its network takes pictures, as a record of ours does.
  var statesPicture = false
  /// What was assumed, by member of the configuration, or in words.
  var assumed: [String]
  /// What was done, in words.
  var notes: [String] = []
  /// What it was recognised by.
  var reason: String
  /// The content hash of the weights, where the file's record states it and it was confirmed.
  var verifiedHash: String?
  /// Where the weights come from, as the file's record has it.
  var card: Card?
}
