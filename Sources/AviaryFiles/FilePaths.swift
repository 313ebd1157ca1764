import SystemPackage

/// The parts of paths. Slashes at the end and doubled ones do not count, `.` and `..` are names.
extension String {
  /// The last name of a path; the path itself where it has none, as `/`.
  package var fileName: String { FilePath(self).lastComponent?.string ?? self }

  /// The last name of a path without its ending.
  package var fileStem: String { FilePath(self).stem ?? fileName }

  /// The names of a path from the first to the last.
  package var pathNames: [String] { FilePath(self).components.map(\.string) }

  /// A file in the folder in which the file of this path lies.
  package func besides(_ name: String) -> String {
    FilePath(self).removingLastComponent().appending(name).string
  }

  /// The folder in which the file of this path lies: `.` where it says none.
  package var folder: String { FilePath(self).folder.string }
}

extension FilePath {
  /// The folder in which a file of this path lies: `.` where it says none.
  var folder: FilePath {
    let folder = removingLastComponent()
    return folder.isEmpty ? "." : folder
  }
}

/// Names for files that are there for a moment only, beside others of the kind.
package enum RandomName {
  /// Letters and digits that nothing else has, in all likelihood.
  package static var text: String { String(UInt64.random(in: .min ... .max), radix: 36) }
}

extension String {
  /// The text in one line and without characters that a terminal obeys: file names and tensors'
  /// names may hold anything, escape sequences that rewrite the screen included.
  package var printable: String {
    // Nearly always the text is as it should be, and is not copied.
    guard unicodeScalars.contains(where: { $0.isControl || $0.pathByte != nil }) else {
      return self
    }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if let byte = scalar.pathByte {
        text += "\\x\(String(byte, radix: 16, uppercase: true))"
      } else if scalar.isControl {
        text += scalar == "\n" || scalar == "\t" ? " " : "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension String {
  /// The text with `\xFF` for every byte of a path that is no UTF-8, as JSON can hold it.
  package var pathText: String {
    guard unicodeScalars.contains(where: { $0.pathByte != nil }) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if let byte = scalar.pathByte {
        text += "\\x\(String(byte, radix: 16, uppercase: true))"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }

  /// Text of JSON with the characters that a terminal obeys as escapes of JSON, which mean the
  /// same: the control characters above ASCII, and those that turn the direction of writing. What
  /// is below a space, JSON has as escapes already, but for its own line breaks.
  package var escapedJSON: String {
    func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool { scalar.value > 0x7E && scalar.isControl }
    guard unicodeScalars.contains(where: mustBeEscaped) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      guard mustBeEscaped(scalar) else {
        text.unicodeScalars.append(scalar)
        return
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    switch properties.generalCategory {
    // Of the formatting characters some turn the direction of writing.
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
