internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryFormats
internal import AviaryGraph

/// The tensors of a file whose network is unknown or cannot be computed: they can still be compared
/// and edited by name.
struct NamelessWeights {
  var tensors: TensorSource
  var format: FileFormat
  var card = Card()

  /// - Throws: `CheckpointError` for a file that holds no weights or cannot be read.
  init(_ path: String, _ options: ImportOptions) throws(CheckpointError) {
    let opened = try ModelFile.open(path, options.reading)
    format = opened.format
    switch opened {
    case .native(let file):
      let checkpoint = try CheckpointFile(file)
      (tensors, card) = (checkpoint.tensors, checkpoint.card)
    case .external(let file): tensors = file.tensors
    }
  }
}

extension Error {
  /// Whether the error concerns the network rather than the file: the tensors can still be read.
  var isAboutTheNetwork: Bool {
    if self is RegistryError { return true }
    return switch self as? AviaryError {
    case .noGraph, .network, .ownNetwork: true
    default: false
    }
  }
}
