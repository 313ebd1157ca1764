public import AviaryFormats
public import AviaryGraph
internal import AviaryImage
public import AviaryFormats

/// What can go wrong when models are found, built and used; errors of the modules below keep their
/// own types.
public enum AviaryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Neither a file, nor a checkpoint of the zoo, nor an architecture.
  case noSuchModel(String, nearest: String?)
  /// An architecture was named where weights are needed.
  case noWeights(String, parameters: Int)
  /// A checkpoint's weights do not match its graph.
  case weightsDoNotFit(path: String, StateDictDifference)
  /// A part of a checkpoint cannot be read.
  case checkpointPart(path: String, part: String, problem: String)
  /// A checkpoint does not say what network its weights belong to.
  case noGraph(path: String)
  /// The content does not match the hash stated in the file.
  case hash(path: String, stored: String, found: String)
  /// A network whose output is not an image in proportion to its input.
  case notRestoration(String)
  /// int8 was requested for a model that has not been calibrated.
  case notQuantized(String)
  /// A network in which nothing can be quantized: what was expected, and what was found.
  case notQuantizable(String, String)
  /// A network with more than one input.
  case inputs(model: String, found: [String])
  /// A network's output differs from what its own graph states.
  case networkOutput(expected: [Int], found: [Int])
  /// The model does not support the scale.
  case scale(model: String, expected: String, found: String)
  /// A colour that does not fit the network's number of channels.
  case colour(model: String, channels: Int, found: String)
  /// A network whose channels are no image's, for this reason.
  case channels(model: String, String)
  /// The network cannot be computed in tiles, and the whole image does not fit into the allowed
  /// memory.
  case memory(needed: Int, allowed: Int, reason: String)
  /// A folder does not contain what is looked for.
  case noImages(folder: String)
  /// The network described by a file cannot be computed, or contradicts itself.
  case network(path: String, InterchangeError)
  /// A configuration was stated, without an architecture, for a file that describes its own network.
  case ownNetwork(path: String)
  /// A strength was stated for a network that is not told one.
  case noStrength(model: String, known: [String])
  /// Weights that fit a network which is used in several ways, and nothing in the file says in which.
  case undetermined(path: String, network: String, member: String, values: [JSON])
  /// A network that is known by its tensors' names and that no architecture builds.
  case notBuilt(path: String, name: String, reason: String)
  /// A program whose graph is not read.
  case program(path: String, found: String)
  /// A file that says which values its network takes or gives, and not the other.
  case range(path: String, says: String, open: String)
  /// An exported file does not read back as what was written.
  case exchange(path: String, String)
  /// An exported file cannot be compared with its source: the network's outputs are not finite.
  case notComparable(path: String)
  /// A network's layers have no such set of names: the network, the sets that there are.
  case names(String, [String], found: String)
  /// A weights file does not allow a change.
  case edit(path: String, String)
  /// An exported file cannot be compared with its source: rounding alone changes the network's outputs
  /// as much. What a change of the last digit of the image makes of the outputs, and by how much these
  /// differ in the file, as parts of the largest.
  case illConditioned(path: String, sensitivity: Double, difference: Double)
  /// Two images that should have the same size do not.
  case imageSize(String, expected: String, found: String)
  /// An array whose dimensions are not those of images that the network takes.
  case array(expected: String, found: String)

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .noSuchModel(let name, let nearest):
      "\(name): no file, checkpoint or architecture has this name"
        + (nearest.map { "; did you mean \($0)?" } ?? "")
    case .noWeights(let name, let parameters):
      "\(name): is an architecture of \(parameters) parameters, without weights; give a checkpoint of"
        + " it, or train one"
    case .weightsDoNotFit(let path, let difference):
      "\(path): the weights do not fit the network: \(difference)"
    case .checkpointPart(let path, let part, let problem): "\(path): \(part): \(problem)"
    case .noGraph(let path): "\(path): the checkpoint has no graph, so that its network is unknown"
    case .hash(let path, let stored, let found):
      "\(path): the weights were altered: their content hash is \(found), the file states \(stored)"
    case .notRestoration(let name):
      "\(name): does not restore images: its output is not an image in proportion to its input"
    case .notQuantized(let name):
      "\(name): is not quantized, as int8 needs it; run aviary quantize first"
    case .notQuantizable(let name, let problem): "\(name): \(problem)"
    case .inputs(let model, let found):
      "\(model): expected a network with one input, found \(found.joined(separator: ", "))"
    case .networkOutput(let expected, let found):
      "network: expected an output of shape \(expected), found \(found)"
    case .scale(let model, let expected, let found):
      "\(model): expected scale \(expected), found \(found)"
    case .colour(let model, let channels, let found):
      "\(model): expected a colour space of \(channels) channel\(channels == 1 ? "" : "s"), found \(found)"
    case .channels(let model, let problem): "\(model): \(problem)"
    case .memory(let needed, let allowed, let reason):
      "memory: \(needed >> 20) MiB are needed, \(allowed >> 20) MiB allowed (\(reason))"
    case .noImages(let folder):
      "\(folder): contains no \(ImageFormat.list(ImageFormat.readable)) images"
    case .network(let path, let problem): "\(path): \(problem)"
    case .ownNetwork(let path):
      "\(path): takes no configuration: the file describes its own network; --as states an"
        + " architecture instead"
    case .noStrength(let model, let known):
      "\(model): takes no strength; those that are told the noise level are "
        + known.joined(separator: ", ")
    case .undetermined(let path, let network, let member, let values):
      "\(path): fits \(network), which is used with \(member) "
        + values.map(\.text).joined(separator: " and with ")
        + ", and nothing in the file says which; state it: "
        + values.map { "--config '{\"\(member)\": \($0.text)}'" }.joined(separator: " or ")
    case .notBuilt(let path, let name, let reason):
      "\(path): by its tensors' names this is \(name), which Aviary does not compute: \(reason)"
    case .program(let path, let found):
      "\(path): is \(found), whose graph is not read, and its weights do not say what it computes;"
        + " export it as ONNX, or state the architecture with --as"
    case .range(let path, let says, let open):
      "\(path): the network \(says), and nothing in it says which values it \(open); state both:"
        + #" --input '{"range": [0, 255], "outputRange": [0, 1]}'"#
    case .notComparable(let path):
      "\(path): cannot be checked: its weights are so large that the network's outputs are not finite"
    case .names(let network, let known, let found):
      "\(network): expected names of \(known.joined(separator: ", ")), found '\(found)'"
    case .illConditioned(let path, let sensitivity, let difference):
      "\(path): cannot be checked: the outputs differ from the original's by \(difference) of the"
        + " largest, and its own by \(sensitivity) where only the last digits of the image change:"
        + " the weights make much of rounding"
    case .exchange(let path, let problem), .edit(let path, let problem):
      "\(path): \(problem)"
    case .imageSize(let name, let expected, let found):
      "\(name): expected an image of \(expected), found \(found)"
    case .array(let expected, let found):
      "expected an array of shape \(expected), found \(found) (--layout says where the channels are)"
    }
  }
}
