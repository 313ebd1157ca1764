internal import AviaryFiles
internal import AviaryGraph

/// A value in a recipe's text, with the line where it begins.
struct RecipeNode: Sendable {
  /// The three kinds of value.
  enum Content: Sendable {
    /// Text; plain (unquoted) text may be a number or a word such as `true`.
    case scalar(String, isPlain: Bool)
    case list([RecipeNode])
    /// In the order of the text; no name occurs twice.
    case mapping([Member])
  }

  /// A name in a mapping with its value.
  struct Member: Sendable {
    var name: String
    /// The line of the name.
    var line: Int
    var value: RecipeNode
  }

  var content: Content
  /// From 1.
  var line: Int

  /// A flag's value, unchanged.
  init(text: String) { (content, line) = (.scalar(text, isPlain: true), 1) }

  init(_ content: Content, line: Int) { (self.content, self.line) = (content, line) }

  /// The text of a scalar.
  var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

  /// The text of an unquoted scalar, from which numbers and words are read.
  var plain: String? { if case .scalar(let text, true) = content { text } else { nil } }

  /// Whether the value is `none` or null.
  var isNull: Bool { plain.map { ["", "~", "null", "none"].contains($0) } ?? false }

  /// The elements; a value that is not a list counts as a list of one.
  var elements: [RecipeNode] {
    if case .list(let elements) = content { return elements }
    return isNull ? [] : [self]
  }

  /// What it is, in a few words, for messages.
  var label: String {
    switch content {
    case .scalar("", true): "nothing"
    case .scalar(let text, _):
      text.count > 60 ? String(text.prefix(60)).printable + "…" : text.printable
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }

  /// The value as JSON: an unquoted scalar that looks like a number, a boolean or null becomes one.
  ///
  /// Numbers without a fraction become integers, as when JSON itself is read.
  var json: JSON {
    switch content {
    case .list(let elements): .array(elements.map(\.json))
    case .mapping(let members):
      .object(Dictionary(members.map { ($0.name, $0.value.json) }) { $1 })
    case .scalar(let text, false): .string(text)
    case .scalar("null", true), .scalar("~", true), .scalar("", true): .null
    case .scalar("true", true): .bool(true)
    case .scalar("false", true): .bool(false)
    case .scalar(let text, true):
      if let integer { .int(integer) } else { number.map { .number($0) } ?? .string(text) }
    }
  }

  /// The number in an unquoted scalar in decimal notation; underscores may group digits.
  var number: Double? {
    guard let digits, let value = Double(digits), value.isFinite else { return nil }
    return value
  }

  /// The integer in an unquoted scalar, also if written as 4e4.
  var integer: Int? {
    guard let digits else { return nil }
    if let value = Int(digits) { return value }
    // Above 2^53 a number with an exponent is not an exact integer.
    guard let value = Double(digits), value.magnitude < 0x1p53 else { return nil }
    return Int(exactly: value)
  }

  /// An unsigned 64-bit integer.
  var unsigned: UInt64? { digits.flatMap { UInt64($0) } }

  /// The text of a decimal number without underscores. `Double` would also accept `0x1p3` and
  /// `nan`.
  private var digits: String? {
    guard let plain, plain.utf8.count <= 64, plain.utf8.contains(where: isDigit),
      plain.utf8.allSatisfy({ isDigit($0) || "+-._eE".utf8.contains($0) })
    else { return nil }
    return String(plain.filter { $0 != "_" })
  }

  private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
