import AviaryContainers
import AviaryFiles

/// A pickle outside any container: dictionaries of NumPy arrays, whose elements stand in the pickle
/// itself.
enum BarePickle {
  /// The elements are in the pickle, which must be read whole.
  private static let limit = 1 << 30

  /// Reads the arrays of a file.
  static func read(_ path: String) throws(CheckpointError) -> WeightsFile {
    let file = try InputFile(weights: path)
    guard file.byteCount <= limit else {
      throw .tooLarge(path: path, part: "the pickle, bytes", limit: limit, found: file.byteCount)
    }
    var machine = PickleMachine(
      ByteCursor(
        try file.read(at: 0, count: file.byteCount, part: "the pickle"), path: path,
        part: "the pickle"))
    let root = try machine.run()
    let objects = TorchObjects(heap: machine.heap, path: path, takesArrays: true)
    let (tensors, unwrapping, optimizer) = try StateDictFinder.find(
      root, objects, TorchStorages(file, .pickle(objects)))
    return WeightsFile(
      path: path, format: .pickle, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.arrays), optimizer: optimizer)
  }
}
