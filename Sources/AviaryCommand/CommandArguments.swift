import AviaryFiles
import Glibc

/// What stands on the command line after the program's name.
enum CommandArguments {
  /// Byte for byte, as `String(pathBytes:)` has it: names of files need not be UTF-8, and Swift's own
  /// list has something else in the place of what is not.
  static let all: [String] = (1..<max(Int(CommandLine.argc), 1)).compactMap { position in
    guard let argument = unsafe CommandLine.unsafeArgv[position] else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(start: argument, count: strlen(argument))
    return unsafe String(pathBytes: Array(bytes))
  }
}
