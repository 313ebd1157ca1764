/// A dictionary as Python prints it, of the few kinds of values that a NumPy header has. Nothing is
/// evaluated.
struct PythonDictionary {
  /// A value of the dictionary.
  enum Value: Hashable {
    case bool(Bool)
    case text(String)
    /// A tuple of numbers.
    case integers([Int])
    /// A list, of which nothing more is asked: the fields of records.
    case list
  }

  /// The values by their keys.
  private(set) var members: [String: Value] = [:]
  private var rest: Substring

  /// Reads `{'key': value, …}`; nil for anything else.
  init?(_ text: String) {
    rest = text[...]
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = quoted(), take(":"), let value = value(),
        members.updateValue(value, forKey: key) == nil
      else { return nil }
      if !take(",") {
        guard take("}") else { return nil }
        break
      }
    }
    skipSpace()
    guard rest.isEmpty else { return nil }
  }

  private mutating func value() -> Value? {
    skipSpace()
    if take("True") { return .bool(true) }
    if take("False") { return .bool(false) }
    if let text = quoted() { return .text(text) }
    if take("(") { return integers().map(Value.integers) }
    return skipList() ? .list : nil
  }

  /// What follows an opening parenthesis.
  private mutating func integers() -> [Int]? {
    var numbers: [Int] = []
    while !take(")") {
      skipSpace()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int(digits), numbers.count < 64 else { return nil }
      rest = rest.dropFirst(digits.count)
      // Python 2 marks long integers.
      _ = take("L")
      numbers.append(number)
      if !take(",") { return take(")") ? numbers : nil }
    }
    return numbers
  }

  private mutating func quoted() -> String? {
    skipSpace()
    guard let quote = rest.first, quote == "'" || quote == "\"",
      let end = rest.dropFirst().firstIndex(of: quote)
    else { return nil }
    let text = rest[rest.index(after: rest.startIndex)..<end]
    rest = rest[rest.index(after: end)...]
    // No name or type has an escape.
    return text.contains("\\") ? nil : String(text)
  }

  /// Passes over a list by its brackets.
  private mutating func skipList() -> Bool {
    guard rest.first == "[" else { return false }
    var depth = 0
    for position in rest.indices {
      if rest[position] == "[" { depth += 1 }
      if rest[position] == "]" { depth -= 1 }
      if depth == 0 {
        rest = rest[rest.index(after: position)...]
        return true
      }
    }
    return false
  }

  private mutating func take(_ word: String) -> Bool {
    skipSpace()
    guard rest.hasPrefix(word) else { return false }
    rest = rest.dropFirst(word.count)
    return true
  }

  private mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\n" } }
}
