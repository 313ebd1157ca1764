import AviaryGraph
import AviaryImage

/// Errors in how the program is called that the libraries do not check: mostly outputs that would
/// overwrite something.
enum CommandError: ErrorWithStatus, Hashable, CustomStringConvertible {
  /// A checkpoint would replace an existing file, without `--force`.
  case outputExists(String)
  /// The output is a folder or a device.
  case outputIsNoFile(String, found: String)
  /// The output folder is not a folder, or does not exist.
  case noOutputFolder(String, found: String)
  /// The output would overwrite an input.
  case outputIsInput(String)
  /// Two files would be written to the same output.
  case outputTaken(String, by: String)
  /// Standard input is named twice.
  case standardInputTwice
  /// The output's name does not match the image format.
  case outputName(String)
  /// The output's name does not match an array.
  case arrayName(String)
  /// Arrays among images.
  case mixedInputs(array: String)
  /// A plot's name gives no known format.
  case plotName(String)
  /// The output's name does not match a checkpoint.
  case checkpointName(String)
  /// The file's name does not give its format.
  case outputFormat(String)
  /// Options were given that do not apply to this kind of model.
  case notForModel(String, options: [String], why: String)
  /// A folder has no training checkpoint.
  case nothingToResume(String)
  /// The path is not a folder.
  case noFolder(String, found: String)
  /// No architecture fits a file's weights, or several do.
  case weights(String, RegistryError)
  /// The program was started with a number of processes that cannot work together.
  case processes(expected: String, found: String)
  /// Standard output cannot be written.
  case standardOutput(reason: String)

  /// The ending of image outputs: `.png`.
  private var endings: String {
    ImageFormat.writable.flatMap(\.endings).map { ".\($0)" }.joined(separator: ", ")
  }

  /// One line: the thing, what is wrong with it, and what to do.
  var description: String {
    switch self {
    case .outputExists(let path):
      "\(path): already exists; use --force to overwrite it"
    case .outputIsNoFile(let path, let found): "\(path): is \(found); name a file to write"
    case .noOutputFolder(let path, let found):
      "\(path): expected a folder to write to, found \(found)"
    case .outputIsInput(let path):
      "\(path): would overwrite an input; name another output"
    case .outputTaken(let path, let input):
      "\(path): two outputs would be written there, the second for \(input)"
    case .standardInputTwice: "standard input: named twice, and it can be read once only"
    case .outputName(let path):
      "\(path): the name does not say the format; end it in \(endings), or use --format"
    case .arrayName(let path): "\(path): an array gives an array; give a name that ends in .npy"
    case .mixedInputs(let array):
      "\(array): an array among images; run arrays (.npy) and images separately"
    case .plotName(let path): "\(path): give a name that ends in \(endings) or .svg"
    case .checkpointName(let path):
      "\(path): a checkpoint is written; give a name that ends in .h5 (aviary convert writes other "
        + "formats)"
    case .outputFormat(let path):
      "\(path): the name does not say the format; end it in .h5, .keras, .weights.h5, .pt, .pth, "
        + ".safetensors or .onnx, or use --to"
    case .notForModel(let model, let options, let why):
      "\(model): \(options.joined(separator: ", ")) cannot be used: \(why)"
    case .nothingToResume(let path):
      "\(path): no checkpoint to resume from; give the folder of a training"
    case .noFolder(let path, let found): "\(path): expected a folder, found \(found)"
    case .weights(let path, let error): "\(path): \(error)\(error.hint)"
    case .processes(let expected, let found):
      "processes: expected \(expected), found \(found)"
    case .standardOutput(let reason): "standard output: cannot be written: \(reason)"
    }
  }

  /// Whether continuing with the next image would be pointless.
  var isFinal: Bool {
    if case .standardOutput = self { true } else { false }
  }

  /// The status with which the program ends.
  var status: ExitStatus {
    switch self {
    case .standardInputTwice: .usage
    case .outputExists, .outputIsNoFile, .noOutputFolder, .outputIsInput, .outputTaken,
      .standardOutput:
      .cannotCreate
    case .outputName, .arrayName, .mixedInputs, .plotName, .outputFormat, .checkpointName,
      .notForModel:
      .usage
    case .noFolder, .nothingToResume: .noInput
    case .processes: .unavailable
    case .weights(_, let error): error.status
    }
  }
}

extension RegistryError {
  /// What to do with weights that no architecture has.
  var hint: String {
    if case .unrecognised(let tensors, _) = self, tensors > 0 {
      "; exported as ONNX, the network itself would run"
    } else {
      ""
    }
  }
}

/// Calls `body`, which detects the architecture of a file's weights, and adds the file's path to
/// its error: the registry knows only names and shapes.
func naming<T>(_ path: String, _ body: () throws -> T) throws -> T {
  do { return try body() } catch let error as RegistryError {
    switch error {
    case .ambiguous, .unrecognised: throw CommandError.weights(path, error)
    case .duplicate, .unknown, .unknownPreset: throw error
    }
  }
}
