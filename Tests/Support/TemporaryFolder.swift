internal import FoundationEssentials

/// A folder of its own for a test, removed with everything in it afterwards.
package struct TemporaryFolder: ~Copyable {
  /// Where it is.
  package let path: String

  /// Makes the folder.
  package init() throws {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "aviary-test-\(UInt64.random(in: .min ... .max))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  /// The path of a file within.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The path of a file within, to which these bytes are written.
  package func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: file(name)))
    return file(name)
  }

  /// Makes a folder within.
  package func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      at: URL(filePath: file(name)), withIntermediateDirectories: true)
  }

  /// The names within, hidden ones too.
  package var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
