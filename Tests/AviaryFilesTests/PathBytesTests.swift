import AviaryFiles
import AviaryTestSupport
import Testing

/// Names of files that are no text.
@Suite struct PathBytesTests {
  @Test(
    arguments: [
      Array("photo.png".utf8), Array("\u{E9}\u{1F426}.png".utf8), [0xFF, 0xFE, 0x2E, 0x70],
      [0x61, 0xC3], [0xC3, 0xA9, 0x80, 0x62], [0xED, 0xA0, 0x80], [],
      // The characters themselves that stand for bytes.
      Array("\u{10FF80}x\u{10FFFF}".utf8),
    ] as [[UInt8]])
  func everyNameComesBack(_ bytes: [UInt8]) {
    #expect(String(pathBytes: bytes).pathBytes == bytes)
  }

  @Test func textStaysText() {
    #expect(String(pathBytes: Array("\u{E9}.png".utf8)) == "\u{E9}.png")
    #expect(String(pathBytes: [0x61, 0xFF, 0x62]).printable == #"a\xFFb"#)
    #expect(String(pathBytes: [0x61, 0xFF, 0x62]).pathText == #"a\xFFb"#)
  }

  @Test func aNameThatIsNoTextIsFoundReadAndWritten() throws {
    let folder = try TemporaryFolder()
    let name = String(pathBytes: [0xFF, 0xFE, 0x2E, 0x62])
    let file = try AtomicFile(replacing: folder.file(name))
    try file.write([1, 2, 3])
    try file.commit()
    #expect(try Folder.names(in: folder.path) == [name])
    #expect(try InputFile(folder.file(name)).bytes(at: 0, count: 9) == [1, 2, 3])
  }

  @Test func foldersAreMadeWithThoseAbove() throws {
    let folder = try TemporaryFolder()
    try Folder.make(folder.file("a/b/c/"))
    try Folder.make(folder.file("a/b"))
    #expect(try Folder.names(in: folder.file("a/b")) == ["c"])
    let file = try folder.file("file", [])
    #expect(throws: FileError.cannotWrite(path: file, reason: "not a directory")) {
      try Folder.make(file)
    }
    #expect(throws: FileError.self) { try Folder.make("\(file)/below") }
  }

  @Test func hiddenNamesAreLeftAsideAndTheOthersSorted() throws {
    let folder = try TemporaryFolder()
    for name in ["b", ".hidden", "a", "B"] { _ = try folder.file(name, []) }
    #expect(try Folder.names(in: folder.path) == ["B", "a", "b"])
  }
}
