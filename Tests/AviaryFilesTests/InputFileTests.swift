import AviaryFiles
import AviaryTestSupport
import Glibc
import Testing

@Suite struct InputFileTests {
  @Test func bytesAreReadAsFarAsThereAreAny() throws {
    let folder = try TemporaryFolder()
    let file = try InputFile(folder.file("a", [1, 2, 3, 4, 5]))
    #expect(file.byteCount == 5)
    #expect(try file.bytes(at: 1, count: 3) == [2, 3, 4])
    #expect(try file.bytes(at: 3, count: .max) == [4, 5])
    #expect(try file.bytes(at: 5, count: 1) == [])
    #expect(try file.bytes(at: .max, count: .max) == [])
    #expect(try file.bytes(at: -1, count: 1) == [])
    // Another process makes the file shorter.
    #expect(unsafe truncate(folder.file("a"), 2) == 0)
    #expect(try file.bytes(at: 1, count: 3) == [2])
  }

  /// A pipe that nobody writes to must not be waited for.
  @Test func whatIsNoFileIsSaid() throws {
    let folder = try TemporaryFolder()
    #expect(unsafe mkfifo(folder.file("pipe"), 0o600) == 0)
    for (path, reason) in [
      (folder.file("none"), "no such file or directory"), (folder.path, "it is a folder"),
      ("/dev/null", "it is not a file"), (folder.file("pipe"), "it is not a file"),
    ] {
      let error = try #require(throws: FileError.self) { _ = try InputFile(path) }
      #expect(error.description == "\(path): cannot be read: \(reason)")
    }
  }
}
