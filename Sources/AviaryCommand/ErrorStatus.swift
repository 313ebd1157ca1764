import Aviary
import AviaryCheckpoint
import AviaryCompute
import AviaryFiles
import AviaryGraph
import AviaryImage
import AviaryFormats
import AviaryMPI
import AviaryTensor
import AviaryTraining

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
    case .ownNetwork: .usage
    case .noSuchModel, .noWeights, .noImages: .noInput
    case .notRestoration, .inputs, .scale, .colour, .memory, .notQuantized, .notQuantizable:
      .unavailable
    case .weightsDoNotFit, .checkpointPart, .noGraph, .hash, .pictureSize, .edit,
      .notComparable:
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
    case .notWeights, .truncated, .damaged, .refused, .tooLarge, .noTensors, .hashMismatch,
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
    case .notAPicture, .damaged, .tooLarge, .invalidSize, .sizeMismatch, .formatMismatch,
      .noConversion, .invalidScale:
      .data
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
    case .outOfMemory, .threads, .unsupported, .noImplementation, .noBfloat16, .tooLarge:
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
