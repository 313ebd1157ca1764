import Aviary
import AviaryCheckpoint
import AviaryCompute
import AviaryContainers
import AviaryFiles
import AviaryFormats
import AviaryGraph
import AviaryImage
import AviaryMPI
import AviaryTensor
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
  /// EX_CANTCREAT. A full disk is among it: EX_IOERR would have to be told apart by the words of
  /// the system's reason.
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
    case .unavailable: "not supported by this model, build or machine"
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
  init(_ error: any Error) { self = (error as? any ErrorWithStatus)?.status ?? .failure }
}

/// An error that knows its exit status.
///
/// Every type of error that a command can end with conforms and lists its cases: a new case does
/// not compile without a status, and a test finds types that do not conform.
protocol ErrorWithStatus: Error {
  /// The program's exit status.
  var status: ExitStatus { get }
}

extension AviaryError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .network(_, let problem): problem.status
    case .ownNetwork, .names: .usage
    case .program, .noStrength, .notBuilt: .unavailable
    case .range, .undetermined: .data
    case .noSuchModel, .noWeights, .noImages: .noInput
    case .notRestoration, .inputs, .scale, .colour, .channels, .memory, .notQuantized,
      .notQuantizable:
      .unavailable
    case .weightsDoNotFit, .checkpointPart, .noGraph, .hash, .imageSize, .array, .edit,
      .notComparable, .illConditioned:
      .data
    // A fault of the engine or of a writer, not of the user.
    case .networkOutput, .exchange: .failure
    }
  }
}

extension CheckpointError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .cannotRead: .noInput
    case .cannotWrite: .cannotCreate
    case .unsupported, .newerVersion: .unavailable
    case .notWeights, .truncated, .damaged, .refused, .tooLarge, .noTensors, .noPart, .hashMismatch,
      .readerFailed, .invalidName, .elementType:
      .data
    }
  }
}

extension ImageError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .cannotRead: .noInput
    case .cannotWrite: .cannotCreate
    case .animation: .unavailable
    case .noPages: .usage
    case .notAnImage, .range, .damaged, .tooLarge, .invalidSize, .sizeMismatch, .formatMismatch,
      .noConversion, .invalidScale:
      .data
    }
  }
}

extension VideoError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .noProgram: .unavailable
    case .program, .video, .frames: .data
    case .result: .usage
    case .unfinished: .cannotCreate
    }
  }
}

extension InterchangeError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .layer, .target: .unavailable
    case .description, .weights, .graph: .data
    }
  }
}

extension TrainingError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .cannotRead: .noInput
    case .cannotWrite: .cannotCreate
    case .recipe, .patch, .unknownField, .data, .training: .data
    case .notFinite: .notFinite
    }
  }
}

extension RegistryError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .unknown, .unknownPreset: .noInput
    case .duplicate, .ambiguous, .unrecognised: .data
    }
  }
}

extension ComputeError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .outOfMemory, .threads, .threadsRefused, .unsupported, .noImplementation, .noBfloat16,
      .tooLarge:
      .unavailable
    case .graph, .missingParameter, .parameterShape, .quantization: .data
    case .library, .missingInput, .unknownInput, .input, .unknownOutput: .failure
    }
  }
}

extension TensorError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    // Larger than any memory, and larger than this one.
    case .invalidShape, .noMemory: .unavailable
    case .countMismatch, .sizeMismatch, .step: .data
    }
  }
}

extension FileError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .cannotRead: .noInput
    case .cannotWrite: .cannotCreate
    }
  }
}

/// Any error in a graph is a data error.
extension GraphError: ErrorWithStatus {
  var status: ExitStatus { .data }
}

extension ShapeProblem: ErrorWithStatus {
  var status: ExitStatus { .data }
}

extension PluginError: ErrorWithStatus {
  var status: ExitStatus {
    switch self {
    case .cannotRead: .noInput
    case .notAPlugin, .notLoadable, .noEntryPoint, .noAnswer, .version, .badAnswer, .failure,
      .badFile, .duplicate, .relativeEntry:
      .data
    }
  }
}

#if MPI
  extension MPIError: ErrorWithStatus {
    var status: ExitStatus { .unavailable }
  }
#endif
