import AviaryGraph

/// What can be wrong with what the program is asked to do, beyond what the libraries check: mostly
/// what would overwrite something.
enum CommandError: ErrorWithStatus, Hashable, CustomStringConvertible {
  /// A checkpoint would replace a file, and nobody said that it may.
  case outputExists(String)
  /// A file would be written where a folder or a device is.
  case outputIsNoFile(String, found: String)
  /// Pictures would go into something that is no folder, or is not there.
  case noOutputFolder(String, found: String)
  /// What is written would replace what is read.
  case outputIsInput(String)
  /// Two files would be written under one name.
  case outputTaken(String, by: String)
  /// A picture would be written under a name that belies what it is.
  case outputName(String)
  /// A plot would be written under a name that says no format.
  case plotName(String)
  /// A checkpoint would be written under a name that belies what it is.
  case checkpointName(String)
  /// A file would be written whose name does not say its format.
  case outputFormat(String)
  /// Options were given that another kind of model has.
  case notForModel(String, options: [String], why: String)
  /// A folder has no checkpoint of a training.
  case nothingToResume(String)
  /// A folder was expected.
  case noFolder(String, found: String)
  /// A file's weights are those of no architecture, or of several.
  case weights(String, RegistryError)
  /// The program was started as another number of processes than can work together.
  case processes(expected: String, found: String)
  /// Standard output cannot be written.
  case standardOutput(reason: String)

  /// One line: the thing, the expected, the found.
  var description: String {
    switch self {
    case .outputExists(let path):
      "\(path): already exists; use --force to overwrite it"
    case .outputIsNoFile(let path, let found): "\(path): is \(found); name a file to write"
    case .noOutputFolder(let path, let found):
      "\(path): a folder to write to expected, \(found) found"
    case .outputIsInput(let path):
      "\(path): would overwrite an input; name another output"
    case .outputTaken(let path, let input):
      "\(path): two outputs would be written there, the second for \(input)"
    case .outputName(let path):
      "\(path): a name that ends in .png expected, for PNG is what is written"
    case .plotName(let path): "\(path): a name that ends in .png or .svg expected"
    case .checkpointName(let path):
      "\(path): a name that ends in .h5 expected, for a checkpoint is what is written (aviary convert "
        + "writes other formats)"
    case .outputFormat(let path):
      "\(path): a name that ends in .h5, .keras, .weights.h5, .pt, .pth, .safetensors or .onnx, or "
        + "--to, expected"
    case .notForModel(let model, let options, let why):
      "\(model): no \(options.joined(separator: ", ")) expected, for \(why)"
    case .nothingToResume(let path):
      "\(path): the folder of a training with a checkpoint to resume expected, none found"
    case .noFolder(let path, let found): "\(path): a folder expected, \(found) found"
    case .weights(let path, let error): "\(path): \(error)"
    case .processes(let expected, let found):
      "processes: \(expected) expected, \(found) found"
    case .standardOutput(let reason): "standard output: cannot be written: \(reason)"
    }
  }

  /// Whether going on with the next picture would be of no use.
  var isFinal: Bool {
    if case .standardOutput = self { true } else { false }
  }

  /// The status with which the program ends.
  var status: ExitStatus {
    switch self {
    case .outputExists, .outputIsNoFile, .noOutputFolder, .outputIsInput, .outputTaken,
      .standardOutput:
      .cannotCreate
    case .outputName, .plotName, .outputFormat, .checkpointName, .notForModel: .usage
    case .noFolder, .nothingToResume: .noInput
    case .processes: .unavailable
    case .weights(_, let error): error.status
    }
  }
}

/// Calls `body`, which recognises a file's weights, and has an error say which file it is about: the
/// registry only knows names and shapes.
func naming<T>(_ path: String, _ body: () throws -> T) throws -> T {
  do { return try body() } catch let error as RegistryError {
    switch error {
    case .ambiguous, .unrecognised: throw CommandError.weights(path, error)
    case .duplicate, .unknown, .unknownPreset: throw error
    }
  }
}
