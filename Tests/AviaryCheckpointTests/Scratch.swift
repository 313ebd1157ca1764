import FoundationEssentials
import Glibc

/// A folder of its own for one test, removed with everything in it at the end.
struct Scratch: ~Copyable {
  let path: String

  init() {
    path =
      FileManager.default.temporaryDirectory.path + "/aviary-tests-"
      + String(UInt64.random(in: .min ... .max), radix: 36)
    _ = unsafe mkdir(path, 0o700)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file into the folder and gives its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: file(name)))
    return file(name)
  }

  /// What is in the folder, hidden files included.
  func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// The bytes of a file.
func bytes(_ path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(filePath: path)))
}
