@testable import AviaryContainers
import AviaryFiles
import AviaryTestSupport
import FoundationEssentials
import Glibc
import Testing

/// Programs that stand in for the helper and fail, each in its own way: an error of one line, in
/// time.
@Suite struct HDF5HelperTests {
  /// What reading a file by a script in place of the helper throws.
  private func failure(_ script: String, patience: Int = 30) throws -> String {
    let folder = try TemporaryFolder()
    let program = try folder.file("helper", Array("#!/bin/sh\n\(script)\n".utf8))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    return try failure(HDF5Helper(program: program, patience: patience))
  }

  private func failure(_ helper: HDF5Helper) throws -> String {
    let path = Fixture.path("hdf5/foreign.h5")
    let error = try #require(throws: CheckpointError.self) {
      let range = try HDF5Range(try InputFile(weights: path), nil)
      return try HDF5Tree(HDF5Reader(isolating: range, helper))
    }
    let prefix = "\(path): the isolated reader of HDF5 failed: "
    #expect(error.description.hasPrefix(prefix), "\(error)")
    return String(error.description.dropFirst(prefix.count))
  }

  @Test(arguments: [
    ("kill -SEGV $$", "the program aviary-hdf5 was ended by signal 11 (segmentation fault)"),
    ("echo AVH5; kill -KILL $$", "the program aviary-hdf5 was ended by signal 9 (killed)"),
    ("exit 3", "the program aviary-hdf5 ended with status 3"),
    ("exit 0", "expected an answer of its own kind and version"),
    ("echo nonsense", "expected an answer of its own kind and version"),
    (#"printf 'AVH5\001'"#, "its answer makes no sense at byte 5, in the end"),
    (#"printf 'AVH5\001\011'"#, "its answer makes no sense at byte 6, in the kind"),
    (#"printf 'AVH5\001\001'"#, "expected a tree, found another answer"),
    (#"printf 'AVH5\001\000\377\377\377\377'"#, "its answer makes no sense at byte 10, in a count"),
    ("cat /dev/zero", "its answer is longer than the file can give reason for"),
  ]) func aFaultIsAnError(script: String, reason: String) throws {
    #expect(try failure(script) == reason)
  }

  @Test func whoTakesTooLongIsEnded() throws {
    let start = ContinuousClock.now
    #expect(
      try failure("exec sleep 100", patience: 1)
        == "expected an answer within 1 seconds, found none")
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  @Test func anAbsentHelperIsNamed() throws {
    #expect(
      try failure(HDF5Helper(program: "/absent/aviary-hdf5"))
        == "/absent/aviary-hdf5: no such file or directory")
    let error = try #require(throws: CheckpointError.self) {
      try HDF5Helper.installed(for: "a.h5", beside: "/absent/program")
    }
    #expect(
      error.description == "a.h5: the isolated reader of HDF5 failed: the program aviary-hdf5 "
        + "is neither in /absent nor in /absent/../libexec/aviary")
  }

  /// The helper is given its three descriptors and no environment.
  @Test func nothingIsInherited() throws {
    let secret = try InputFile(weights: Fixture.path("hdf5/other.h5"))
    let copy = fcntl(secret.descriptor, F_DUPFD, 40)
    defer { close(copy) }
    // The shell itself sets PWD and the like; the environment it was given is in its own file.
    let folder = try TemporaryFolder()
    let found = folder.file("found")
    _ = try failure("ls /proc/$$/fd > \(found); tr '\\0' ' ' < /proc/$$/environ >> \(found)")
    // From 10 on the shell keeps its script and what it redirects.
    let lines = String(decoding: try bytes(found), as: UTF8.self).split(separator: "\n")
    #expect(lines.filter { !["10", "11"].contains($0) } == ["0", "1", "2"])
  }
}
