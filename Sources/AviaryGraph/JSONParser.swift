/// Reads JSON as RFC 8259 has it, in one pass over the text.
///
/// Foundation's decoder takes a hundred times as long to give values of any kind, which a hostile
/// file could make minutes of, and does not say where a text stops being JSON.
struct JSONParser {
  /// How deep arrays and objects may lie in each other: far above what any file of ours has, and
  /// little enough for the stack of any thread.
  static let depthLimit = 128

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  /// The value that is the whole text.
  ///
  /// - Throws: `GraphError.invalidJSON` with line and column.
  mutating func parse() throws(GraphError) -> JSON {
    let result = try value()
    skipSpace()
    guard position == bytes.count else { throw expected("the end") }
    return result
  }

  private mutating func value() throws(GraphError) -> JSON {
    skipSpace()
    switch current ?? 0 {
    case UInt8(ascii: "{"): return try nested { parser throws(GraphError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(GraphError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: break
    }
    for (word, value) in JSONParser.words where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw expected("a value")
  }

  private static let words: [(String, JSON)] = [
    ("true", true), ("false", false), ("null", .null),
  ]

  private mutating func nested(
    _ body: (inout JSONParser) throws(GraphError) -> JSON
  ) throws(GraphError) -> JSON {
    guard depth < JSONParser.depthLimit else {
      throw expected("at most \(JSONParser.depthLimit) levels")
    }
    depth += 1
    position += 1
    let result = try body(&self)
    depth -= 1
    return result
  }

  /// What follows an opening brace.
  private mutating func object() throws(GraphError) -> JSON {
    var members: [String: JSON] = [:]
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipSpace()
      let start = position
      guard current == UInt8(ascii: "\"") else { throw expected("a member's name") }
      let name = try string()
      guard take(UInt8(ascii: ":")) else { throw expected("':'") }
      // Of two, readers take now the first, now the last.
      guard members.updateValue(try value(), forKey: name) == nil else {
        position = start
        throw expected("a name of its own")
      }
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw expected("',' or '}'") }
    return .object(members)
  }

  /// What follows an opening bracket.
  private mutating func array() throws(GraphError) -> JSON {
    var elements: [JSON] = []
    if take(UInt8(ascii: "]")) { return .array(elements) }
    repeat { elements.append(try value()) } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw expected("',' or ']'") }
    return .array(elements)
  }

  // MARK: Strings

  private mutating func string() throws(GraphError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        position += 1
        text.append(contentsOf: try escaped())
      case 0..<0x20: throw expected("an escaped control character")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw expected("'\"'")
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
    UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
    UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
  ]

  /// What follows a backslash.
  private mutating func escaped() throws(GraphError) -> [UInt8] {
    if let byte = current.flatMap({ JSONParser.escapes[$0] }) {
      position += 1
      return [byte]
    }
    let start = position
    guard current == UInt8(ascii: "u"), let unit = codeUnit() else { throw expected("an escape") }
    var units = [unit]
    if 0xD800..<0xDC00 ~= unit, current == UInt8(ascii: "\\") {
      position += 1
      if current == UInt8(ascii: "u"), let second = codeUnit() { units.append(second) }
    }
    var decoder = UTF16()
    var iterator = units.makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator),
      case .emptyInput = decoder.decode(&iterator)
    else {
      position = start
      throw expected("a whole character")
    }
    return Array(String(Character(scalar)).utf8)
  }

  /// The four digits after `u`.
  private mutating func codeUnit() -> UInt16? {
    let digits = bytes[position...].dropFirst().prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { return nil }
    position += 5
    return unit
  }

  // MARK: Numbers

  private mutating func number() throws(GraphError) -> JSON {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    let first = current
    let whole = digits()
    guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { throw expected("a number") }
    if current == UInt8(ascii: ".") {
      position += 1
      guard digits() > 0 else { throw expected("a digit") }
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      guard digits() > 0 else { throw expected("a digit") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if let integer = Int(text) { return .int(integer) }
    guard let number = Double(text), number.isFinite else {
      position = start
      throw expected("a number that fits into 64 bits")
    }
    // 1.0 and 1e3 are integers too, as far as every integer near by has a number of its own.
    return number.magnitude <= 0x1p53 && number == number.rounded()
      ? .int(Int(number)) : .number(number)
  }

  /// Goes over digits and counts them.
  private mutating func digits() -> Int {
    let start = position
    while let byte = current, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { position += 1 }
    return position - start
  }

  // MARK: Bytes

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  /// Goes over space and one byte, if it is the next.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard current == byte else { return false }
    position += 1
    return true
  }

  /// The error for what is found here.
  private func expected(_ what: String) -> GraphError {
    let before = bytes[..<position]
    let line = before.count { $0 == 0x0A } + 1
    let column = position - (before.lastIndex(of: 0x0A) ?? -1)
    let rest = String(decoding: bytes[position...].prefix(40), as: UTF8.self)
    let found =
      switch current {
      case nil: "the end"
      case 0x0A, 0x0D: "the end of the line"
      case let byte? where byte < 0x20 || byte == 0x7F: "a control character"
      default: rest.first.map { "'\($0)'" } ?? ""
      }
    return .invalidJSON("line \(line), column \(column): expected \(what), found \(found)")
  }
}
