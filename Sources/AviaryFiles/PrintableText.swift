extension String {
  /// The text in one line and without characters that a terminal obeys: file names and tensors'
  /// names may hold anything, escape sequences that rewrite the screen included.
  package var printable: String {
    // Nearly always the text is as it should be, and is not copied.
    guard unicodeScalars.contains(where: \.isControl) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.isControl {
        text += scalar == "\n" || scalar == "\t" ? " " : "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension String {
  /// Text of JSON with the characters that a terminal obeys as escapes of JSON, which mean the same:
  /// the control characters above ASCII, and those that turn the direction of writing. What is below
  /// a space, JSON has as escapes already, but for its own line breaks.
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
