/// Text of Python's: names and strings that cannot be mistaken for anything else.
enum PythonText {
  /// A string literal of ASCII: whatever is in the text stays within its quotes.
  static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\" + String(scalar)
      case " "..."~": result.unicodeScalars.append(scalar)
      default: result += "\\U" + hexadecimal(scalar.value)
      }
    }
    return result + "\""
  }

  /// The text without anything that ends a comment or a line.
  static func comment(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter { (" "..."~").contains($0) && $0 != "\"" && $0 != "\\" }))
  }

  /// Whether the text is a name that Python takes as it stands.
  static func isIdentifier(_ text: String) -> Bool {
    let letters = text.utf8.allSatisfy {
      $0 == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
    }
    guard letters, let first = text.utf8.first else { return false }
    return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) && !keywords.contains(text)
  }

  /// A number as Python writes it: whole numbers without a fraction.
  static func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : "\(value)"
  }

  /// A tuple of numbers, also of one or none.
  static func tuple(_ values: [Int]) -> String {
    let list = values.map(String.init).joined(separator: ", ")
    return values.count == 1 ? "(\(list),)" : "(\(list))"
  }

  /// A number where both sides agree, else a pair.
  static func pair(_ height: Int, _ width: Int) -> String {
    height == width ? "\(height)" : "(\(height), \(width))"
  }

  /// Eight digits.
  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static let keywords: Set<String> = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in",
    "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with",
    "yield",
  ]
}
