public import AviaryContainers
import AviaryFiles
public import AviaryTensor

/// One array in a `.npy` file, as images come from other frameworks and go back to them.
public enum NumPyArray {
  /// Reads an array of any numbers as float32.
  ///
  /// - Throws: `CheckpointError` for what is no `.npy` file, or a damaged one.
  public static func read(_ path: String) throws(CheckpointError) -> Tensor {
    let entries = try NumPyArrays(path).entries
    guard let entry = entries.first, entries.count == 1, entry.name.isEmpty else {
      throw .notWeights(path: path, found: "an archive of \(entries.count) arrays")
    }
    return try entry.load().converted(to: .float32)
  }

  /// Writes an array of float32, version 1.0 of the format. The file appears whole or not at all.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  public static func write(_ tensor: Tensor, to path: String) throws(CheckpointError) {
    let shape = tensor.shape.map(String.init).joined(separator: ", ")
    var header = "{'descr': '<f4', 'fortran_order': False, "
    header += "'shape': (\(shape)\(tensor.shape.count == 1 ? "," : "")), }"
    // The elements begin at a multiple of 64 bytes, behind magic, version, length and a line feed.
    let unpadded = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let count = header.utf8.count
    let start: [UInt8] =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(count & 255), UInt8(count >> 8)]
    let elements = unsafe tensor.converted(to: .float32).withUnsafeBytes { unsafe Array($0) }
    do throws(FileError) {
      let file = try AtomicFile(replacing: path)
      try file.write(start + Array(header.utf8) + elements)
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }
}
