internal import AviaryFiles
internal import Yams

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
