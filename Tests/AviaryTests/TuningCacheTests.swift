import Aviary
import AviaryTestSupport
import FoundationEssentials
import Testing

/// The file in which findings outlive the process.
@Suite struct TuningCacheTests {
  private func cache(_ folder: borrowing TemporaryFolder, _ identity: String = "a") -> TuningCache {
    TuningCache(folder: folder.file("caches/aviary"), identity: identity)
  }

  @Test func whatWasWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    #expect(cache(folder).load() == nil)
    cache(folder).update { "\($0 ?? "")x\ty\t1\n" }
    #expect(cache(folder).load() == "x\ty\t1\n")
    cache(folder).update { "\($0 ?? "")z\ty\t2\n" }
    #expect(cache(folder).load() == "x\ty\t1\nz\ty\t2\n")
    // Another processor's, or another version's, is another file.
    #expect(cache(folder, "b").load() == nil)
    #expect(cache(folder, "b").path != cache(folder).path)
  }

  @Test("files that are damaged or somebody else's are passed over, and replaced")
  func damage() throws {
    let folder = try TemporaryFolder()
    cache(folder).update { _ in "x\ty\t1\n" }
    let path = cache(folder).path
    let whole = try Data(contentsOf: URL(filePath: path))
    for bytes in [Data(), whole.dropLast(), whole.dropFirst(), Data([0, 255, 10])] {
      try bytes.write(to: URL(filePath: path))
      #expect(cache(folder).load() == nil)
    }
    cache(folder).update { "\($0 ?? "new")\n" }
    #expect(cache(folder).load() == "new\n")
  }

  @Test("where nothing can be written, nothing is, and nothing fails")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("file", [])
    for path in ["\(file)/aviary", "/proc/none/aviary"] {
      let cache = TuningCache(folder: path, identity: "a")
      cache.update { _ in "x" }
      #expect(cache.load() == nil)
    }
    // A folder where the file should be.
    let taken = cache(folder)
    try folder.makeFolder("caches/aviary")
    try FileManager.default.createDirectory(
      at: URL(filePath: taken.path), withIntermediateDirectories: true)
    taken.update { _ in "x" }
    #expect(taken.load() == nil)
  }

  @Test("of many writers at once none takes away what another wrote")
  func together() async throws {
    let folder = try TemporaryFolder()
    let cache = cache(folder)
    await withTaskGroup(of: Void.self) { group in
      for i in 0..<20 {
        group.addTask { cache.update { "\($0 ?? "")\(i)\n" } }
      }
    }
    let lines = (cache.load() ?? "").split(separator: "\n").compactMap { Int($0) }
    #expect(lines.sorted() == Array(0..<20))
  }
}
