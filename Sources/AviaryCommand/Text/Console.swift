import AviaryFiles
import AviaryGraph
import Glibc

/// Standard output and standard error.
///
/// Written with the system's own calls: `print` buffers, ignores errors, and would let a full disk
/// pass for success.
enum Console {
  /// Writes a result, ending with a line break.
  ///
  /// - Throws: `CommandError.standardOutput`, so that a result that did not arrive is no success.
  static func print(_ text: String) throws(CommandError) {
    guard let reason = write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO) else {
      return
    }
    throw .standardOutput(reason: reason)
  }

  /// Writes a result for machines, whose text is safe on a terminal, too.
  static func print(_ json: JSON) throws(CommandError) { try print(json.prettyText.escapedJSON) }

  /// Says in one line why the program failed.
  static func error(_ error: any Error) { self.error("\(error)") }

  /// Says in one line why the program failed.
  static func error(_ text: String) { line(text) }

  /// Says in one line what the user should know although nothing failed. Never left out.
  static func warn(_ text: String) { line("warning: \(text)") }

  /// Says in one line what was done, for those who did not ask for quiet.
  static func note(_ text: String) { line("note: \(text)") }

  /// Writes to standard error as it is: for what moves on a terminal.
  static func draw(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// Whatever a message holds, file names and tensors' names included, it stays one line.
  private static func line(_ text: String) {
    _ = write("aviary: \(text.printable)\n", to: STDERR_FILENO)
  }

  /// Gives the reason where the text cannot be written.
  private static func write(_ text: String, to descriptor: Int32) -> String? {
    var text = text
    return text.withUTF8 { bytes in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeBufferPointer(rebasing: bytes[done...])
        let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 {
          // A signal came before anything was written.
          if errno == EINTR { continue }
          return SystemReason.last
        }
        done += count
      }
      return nil
    }
  }
}
