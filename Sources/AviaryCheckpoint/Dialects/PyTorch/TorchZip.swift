/// PyTorch's container since 1.6: a zip archive of `data.pkl` and one stored member per storage
/// (torch/serialization.py, caffe2/serialize/inline_container.cc).
enum TorchZip {
  /// Reads the tensors of a file.
  static func read(_ path: String) throws(CheckpointError) -> StateDict {
    let file = try InputFile(path)
    let archive = try ZipArchive(file)
    let suffix = "data.pkl"
    // In a folder named like the file when it was saved, or `archive`.
    guard let pickle = archive.entries.first(where: { $0.name.hasSuffix("/" + suffix) }) else {
      throw .damaged(path: path, part: "the zip archive", reason: "data.pkl expected, none found")
    }
    let folder = String(pickle.name.dropLast(suffix.count))
    if let order = archive[folder + "byteorder"] {
      let word = String(decoding: try archive.content(of: order, in: file), as: UTF8.self)
      guard word == "little" else {
        throw .unsupported(path: path, what: "byte order \(word)")
      }
    }
    let limit = TorchLegacy.pickleLimit
    guard pickle.byteCount <= limit else {
      throw .tooLarge(path: path, part: "data.pkl, bytes", limit: limit, found: pickle.byteCount)
    }
    var machine = PickleMachine(
      ByteCursor(try archive.content(of: pickle, in: file), path: path, part: "data.pkl"))
    let root = try machine.run()
    return try StateDictFinder.find(
      root, TorchObjects(heap: machine.heap, path: path),
      TorchStorages(file, .archive(archive, prefix: folder + "data/")))
  }
}
