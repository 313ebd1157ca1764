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

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    switch properties.generalCategory {
    // Of the formatting characters some turn the direction of writing.
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
