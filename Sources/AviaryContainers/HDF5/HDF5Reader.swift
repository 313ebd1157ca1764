import AviaryFiles
import AviaryHDF5

/// Who reads an HDF5 file through the library: the helper program, or this process.
///
/// One type, so that both give the same answer, which is decoded the same way.
final class HDF5Reader: Sendable {
  /// The file.
  let range: HDF5Range
  private let way: Way

  private enum Way: ~Copyable, Sendable {
    case helper(HDF5Helper)
    case inProcess(HDF5File)
  }

  /// A reader in this process.
  ///
  /// - Throws: `CheckpointError.damaged` if the library does not know the file for HDF5.
  init(trusting range: consuming HDF5Range) throws(CheckpointError) {
    do {
      way = .inProcess(
        try HDF5File(
          range.file.descriptor, start: range.start, byteCount: range.byteCount))
    } catch {
      throw CheckpointError(error, in: range.file.path)
    }
    self.range = range
  }

  /// A reader in a program of its own.
  init(isolating range: consuming HDF5Range, _ helper: HDF5Helper) {
    way = .helper(helper)
    self.range = range
  }

  /// All that the file says, as `HDF5Answer`.
  func answer() throws(CheckpointError) -> [UInt8] {
    switch way {
    case .helper(let helper): return try helper.answer(about: range)
    case .inProcess(let file):
      do {
        return try file.answer()
      } catch {
        throw CheckpointError(error, in: range.file.path)
      }
    }
  }

  /// Fills `buffer` with the elements of a data set, which are numbers.
  func read(
    _ dataSet: HDF5Tree.DataSet, into buffer: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    switch way {
    case .helper(let helper): try unsafe helper.read(dataSet.path, of: range, into: buffer)
    case .inProcess(let file):
      do {
        try unsafe file.read(dataSet.path, into: buffer)
      } catch {
        throw CheckpointError(error, in: range.file.path)
      }
    }
  }
}
