import AviaryTestSupport
import Foundation
import Testing

/// That a system which refuses threads gives the same images and files, or an error: never others,
/// and never a signal.
@Suite("The program without enough threads", .serialized)
struct LimitedThreadsTests {
  /// The number of an unprivileged user: limits of processes do not hold for root.
  private static let nobody = "65534"
  private static let asNobody =
    "setpriv --reuid=\(nobody) --regid=\(nobody) --clear-groups"
  /// What Docs/CommandLine.md says of failures.
  private static let statuses: Set<Int32> = [1, 64, 65, 66, 69, 70, 73]

  /// Whether the shell can do this, as whom the tests run.
  private static func succeeds(_ command: String) -> Bool {
    (try? Outcome(["--version"], after: "\(command) >/dev/null 2>&1 || exit 99"))?.status != 99
  }

  /// Whether the tests run as root, who may become nobody, and nobody may run the program.
  static let canLimit = succeeds("\(asNobody) \"$0\" --version")
  /// Whether system calls can be made to fail.
  static let canInject = succeeds(
    "strace -f -o /dev/null -e inject=getpid:error=EPERM:when=99 true")

  /// Commands, each with the names of the files that it writes.
  private struct Work {
    let name: String
    let arguments: [String]
    let outputs: [String]
  }

  /// Files to read, and what is written of them without a limit.
  private struct Sample: ~Copyable {
    let folder: TemporaryFolder
    let works: [Work]
    private let expected: [[String: Data]]

    init(threads: [Int]) throws {
      let folder = try TemporaryFolder()
      let picture = folder.file("picture.png"), model = folder.file("tiny.h5")
      let weights = fixture("weights/whole.pt")
      // Large enough to be divided among threads.
      for arguments in [
        ["run", "bicubic", fixture("pictures/rgb-8.png"), "-o", picture, "--scale", "20"],
        ["convert", weights, model, "--scale", "2"],
      ] { #expect(try Outcome(arguments).status == 0) }
      let copy = folder.file("second.png")
      try FileManager.default.copyItem(atPath: picture, toPath: copy)
      try folder.makeFolder("out")
      let out = folder.file("out")
      var works: [Work] = []
      for threads in threads {
        let options = ["--scale", "2", "--threads", "\(threads)"]
        for network in ["bicubic", model] {
          works.append(
            Work(
              name: "run \(network) on \(threads)",
              arguments: ["run", network, picture, "-o", "\(out)/large.png"] + options,
              outputs: ["large.png"]))
        }
        // The last of several images is computed on all threads, asked for by another than the
        // first.
        works.append(
          Work(
            name: "run two images on \(threads)",
            arguments: ["run", model, picture, copy, "-o", out] + options,
            outputs: ["picture.png", "second.png"]))
      }
      works.append(
        Work(
          name: "convert", arguments: ["convert", weights, "\(out)/tiny.pt"], outputs: ["tiny.pt"]))
      // Others may read and write all of it.
      for (path, mode) in [(folder.path, 0o755), (out, 0o777)] {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      }
      var expected: [[String: Data]] = []
      for work in works {
        let outcome = try Outcome(work.arguments)
        #expect(outcome.status == 0, "\(work.name): \(outcome.error)")
        expected.append(try Sample.take(from: out))
        #expect(expected.last?.keys.sorted() == work.outputs)
      }
      (self.works, self.expected) = (works, expected)
      self.folder = folder
    }

    /// The files in a folder, which is empty then.
    private static func take(from out: String) throws -> [String: Data] {
      var files: [String: Data] = [:]
      for name in try FileManager.default.contentsOfDirectory(atPath: out) {
        files[name] = try Data(contentsOf: URL(filePath: "\(out)/\(name)"))
        try FileManager.default.removeItem(atPath: "\(out)/\(name)")
      }
      return files
    }

    /// Runs a command under a limit, and holds that it did its work or said why not.
    ///
    /// - Parameter program: the shell's command that stands before the program's name.
    /// - Returns: whether the work was done.
    func holds(_ number: Int, by program: String) throws -> Bool {
      let work = works[number]
      // Not by `init(after:)`'s own `exec`, for the program is started by another.
      let outcome = try Outcome(
        work.arguments, environment: ["HOME": "/nonexistent"],
        after: "ulimit -t 900; exec \(program) \"$0\" \"$@\"")
      let found = try Sample.take(from: folder.file("out"))
      let title = "\(program): \(work.name): \(outcome.status) \(outcome.error)"
      for (name, data) in found {
        // An image of several may have been done before one that could not be.
        #expect(data == expected[number][name], "\(title): \(name)")
      }
      if outcome.status == 0 {
        #expect(found.keys.sorted() == work.outputs, "\(title)")
        return true
      }
      #expect(LimitedThreadsTests.statuses.contains(outcome.status), "\(title)")
      #expect(outcome.error.hasSuffix("\n"), "\(title)")
      if work.outputs.count == 1 { #expect(found.isEmpty, "\(title)") }
      return false
    }
  }

  @Test(
    "a limit of processes",
    .enabled(
      if: LimitedThreadsTests.canLimit, "needs root and setpriv, and a program that all may run"))
  func limits() throws {
    let sample = try Sample(threads: [4, 8])
    for limit in [2, 5, 6] + Array(9...14) {
      for work in sample.works.indices {
        _ = try sample.holds(
          work,
          by: "\(Self.asNobody) /bin/sh -c 'ulimit -u \(limit); exec \"$0\" \"$@\"'")
      }
    }
  }

  @Test(
    "each call that makes a thread, failing",
    .enabled(if: LimitedThreadsTests.canInject, "needs strace, and the right to trace"))
  func injections() throws {
    let sample = try Sample(threads: [4])
    for work in sample.works.indices {
      var failures = 0
      // More calls than four threads need, and their trials.
      for call in 1...16 {
        let inject = "strace -f -q -o /dev/null -e inject=clone3:error=EAGAIN:when=\(call)"
        if !(try sample.holds(work, by: inject)) { failures += 1 }
      }
      // The calls of libgomp itself, which ends the process; all others are made up for.
      #expect(failures < 16)
    }
  }
}
