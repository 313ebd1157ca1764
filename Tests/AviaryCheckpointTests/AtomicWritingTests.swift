import AviaryFormats
import AviaryCheckpoint
import AviaryContainers
import AviaryTensor
import AviaryTestSupport
import Glibc
import Testing

/// Whatever goes wrong while a file is written, the old one stays whole and nothing else is left.
@Suite(.serialized) struct AtomicWritingTests {
  @Test func aFullDiskLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    try sampleCheckpoint().write(to: path)
    let old = try bytes(path)
    var large = try sampleCheckpoint()
    large.weights["large"] = try Tensor(zeros: [12 << 20])
    let error = withFileSizeLimit(32 << 20) {
      #expect(throws: CheckpointError.self) { try large.write(to: path) }
    }
    #expect(error?.description == "\(path): cannot be written: file too large")
    #expect(try bytes(path) == old)
    #expect(try folder.names == ["a.h5"])
    // The next one succeeds: nothing of the failed one is left open.
    try large.write(to: path)
    #expect(try Checkpoint(contentsOf: path).weights["large"]?.count == 12 << 20)
  }

  @Test func foldersThatCannotBeWrittenAreNamed() throws {
    let folder = try TemporaryFolder()
    let sample = try sampleCheckpoint()
    for (path, reason) in [
      (folder.file("absent/a.h5"), "there is no folder \(folder.file("absent"))"),
      (folder.path, "it is a folder"),
      ("/dev/full", "it is not a file"),
    ] {
      let error = try #require(throws: CheckpointError.self) { try sample.write(to: path) }
      #expect(error.description == "\(path): cannot be written: \(reason)")
    }
  }

  /// Lowers the largest size of a file for the time of `body`, far above what other tests write.
  private func withFileSizeLimit<R>(_ bytes: UInt, _ body: () -> R) -> R {
    // The signal would end the process; ignored, the write fails as on a full disk.
    let handler = signal(SIGXFSZ, SIG_IGN)
    var old = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
    var new = old
    new.rlim_cur = rlim_t(bytes)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &new)
    defer {
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
      _ = signal(SIGXFSZ, handler)
    }
    return body()
  }
}
