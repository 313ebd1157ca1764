/// How one published source names the layers of an architecture: pairs of a published and a
/// canonical name, with numbers as patterns, that work in both directions.
///
///     NameMap("pytorch-vdsr", [
///       "input": "layers.0",
///       "residual_layer.{i}.conv": "layers.{i+1}",
///       "output": "layers.19",
///     ])
///
/// A pattern's `{i}` matches a number; `{i+1}`, `{i-1}` and `{2i}` match numbers that such an i
/// makes, for i of 0 or more. Names are those of layers: a parameter's name less its last part. The
/// first pair that matches counts; a layer that none matches keeps its name.
public struct NameMap: Hashable, Sendable {
  /// Whose names these are.
  public let source: String
  let pairs: [Pair]

  struct Pair: Hashable, Sendable {
    var external: Pattern
    var canonical: Pattern
  }

  /// A map; traps if a pair's sides do not have the same variables, which is a slip in the source
  /// text of an architecture.
  public init(_ source: String, _ pairs: KeyValuePairs<String, String>) {
    do throws(GraphError) {
      try self.init(source, pairs: pairs.map { [$0, $1] })
    } catch {
      preconditionFailure("name map of \(source): \(error)")
    }
  }

  /// A map from outside.
  ///
  /// - Throws: `GraphError.member` for a pattern that cannot be read, or a pair whose sides do not
  ///   have the same variables.
  public init(_ source: String, pairs: [[String]]) throws(GraphError) {
    self.source = source
    var read: [Pair] = []
    for pair in pairs {
      guard pair.count == 2 else {
        throw .member("name map \(source)", expected: "pairs of names", found: "\(pair)")
      }
      let external = try Pattern(pair[0]), canonical = try Pattern(pair[1])
      guard external.variables == canonical.variables else {
        throw .member(
          "name map \(source)", expected: "the same variables on both sides of '\(pair[0])'",
          found: "'\(pair[1])'")
      }
      read.append(Pair(external: external, canonical: canonical))
    }
    self.pairs = read
  }

  /// The canonical name of a parameter that the source calls `name`.
  public func canonical(_ name: String) -> String {
    renamed(name, from: \.external, to: \.canonical)
  }

  /// The source's name of the parameter `name`.
  public func external(_ name: String) -> String {
    renamed(name, from: \.canonical, to: \.external)
  }

  /// The pairs as text.
  var text: [[String]] { pairs.map { [$0.external.text, $0.canonical.text] } }

  private func renamed(
    _ name: String, from: KeyPath<Pair, Pattern>, to: KeyPath<Pair, Pattern>
  ) -> String {
    guard let dot = name.lastIndex(of: ".") else { return name }
    let layer = name[..<dot]
    for pair in pairs {
      if let numbers = pair[keyPath: from].match(layer),
        let renamed = pair[keyPath: to].filled(numbers)
      {
        return renamed + name[dot...]
      }
    }
    return name
  }
}

/// A name with numbers left open.
struct Pattern: Hashable, Sendable {
  private enum Part: Hashable, Sendable {
    case text(String)
    /// factor · variable + offset
    case number(variable: Character, factor: Int, offset: Int)
  }

  let text: String
  private let parts: [Part]

  init(_ text: String) throws(GraphError) {
    self.text = text
    var parts: [Part] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}"),
        let number = Pattern.number(rest[rest.index(after: open)..<close])
      else {
        throw .member("pattern '\(text)'", expected: "'{i}', '{i+1}' or '{2i}'", found: "'\(rest)'")
      }
      if open > rest.startIndex {
        parts.append(.text(String(rest[..<open])))
      } else if !parts.isEmpty {
        // Of "12" no one could say where the first number ends.
        throw .member(
          "pattern '\(text)'", expected: "a letter between two numbers", found: "none")
      }
      parts.append(number)
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    self.parts = parts
  }

  var variables: Set<Character> {
    Set(
      parts.compactMap {
        if case .number(let variable, _, _) = $0 { variable } else { nil }
      })
  }

  /// The variables' values for which the pattern is `name`.
  func match(_ name: Substring) -> [Character: Int]? {
    var values: [Character: Int] = [:]
    var rest = name
    for part in parts {
      switch part {
      case .text(let text):
        guard rest.hasPrefix(text) else { return nil }
        rest = rest.dropFirst(text.count)
      case .number(let variable, let factor, let offset):
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        // "01" is not how any framework writes 1, and would not come back the same.
        guard let number = Int(digits), number < 1 << 30, String(number) == digits,
          number >= offset, (number - offset) % factor == 0
        else { return nil }
        let value = (number - offset) / factor
        guard values.updateValue(value, forKey: variable) ?? value == value else { return nil }
        rest = rest.dropFirst(digits.count)
      }
    }
    return rest.isEmpty ? values : nil
  }

  /// The name for these values; nil where it would hold a negative number.
  func filled(_ values: [Character: Int]) -> String? {
    var name = ""
    for part in parts {
      switch part {
      case .text(let text): name += text
      case .number(let variable, let factor, let offset):
        guard let value = values[variable], factor * value + offset >= 0 else { return nil }
        name += String(factor * value + offset)
      }
    }
    return name
  }

  /// Reads `2i+1`: an optional factor, a letter, an optional offset.
  private static func number(_ text: Substring) -> Part? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let rest = text.dropFirst(digits.count)
    guard let variable = rest.first, variable.isLetter,
      let factor = digits.isEmpty ? 1 : Int(digits), (1...1000).contains(factor)
    else { return nil }
    let tail = rest.dropFirst()
    guard let offset = tail.isEmpty ? 0 : Int(tail), (-1000...1000).contains(offset),
      tail.isEmpty || tail.hasPrefix("+") || tail.hasPrefix("-")
    else { return nil }
    return .number(variable: variable, factor: factor, offset: offset)
  }
}
