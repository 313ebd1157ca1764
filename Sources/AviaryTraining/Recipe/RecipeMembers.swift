internal import AviaryGraph

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
