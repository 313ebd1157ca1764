import AviaryTensor
import Glibc
import Testing

import AviaryCheckpoint

/// Whatever goes wrong while a file is written, the old one stays whole and nothing else is left.
@Suite(.serialized) struct AtomicWritingTests {
  @Test func aFullDiskLeavesTheOldFile() throws {
    let scratch = Scratch()
    let path = scratch.file("a.h5")
    try sampleCheckpoint().write(to: path)
    let old = try bytes(path)
    var large = try sampleCheckpoint()
    large.weights["large"] = try Tensor(zeros: [12 << 20])
    let error = withFileSizeLimit(32 << 20) {
      #expect(throws: CheckpointError.self) { try large.write(to: path) }
    }
    #expect(error?.description == "\(path): cannot be written: file too large")
    #expect(try bytes(path) == old)
    #expect(try scratch.contents() == ["a.h5"])
    // The next one succeeds: nothing of the failed one is left open.
    try large.write(to: path)
    #expect(try Checkpoint(contentsOf: path).weights["large"]?.count == 12 << 20)
  }

  @Test func anAbandonedFileLeavesTheOldFile() throws {
    let scratch = Scratch()
    let path = try scratch.file("a.h5", [1, 2, 3])
    do {
      let file = try AtomicFile(replacing: path)
      try unsafe [UInt8](repeating: 7, count: 9).withUnsafeBytes { try unsafe file.write($0) }
    }
    #expect(try bytes(path) == [1, 2, 3])
    #expect(try scratch.contents() == ["a.h5"])
  }

  @Test func linksAndPermissionsAreKept() throws {
    let scratch = Scratch()
    let path = try scratch.file("a.h5", [1])
    #expect(unsafe chmod(path, 0o640) == 0)
    #expect(unsafe symlink("a.h5", scratch.file("link.h5")) == 0)
    try sampleCheckpoint().write(to: scratch.file("link.h5"))
    #expect(try Checkpoint(contentsOf: path).architecture == "plain-cae")
    var status = stat()
    #expect(unsafe lstat(scratch.file("link.h5"), &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    #expect(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o640)
    #expect(try scratch.contents() == ["a.h5", "link.h5"])
  }

  @Test func foldersThatCannotBeWrittenAreNamed() throws {
    let scratch = Scratch()
    let sample = try sampleCheckpoint()
    for (path, reason) in [
      (scratch.file("absent/a.h5"), "no such file or directory"),
      (scratch.path, "something that is not a file is there"),
      ("/dev/full", "something that is not a file is there"),
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
