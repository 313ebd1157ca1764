import AviaryTestSupport
// Processes and pipes are Foundation's; the program itself does without it.
import Foundation
import Testing

/// What the program did when it was run as a child process.
struct Outcome {
  let status: Int32
  let output: String
  let error: String

  /// Runs the program.
  ///
  /// - Parameters:
  ///   - environment: variables that differ from the test's own. No checkpoints are found by name
  ///     no plugins are loaded, and nothing is timed, unless stated here.
  ///   - folder: the current folder.
  ///   - limit: a command of the shell that is run before, such as `ulimit -f 8`.
  init(
    _ arguments: [String], environment: [String: String] = [:], in folder: String? = nil,
    after limit: String? = nil
  ) throws {
    let process = Process()
    // A limit of processor seconds: a child ends even where the tests themselves were killed.
    let limits = (limit.map { "\($0); " } ?? "") + "ulimit -t 900"
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "\(limits); exec \"$0\" \"$@\"", Outcome.program.path] + arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(["AVIARY_CHECKPOINTS": "", "AVIARY_PLUGIN_PATH": "", "AVIARY_TUNE": "never"]) { $1 }
      .merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    // Into files: a full pipe that nobody reads would stop the child.
    let files = try TemporaryFolder()
    func handle(_ name: String) throws -> FileHandle {
      try FileHandle(forWritingTo: URL(filePath: files.file(name, [])))
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try handle("output")
    process.standardError = try handle("error")
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationReason == .exit, "the program was ended by a signal")
    status = process.terminationStatus
    func text(_ name: String) throws -> String {
      String(decoding: try Data(contentsOf: URL(filePath: files.file(name))), as: UTF8.self)
    }
    output = try text("output")
    error = try text("error")
  }

  /// What is said on standard error, but for the warning that a network of random weights makes no
  /// image of a natural one.
  var errorWithoutProbe: String {
    error.split(separator: "\n", omittingEmptySubsequences: true)
      .filter {
        !$0.contains(": warning: ") || !$0.contains("the result for a natural image")
      }.map { "\($0)\n" }.joined()
  }

  /// The output as JSON's objects and arrays.
  func json() throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
    return try #require(object as? [String: Any])
  }

  /// Lies beside the test itself.
  static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "aviary")
}

/// The path of a file among the tests' own.
func fixture(_ path: String) -> String {
  SharedFolder.repository.appending(path: "Tests/Fixtures/\(path)").path
}

/// Holds that the program failed with this status and exactly this line, and printed no result.
func expectFailure(
  _ outcome: Outcome, _ status: Int32, _ line: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, sourceLocation: sourceLocation)
  #expect(outcome.errorWithoutProbe == "aviary: \(line)\n", sourceLocation: sourceLocation)
  #expect(outcome.output == "", sourceLocation: sourceLocation)
}
