import AviaryCompute
import AviaryTestSupport
import FoundationEssentials
import Testing

@Suite struct CoresTests {
  /// Writes files under a temporary folder and gives the quota that they state.
  private func quota(_ groups: String, _ files: [String: String]) throws -> Int? {
    let folder = try TemporaryFolder()
    for (path, text) in files {
      let file = URL(filePath: folder.file("cgroup/\(path)"))
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: false, encoding: .utf8)
    }
    let list = try folder.file("groups", Array(groups.utf8))
    return Engine.quota(allocation: folder.file("cgroup"), groups: list)
  }

  @Test func unified() throws {
    #expect(try quota("0::/\n", ["cpu.max": "150000 100000\n"]) == 2)
    #expect(try quota("0::/\n", ["cpu.max": "max 100000\n"]) == nil)
    #expect(try quota("0::/a/b\n", ["a/cpu.max": "100000 100000", "a/b/cpu.max": "max 1"]) == 1)
    #expect(try quota("0::/a\n", ["cpu.max": "300000 100000", "a/cpu.max": "400000 100000"]) == 3)
  }

  @Test func legacy() throws {
    let files = ["cpu/cpu.cfs_quota_us": "250000\n", "cpu/cpu.cfs_period_us": "100000\n"]
    #expect(try quota("4:cpu,cpuacct:/docker/x\n", files) == 3)
    #expect(try quota("4:memory:/\n", files) == nil)
    #expect(
      try quota(
        "4:cpu:/\n", ["cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"]) == nil)
  }

  @Test func nonsense() throws {
    for text in ["", "x y", "100000", "100000 0", "-5 100", "nan 1", "1e300 1"] {
      #expect(try quota("0::/\n", ["cpu.max": text]) == nil)
    }
    #expect(try quota("", [:]) == nil)
    #expect(Engine.quota(allocation: "/nonexistent", groups: "/nonexistent") == nil)
  }

  @Test func atLeastOne() { #expect(Engine.availableCores >= 1) }
}
