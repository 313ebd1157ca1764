import AviaryFiles
import AviaryTestSupport
import Glibc
import Testing

/// Both kinds of temporary files: without a name, and with a hidden one.
@Suite struct AtomicFileTests {
  private func write(_ content: [UInt8], to path: String, isNameless: Bool) throws {
    let file = try AtomicFile(replacing: path, isNameless: isNameless)
    try file.write(content)
    try file.commit()
  }

  @Test(arguments: [true, false])
  func aFileIsMadeAndReplaced(isNameless: Bool) throws {
    let folder = try TemporaryFolder()
    for content: [UInt8] in [[1, 2, 3], [4, 5], []] {
      try write(content, to: folder.file("a"), isNameless: isNameless)
      #expect(try bytes(folder.file("a")) == content)
      #expect(try folder.names == ["a"])
    }
  }

  @Test(arguments: [true, false])
  func anAbandonedFileLeavesTheOldFile(isNameless: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("a", [1, 2, 3])
    do {
      let file = try AtomicFile(replacing: path, isNameless: isNameless)
      try file.write([UInt8](repeating: 7, count: 9))
      #expect(try bytes(path) == [1, 2, 3])
    }
    #expect(try bytes(path) == [1, 2, 3])
    #expect(try folder.names == ["a"])
  }

  /// What a process that is killed meanwhile leaves: nothing, where files can be without a name.
  @Test func aNamelessFileIsNoLitter() throws {
    let folder = try TemporaryFolder()
    // O_TMPFILE; see AtomicFile.
    let probe = unsafe open(folder.path, O_RDWR | 0o20_000_000 | O_DIRECTORY, 0o600)
    try #require(probe >= 0 || errno == EOPNOTSUPP)
    close(probe)
    let file = try AtomicFile(replacing: folder.file("a"))
    #expect(try folder.names.count == (probe >= 0 ? 0 : 1))
    try file.commit()
    #expect(try folder.names == ["a"])
  }

  @Test(arguments: [true, false])
  func linksAndPermissionsAreKept(isNameless: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("a", [1])
    #expect(unsafe chmod(path, 0o640) == 0)
    #expect(unsafe symlink("a", folder.file("link")) == 0)
    try write([2], to: folder.file("link"), isNameless: isNameless)
    #expect(try bytes(path) == [2])
    var status = stat()
    #expect(unsafe lstat(folder.file("link"), &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    #expect(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o640)
    #expect(try folder.names == ["a", "link"])
  }

  @Test(arguments: [true, false])
  func placesThatCannotBeWrittenAreNamed(isNameless: Bool) throws {
    let folder = try TemporaryFolder()
    for (path, reason) in [
      (folder.file("none/a"), "there is no folder \(folder.file("none"))"),
      (folder.path, "it is a folder"), ("/dev/null", "it is not a file"),
      // A folder in which nobody makes files.
      ("/proc/a", "no such file or directory"),
    ] {
      let error = try #require(throws: FileError.self) {
        _ = try AtomicFile(replacing: path, isNameless: isNameless)
      }
      #expect(error.description == "\(path): cannot be written: \(reason)")
    }
  }

  @Test(arguments: [true, false])
  func aLinkThatLeadsToNothingYetStaysALink(isNameless: Bool) throws {
    let folder = try TemporaryFolder()
    let inner = folder.file("inner")
    try folder.makeFolder("inner")
    #expect(unsafe symlink("inner/link", folder.file("first")) == 0)
    #expect(unsafe symlink("a", "\(inner)/link") == 0)
    try write([5], to: folder.file("first"), isNameless: isNameless)
    #expect(try bytes("\(inner)/a") == [5])
    var status = stat()
    for link in [folder.file("first"), "\(inner)/link"] {
      #expect(unsafe lstat(link, &status) == 0)
      #expect(status.st_mode & S_IFMT == S_IFLNK)
    }
  }

  @Test(arguments: [true, false])
  func linksInACircleAreLeft(isNameless: Bool) throws {
    let folder = try TemporaryFolder()
    #expect(unsafe symlink("b", folder.file("a")) == 0)
    #expect(unsafe symlink("a", folder.file("b")) == 0)
    let error = try #require(throws: FileError.self) {
      try write([5], to: folder.file("a"), isNameless: isNameless)
    }
    #expect(
      error.description
        == "\(folder.file("a")): cannot be written: too many levels of symbolic links")
    #expect(try folder.names == ["a", "b"])
  }
}
