import AviaryFiles
import AviaryTestSupport
import Testing

@Suite("locks of folders")
struct FolderLockTests {
  @Test("one at a time, and free again afterwards")
  func exclusive() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("run")
    try folder.makeFolder("run")
    do {
      let lock = try FolderLock(path)
      // Another descriptor is as good as another process.
      #expect(
        throws: FileError.cannotWrite(path: path, reason: "another process is at work in it")
      ) { _ = try FolderLock(path) }
      _ = consume lock
    }
    _ = try FolderLock(path)
    #expect(throws: FileError.self) { _ = try FolderLock(folder.file("none")) }
  }
}
