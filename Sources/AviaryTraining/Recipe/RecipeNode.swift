internal import AviaryFiles
internal import AviaryGraph
internal import Yams

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

extension RecipeNode {
  /// Limits of a recipe's text. People write a hundred lines by hand; far more is not a recipe.
  enum Limits {
    static let bytes = 1 << 16
    static let depth = 32
    /// Asterisks before a letter. Each may repeat a part of the text and so double the tree.
    /// Aliases are refused, but the parser expands them before that can be detected.
    static let aliases = 16
  }

  /// Parses YAML. Anchors and aliases are refused: a recipe has no use for them.
  ///
  /// - Throws: `RecipeProblem` with the line.
  init(yaml text: String) throws(RecipeProblem) {
    guard text.utf8.count <= Limits.bytes else {
      throw RecipeProblem(
        expected: "at most \(Limits.bytes) bytes", found: "more", line: 1)
    }
    guard RecipeNode.aliases(in: text) <= Limits.aliases else {
      throw RecipeProblem(expected: "no alias (*)", found: "many", line: 1)
    }
    do {
      // The encoding is stated, because the parser would otherwise read it from the environment.
      // Nodes have weak references to their anchors, which the parser owns: it must outlive them.
      let parser = try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8)
      self = try withExtendedLifetime(parser) {
        try parser.singleRoot().map { try RecipeNode($0, depth: 0, line: 1) }
          ?? RecipeNode(.mapping([]), line: 1)
      }
    } catch {
      throw error as? RecipeProblem ?? RecipeProblem(yaml: error)
    }
  }

  /// An upper bound on the number of aliases: other asterisks, such as those in comments, count
  /// too.
  private static func aliases(in text: String) -> Int {
    zip(text.utf8, text.utf8.dropFirst()).count { first, second in
      first == 0x2A && second > 0x20 && second != 0x2A
    }
  }

  private init(_ node: Node, depth: Int, line: Int) throws(RecipeProblem) {
    let line = node.mark?.line ?? line
    func refuse(_ expected: String, _ found: String) -> RecipeProblem {
      RecipeProblem(expected: expected, found: found, line: line)
    }
    // Nodes come in the order of the text, so an anchor is met before its aliases.
    guard node.anchor == nil else { throw refuse("no anchor (&)", "one") }
    guard depth <= Limits.depth else {
      throw refuse("at most \(Limits.depth) levels in each other", "more")
    }
    switch node {
    case .scalar(let scalar):
      self.init(.scalar(scalar.string, isPlain: scalar.style == .plain), line: line)
    case .sequence(let sequence):
      var elements: [RecipeNode] = []
      for element in sequence {
        elements.append(try RecipeNode(element, depth: depth + 1, line: line))
      }
      self.init(.list(elements), line: line)
    case .mapping(let mapping):
      var members: [Member] = []
      var names: Set<String> = []
      for (key, value) in mapping {
        let name = try RecipeNode(key, depth: depth + 1, line: line)
        guard let text = name.text else { throw RecipeProblem("a name", found: name) }
        // Nodes are equal only if their tags are, so `a` and `!x a` pass the parser's own duplicate
        // check.
        guard names.insert(text).inserted else {
          throw RecipeProblem(
            expected: "each name once", found: "\(name.label) twice", line: name.line)
        }
        let value = try RecipeNode(value, depth: depth + 1, line: name.line)
        members.append(Member(name: text, line: name.line, value: value))
      }
      self.init(.mapping(members), line: line)
    case .alias: throw refuse("no alias (*)", "one")
    }
  }
}

extension RecipeProblem {
  /// The parser's error, on one line.
  fileprivate init(yaml error: any Error) {
    func problem(_ found: String, _ line: Int) -> RecipeProblem {
      // The parser's messages begin with what this message ends with.
      let words = found.split(separator: " ")
      let bare = words.drop { $0 == "but" || $0 == "found" }.joined(separator: " ")
      return RecipeProblem(expected: "YAML", found: bare, line: line)
    }
    self =
      switch error as? YamlError {
      case .scanner(_, let text, let mark, _), .parser(_, let text, let mark, _),
        .composer(_, let text, let mark, _):
        problem(text, mark.line)
      case .duplicatedKeysInMapping(let keys, let context):
        RecipeProblem(
          expected: "each name once", found: "\(keys.first?.printable ?? "one") twice",
          line: context.mark.line)
      case .reader(let text, _, _, _): problem(text, 1)
      default: problem("what cannot be parsed", 1)
      }
  }
}

/// An error in a recipe's value, before it is known whether the value was given as a field or as a
/// flag.
struct RecipeProblem: Error {
  /// The part of the value that is wrong, such as `[1].weight`; empty for the whole value.
  var part = ""
  var expected: String
  var found: String
  /// The line of the file.
  var line: Int

  init(_ expected: String, found: RecipeNode) {
    (self.expected, self.found, line) = (expected, found.label, found.line)
  }

  init(expected: String, found: String, line: Int) {
    (self.expected, self.found, self.line) = (expected, found, line)
  }

  /// The same problem, relative to the enclosing value.
  func within(_ part: String) -> RecipeProblem {
    var problem = self
    problem.part = part + problem.part
    return problem
  }
}

/// The members of a mapping, each read at most once.
struct RecipeMembers {
  private let node: RecipeNode
  private var rest: [String: RecipeNode]
  private let names: [String]

  /// - Parameter names: all known members, to find unknown ones.
  init(_ node: RecipeNode, _ names: [String], expected: String) throws(RecipeProblem) {
    guard case .mapping(let members) = node.content else {
      throw RecipeProblem(expected, found: node)
    }
    (self.node, self.names) = (node, names)
    rest = Dictionary(members.map { ($0.name, $0.value) }) { $1 }
    for member in members where !names.contains(member.name) {
      let nearest = member.name.nearest(in: names).map { " (did you mean \($0)?)" } ?? ""
      throw RecipeProblem(
        expected: "one of \(names.joined(separator: ", "))",
        found: RecipeNode(text: member.name).label + nearest, line: member.line)
    }
  }

  /// The value of a member, or the default if it is absent.
  mutating func take<Value>(
    _ name: String, _ value: RecipeValue<Value>, default absent: Value? = nil
  ) throws(RecipeProblem) -> Value {
    guard let member = rest.removeValue(forKey: name) else {
      if let absent { return absent }
      throw RecipeProblem(expected: value.expected, found: "nothing", line: node.line)
        .within(".\(name)")
    }
    do throws(RecipeProblem) { return try value.read(member) } catch {
      throw error.within(".\(name)")
    }
  }
}
