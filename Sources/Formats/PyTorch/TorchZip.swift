import AviaryContainers
import AviaryFiles

/// PyTorch's container since 1.6: a zip archive of `data.pkl` and one stored member per storage
/// (torch/serialization.py, caffe2/serialize/inline_container.cc).
package enum TorchZip {
  /// Reads the tensors of a file.
  ///
  /// - Parameter format: TorchScript's archives are the same, with code beside that is left alone.
  static func read(
    _ path: String, _ format: FileFormat = .torchZip
  ) throws(CheckpointError) -> WeightsFile {
    let file = try InputFile(weights: path)
    let archive: ZipArchive
    do {
      archive = try ZipArchive(file)
    } catch {
      throw try shortfall(of: file) ?? error
    }
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
    var found: String?
    if let member = archive[folder + record], member.byteCount <= limit {
      found = String(decoding: try archive.content(of: member, in: file), as: UTF8.self)
    }
    let root = try machine.run()
    let (tensors, unwrapping, optimizer) = try StateDictFinder.find(
      root, TorchObjects(heap: machine.heap, path: path),
      TorchStorages(file, .archive(archive, prefix: folder + "data/")))
    return WeightsFile(
      path: path, format: format, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.pytorch), record: found, optimizer: optimizer)
  }

  /// Where `data.pkl` is if it is the archive's first member, as PyTorch writes it.
  static func pickle(
    atStartOf file: borrowing InputFile
  ) throws(CheckpointError) -> (offset: Int, name: String)? {
    guard file.byteCount >= 30 else { return nil }
    let part = "the first member"
    let header = try file.read(at: 0, count: 30, part: part)
    // Of a packed member nothing can be read without its directory.
    guard header[8] == 0, header[9] == 0 else { return nil }
    var cursor = ByteCursor(header, at: 26, path: file.path, part: part)
    let nameLength = try cursor.size(bytes: 2)
    let extraLength = try cursor.size(bytes: 2)
    guard file.byteCount >= 30 + nameLength else { return nil }
    let name = String(
      decoding: try file.read(at: 30, count: nameLength, part: part), as: UTF8.self)
    return name.hasSuffix("/data.pkl") ? (30 + nameLength + extraLength, name) : nil
  }

  /// What is missing of an archive whose directory is: the storages that the pickle announces, as
  /// far as the pickle is there.
  private static func shortfall(
    of file: borrowing InputFile
  ) throws(CheckpointError) -> CheckpointError? {
    guard let pickle = try pickle(atStartOf: file) else { return nil }
    let count = min(max(file.byteCount - pickle.offset, 0), TorchLegacy.pickleLimit)
    let bytes = try file.read(at: pickle.offset, count: count, part: pickle.name)
    var machine = PickleMachine(ByteCursor(bytes, path: file.path, part: "data.pkl"))
    _ = try machine.run()
    var storages: [String: Int] = [:]
    for case .persistent(let identifier) in machine.heap.nodes {
      guard let storage = TorchStorage(identifier, machine.heap) else { continue }
      storages[storage.key] = storage.byteCount
    }
    // Each begins at a multiple of 64 bytes, behind 46 or more of headers.
    let expected = storages.values.reduce(0) { sum, count in
      let (next, overflow) = sum.addingReportingOverflow(count)
      return overflow || next > .max - 128 ? .max - 128 : (next + 46 + 63) / 64 * 64
    }
    let found = count - machine.cursor.position
    guard expected > found else { return nil }
    return .truncated(path: file.path, part: "the storages", expected: expected, found: found)
  }
}
