import AviaryFormats
@testable import AviaryCheckpoint
@testable import AviaryContainers
import AviaryTestSupport
import Testing

/// A checkpoint without weights that someone else wrote.
enum HandmadeCheckpoint {
  /// What is said of it when it is opened, behind its path and that it is damaged.
  ///
  /// - Parameter parts: writes what is wrong with it.
  static func complaint(
    _ parts: (borrowing HDF5Writer, borrowing HDF5Writer.Object) throws -> Void
  ) throws -> String {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    let writer = try HDF5Writer(replacing: path)
    let root = try writer.root()
    try writer.attribute("format", "aviary-checkpoint", of: root)
    try writer.attribute("format_version", 1, of: root)
    try writer.attribute("created_by", "someone", of: root)
    try writer.attribute("content_hash", "sha256:0", of: root)
    _ = try writer.group("weights", in: root)
    try parts(writer, root)
    try writer.commit()
    let error = try #require(throws: CheckpointError.self) { try CheckpointFile(path) }
    #expect(error.description.hasPrefix("\(path): damaged: "), "\(error)")
    return String(error.description.dropFirst("\(path): damaged: ".count))
  }
}
