public import AviaryGraph
public import AviaryInterchange

/// What can be wrong when models are found, made and used; what goes wrong below comes with the
/// errors of the modules below.
public enum AviaryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Neither a file, nor a checkpoint of the zoo, nor an architecture.
  case noSuchModel(String, nearest: String?)
  /// An architecture was named where weights are needed.
  case noWeights(String, parameters: Int)
  /// A checkpoint's weights are not those of its graph.
  case weightsDoNotFit(path: String, Difference)
  /// A part of a checkpoint cannot be read.
  case checkpointPart(path: String, part: String, problem: String)
  /// A checkpoint does not say what network its weights belong to.
  case noGraph(path: String)
  /// The content is not what the file says.
  case hash(path: String, stored: String, found: String)
  /// A network whose output is no picture in proportion to its input.
  case notRestoration(String)
  /// Whole numbers were asked for, of a model that was not calibrated for them.
  case notQuantized(String)
  /// A network of which nothing can be rounded: what was expected, and what was found.
  case notQuantizable(String, String)
  /// A network with more than one input.
  case inputs(model: String, found: [String])
  /// A network gave something else than its own graph says.
  case networkOutput(expected: [Int], found: [Int])
  /// The model does not serve the scale.
  case scale(model: String, expected: String, found: String)
  /// Colour that the network's channels cannot be.
  case colour(model: String, channels: Int, found: String)
  /// The network cannot be computed in parts, and the whole does not fit into the memory allowed.
  case memory(needed: Int, allowed: Int, reason: String)
  /// A folder holds nothing of what is looked for.
  case noPictures(folder: String)
  /// The network that a file describes cannot be computed, or contradicts itself.
  case network(path: String, InterchangeError)
  /// A configuration was stated of a file that describes its own network, and no architecture has its
  /// weights.
  case ownNetwork(path: String, nearest: RegistryError)
  /// What was written to a file of another framework's does not read back as what it was.
  case exchange(path: String, String)
  /// What was written cannot be compared with what it was: the network's outputs are not finite.
  case notComparable(path: String)
  /// A file of weights does not allow a change.
  case edit(path: String, String)
  /// Two pictures that should have one size do not.
  case pictureSize(String, expected: String, found: String)

  /// One line: the thing, the expected, the found.
  public var description: String {
    switch self {
    case .noSuchModel(let name, let nearest):
      "\(name): a file, a checkpoint's name or an architecture expected, none found"
        + (nearest.map { "; did you mean \($0)?" } ?? "")
    case .noWeights(let name, let parameters):
      "\(name): is an architecture of \(parameters) parameters, without weights; give a checkpoint of"
        + " it, or train one"
    case .weightsDoNotFit(let path, let difference):
      "\(path): weights of its own graph expected, found otherwise: \(difference)"
    case .checkpointPart(let path, let part, let problem): "\(path): \(part): \(problem)"
    case .noGraph(let path): "\(path): a graph expected, none found in the checkpoint"
    case .hash(let path, let stored, let found):
      "\(path): content hash \(stored) expected, \(found) found: the weights were altered"
    case .notRestoration(let name):
      "\(name): a network that gives a picture in proportion to its input expected, another found"
    case .notQuantized(let name):
      "\(name): is not quantized, as int8 needs it; run aviary quantize first"
    case .notQuantizable(let name, let problem): "\(name): \(problem)"
    case .inputs(let model, let found):
      "\(model): a network with one input expected, inputs \(found.joined(separator: ", ")) found"
    case .networkOutput(let expected, let found):
      "network: an output of shape \(expected) expected, \(found) found"
    case .scale(let model, let expected, let found):
      "\(model): scale \(expected) expected, \(found) found"
    case .colour(let model, let channels, let found):
      "\(model): colour of \(channels) channel\(channels == 1 ? "" : "s") expected, \(found) found"
    case .memory(let needed, let allowed, let reason):
      "memory: at most \(allowed >> 20) MiB expected, \(needed >> 20) MiB needed (\(reason))"
    case .noPictures(let folder): "\(folder): PNG or JPEG pictures expected, none found"
    case .network(let path, let problem): "\(path): \(problem)"
    case .ownNetwork(let path, let error):
      "\(path): no configuration expected, for the file describes its own network, and \(error)"
    case .notComparable(let path):
      "\(path): cannot be checked: its weights are so large that the network's outputs are not finite"
    case .exchange(let path, let problem), .edit(let path, let problem):
      "\(path): \(problem)"
    case .pictureSize(let name, let expected, let found):
      "\(name): a picture of \(expected) expected, \(found) found"
    }
  }
}
