import AviaryFiles
import CIsolation

/// The bytes of an HDF5 file: a file, or a part of one that is stored as it is.
struct HDF5Range: ~Copyable {
  let file: InputFile
  /// Where the HDF5 file begins.
  let start: Int
  let byteCount: Int

  /// A file, or the given range of it.
  init(_ file: consuming InputFile, _ range: Range<Int>?) throws(CheckpointError) {
    let range = range ?? 0..<file.byteCount
    guard range.lowerBound >= 0, range.upperBound <= file.byteCount else {
      throw .truncated(
        path: file.path, part: "the HDF5 file within", expected: range.upperBound,
        found: file.byteCount)
    }
    guard !range.isEmpty else { throw .notWeights(path: file.path, found: FileKind.empty.label) }
    start = range.lowerBound
    byteCount = range.count
    self.file = file
  }

  /// Fills `buffer` from `offset` of the HDF5 file; `part` names the bytes in the error.
  func fill(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: Int, part: String
  ) throws(CheckpointError) {
    try unsafe file.fill(weights: buffer, at: start + offset, part: part)
  }
}

extension InputFile {
  /// Memory of this size, zeros for now, that can be handed to another program as a file.
  init(memory byteCount: Int, _ path: String) throws(CheckpointError) {
    let descriptor = aviary_memory(byteCount)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: SystemReason.last) }
    self.init(adopting: descriptor, byteCount: byteCount, path: path)
  }

  /// Fills `buffer` from `offset`; `part` names the bytes in the error if the file ends before.
  func fill(
    weights buffer: UnsafeMutableRawBufferPointer, at offset: Int, part: String
  ) throws(CheckpointError) {
    let found: Int
    do {
      found = try unsafe fill(buffer, at: offset)
    } catch {
      throw CheckpointError(error)
    }
    guard found == buffer.count else {
      throw .truncated(path: path, part: part, expected: buffer.count, found: found)
    }
  }
}
