// Processes are Foundation's.
internal import Foundation

/// Programs of the toolchain, found by name.
package enum Tool {
  /// Runs a program to its end.
  ///
  /// - Parameter arguments: the program's name and what it is given.
  /// - Throws: `Failure` if it ends otherwise than with status 0.
  package static func run(_ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let log = try folder.file("log", [])
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    let handle = try FileHandle(forWritingTo: URL(filePath: log))
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let output = String(decoding: try Data(contentsOf: URL(filePath: log)), as: UTF8.self)
      throw Failure(
        description: "\(arguments.joined(separator: " ")): status "
          + "\(process.terminationStatus)\n\(output)")
    }
  }

  /// What a program that failed wrote.
  package struct Failure: Error, CustomStringConvertible {
    /// The command, its status and its output.
    package let description: String
  }
}
