@testable import AviaryFiles
import AviaryTestSupport
import Glibc
import Testing

/// The parts of paths.
@Suite struct PathTests {
  @Test(arguments: [
    ("a.png", "a.png", "a", "."), ("b/a.png", "a.png", "a", "b"), ("b/a/", "a", "a", "b"),
    ("/a", "a", "a", "/"), ("/", "/", "/", "/"), ("", "", "", "."), ("b//a", "a", "a", "b"),
    ("../x", "x", "x", ".."), ("b/.hidden", ".hidden", ".hidden", "b"),
    ("a.tar.gz", "a.tar.gz", "a.tar", "."), ("\u{E9}/\u{65E5}", "\u{65E5}", "\u{65E5}", "\u{E9}"),
  ])
  func parts(path: String, name: String, stem: String, folder: String) {
    #expect(path.fileName == name)
    #expect(path.fileStem == stem)
    #expect(path.folder == folder)
  }

  @Test func names() {
    #expect("/a//b/".pathNames == ["a", "b"])
    #expect("".pathNames == [] && "/".pathNames == [])
    #expect("a/b".besides("c") == "a/c" && "b".besides("c") == "c" && "/b".besides("c") == "/c")
  }

  /// A link may lead to a name that is no text.
  @Test func aLinkToANameThatIsNotUTF8() throws {
    let folder = try TemporaryFolder()
    let link = folder.file("link")
    let name = Array(folder.path.utf8CString.dropLast()) + [0x2F, -1, 0x61, 0]
    unsafe name.withUnsafeBufferPointer { name in
      guard let name = name.baseAddress else { return }
      close(unsafe creat(name, 0o644))
      _ = unsafe symlink(name, link)
    }
    let file = try AtomicFile(replacing: link)
    try file.write([1, 2, 3])
    try file.commit()
    var status = stat()
    let found = unsafe name.withUnsafeBufferPointer { name in
      unsafe name.baseAddress.map { unsafe stat($0, &status) } ?? -1
    }
    #expect(found == 0 && status.st_size == 3)
  }
}
