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
  /// - Throws: `CommandError.standardOutput`, so that lost output is not taken for success.
  static func print(_ text: String) throws(CommandError) {
    guard let reason = write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO) else {
      return
    }
    throw .standardOutput(reason: reason)
  }

  /// Prints a result as JSON, whose text is safe on a terminal too.
  static func print(_ json: JSON) throws(CommandError) { try print(json.prettyText.escapedJSON) }

  /// Says in one line why the program failed.
  static func error(_ error: any Error) { self.error("\(error)") }

  /// Says in one line why the program failed.
  static func error(_ text: String) { line(text) }

  /// Prints a one-line warning although nothing failed. Never suppressed.
  static func warn(_ text: String) { line("warning: \(text)") }

  /// Prints a one-line note, unless the user asked for quiet.
  static func note(_ text: String) { line("note: \(text)") }

  /// Writes to standard error unchanged, for what is redrawn on a terminal.
  static func draw(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// Always writes a single line, whatever the message contains (file names and tensor names
  /// included).
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
