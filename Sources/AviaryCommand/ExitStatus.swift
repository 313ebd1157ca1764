import AviaryContainers
import AviaryFormats
import Aviary
import AviaryCompute
import AviaryGraph
import AviaryImage
import AviaryTraining

/// What the program's status says when it ends; the numbers are those of sysexits.h.
enum ExitStatus: Int32, CaseIterable {
  case success = 0
  case failure = 1
  /// EX_USAGE, which ArgumentParser uses as well.
  case usage = 64
  /// EX_DATAERR.
  case data = 65
  /// EX_NOINPUT.
  case noInput = 66
  /// EX_UNAVAILABLE.
  case unavailable = 69
  /// EX_SOFTWARE: the calculation itself went wrong.
  case notFinite = 70
  /// EX_CANTCREAT. A full disk is among it: EX_IOERR would have to be told apart by the words of the
  /// system's reason.
  case cannotCreate = 73
  /// As the shell numbers a program that SIGINT ended.
  case interrupted = 130
  /// As the shell numbers a program that SIGTERM ended.
  case terminated = 143

  /// When it is given, for the help.
  var meaning: String {
    switch self {
    case .success: "success"
    case .failure: "any other error"
    case .usage: "invalid command line"
    case .data: "invalid or damaged file, or weights that do not fit"
    case .noInput: "file, folder, model or preset not found or unreadable"
    case .unavailable: "not supported by this model or version"
    case .notFinite: "the training diverged (the loss is not finite); its checkpoints are intact"
    case .cannotCreate: "the output cannot be written; an existing file is intact"
    case .interrupted: "Ctrl-C (SIGINT); a training has saved its state and can be resumed"
    case .terminated: "SIGTERM; a training has saved its state and can be resumed"
    }
  }

  /// All of them, a line each.
  static let table = allCases.map {
    let number = "\($0.rawValue)"
    return "  \(number)\(String(repeating: " ", count: 5 - number.count))\($0.meaning)"
  }.joined(separator: "\n")

  /// The status with which the program ends after an error.
  ///
  /// Cases are named below, so that a new one does not compile before it is said what scripts should
  /// make of it; whatever is wrong with a graph or a plugin is data.
  init(_ error: any Error) {
    self =
      switch error {
      case let error as CommandError: error.status
      case let error as AviaryError: ExitStatus(error)
      case let error as CheckpointError: ExitStatus(error)
      case let error as ImageError: ExitStatus(error)
      case let error as RegistryError: ExitStatus(error)
      case let error as InterchangeError: ExitStatus(error)
      case let error as ComputeError: ExitStatus(error)
      case let error as TrainingError: ExitStatus(error)
      case PluginError.cannotRead: .noInput
      case is GraphError, is PluginError: .data
      default: .failure
      }
  }

  private init(_ error: AviaryError) {
    self =
      switch error {
      case .network(_, let problem): ExitStatus(problem)
      case .ownNetwork: .usage
      case .noSuchModel, .noWeights, .noPictures: .noInput
      case .notRestoration, .inputs, .scale, .colour, .memory, .notQuantized, .notQuantizable:
        .unavailable
      case .weightsDoNotFit, .checkpointPart, .noGraph, .hash, .pictureSize, .edit: .data
      // The engine's or a writer's fault, not the user's.
      case .networkOutput, .exchange: .failure
      }
  }

  private init(_ error: CheckpointError) {
    self =
      switch error {
      case .cannotRead: .noInput
      case .cannotWrite: .cannotCreate
      case .unsupported, .newerVersion: .unavailable
      case .notWeights, .truncated, .damaged, .refused, .tooLarge, .noTensors, .hashMismatch,
        .readerFailed, .invalidName, .elementType:
        .data
      }
  }

  private init(_ error: ImageError) {
    self =
      switch error {
      case .cannotRead: .noInput
      case .cannotWrite: .cannotCreate
      case .notAPicture, .damaged, .tooLarge, .invalidSize, .sizeMismatch, .formatMismatch,
        .noConversion, .invalidScale:
        .data
      }
  }

  private init(_ error: InterchangeError) {
    self =
      switch error {
      case .layer, .target: .unavailable
      case .description, .weights, .graph: .data
      }
  }

  private init(_ error: TrainingError) {
    self =
      switch error {
      case .cannotRead: .noInput
      case .cannotWrite: .cannotCreate
      case .recipe, .unknownField, .data, .training: .data
      case .notFinite: .notFinite
      }
  }

  private init(_ error: RegistryError) {
    self =
      switch error {
      case .unknown, .unknownPreset: .noInput
      case .duplicate, .ambiguous, .unrecognised: .data
      }
  }

  private init(_ error: ComputeError) {
    self =
      switch error {
      case .outOfMemory, .threads, .unsupported, .noImplementation, .noBfloat16, .tooLarge:
        .unavailable
      case .graph, .missingParameter, .parameterShape, .quantization: .data
      case .library, .missingInput, .unknownInput, .input, .unknownOutput: .failure
      }
  }
}
