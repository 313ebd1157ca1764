internal import AviaryFormats
internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryTensor
internal import ArgumentParser

/// Writes a checkpoint's tensors as NumPy's archive of arrays, a format that `aviary` reads and
/// does not write.
struct ArraysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "arrays", abstract: "Writes the tensors of a checkpoint as an .npz archive.")

  @Argument(help: "The checkpoint.")
  var checkpoint: String

  @Argument(help: "The file to write.")
  var path: String

  func run() throws {
    let tensors = try CheckpointFile(checkpoint).tensors
    var zip = try ZipWriter(replacing: path)
    for (position, description) in tensors.enumerated() {
      let tensor = try tensors.tensor(at: position).converted(to: .float32)
      let bytes = unsafe tensor.withUnsafeBytes { unsafe Array($0) }
      try zip.add("\(description.name).npy", Self.header(tensor.shape) + bytes)
    }
    try zip.finish()
  }

  /// What stands before the elements (numpy/lib/format.py, version 1.0): all padded to 64 bytes.
  private static func header(_ shape: [Int]) -> [UInt8] {
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
    let padding = 63 - (10 + text.utf8.count) % 64
    let dictionary = Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0A]
    let length = dictionary.count
    return [0x93] + Array("NUMPY".utf8)
      + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
      + dictionary
  }
}
