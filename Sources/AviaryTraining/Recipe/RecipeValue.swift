internal import AviaryGraph

/// How a type of value is read from YAML or a flag, and written.
struct RecipeValue<Value: Sendable>: Sendable {
  /// What is accepted, for messages and documents.
  var expected: String
  /// How a flag gives it.
  var style = RecipeField.Style.value
  /// The placeholder for the value in a flag's help.
  var placeholder: String
  /// Reads the value.
  var read: @Sendable (RecipeNode) throws(RecipeProblem) -> Value
  /// Writes the value on one line, in a form that can be read back.
  var write: @Sendable (Value) -> String
}

extension RecipeValue {
  /// The value read from the node, if it is accepted.
  private static func quantity(
    _ expected: String, of value: @escaping @Sendable (RecipeNode) -> Value?,
    write: @escaping @Sendable (Value) -> String
  ) -> RecipeValue {
    RecipeValue(
      expected: expected,
      placeholder: "number",
      read: { (node) throws(RecipeProblem) in
        guard let value = value(node) else { throw RecipeProblem(expected, found: node) }
        return value
      }, write: write)
  }
}

extension RecipeValue where Value == Int {
  /// An integer in a range.
  static func integer(_ range: ClosedRange<Int>) -> RecipeValue {
    quantity(
      "an integer from \(range.lowerBound) to \(range.upperBound)",
      of: { $0.integer.flatMap { range.contains($0) ? $0 : nil } }, write: { "\($0)" })
  }
}

extension RecipeValue where Value == UInt64 {
  /// A 64-bit unsigned integer.
  static var seed: RecipeValue {
    quantity("an integer from 0 to \(UInt64.max)", of: \.unsigned, write: { "\($0)" })
  }
}

extension RecipeValue where Value == Double {
  /// A number in a range.
  static func number(_ range: ClosedRange<Double>) -> RecipeValue {
    quantity(
      "a number from \(range.lowerBound.brief) to \(range.upperBound.brief)",
      of: { $0.number.flatMap { range.contains($0) ? $0 : nil } }, write: { $0.brief })
  }
}

extension RecipeValue where Value == ClosedRange<Double> {
  /// A number, or a range to draw one from, such as `5...25`.
  static func range(_ limits: ClosedRange<Double>) -> RecipeValue {
    let expected =
      "a number or a range as 5...25, from \(limits.lowerBound.brief) to \(limits.upperBound.brief)"
    return RecipeValue(
      expected: expected,
      placeholder: "range",
      read: { (node) throws(RecipeProblem) in
        // "5...25" and "1.5...2.5": search for the dots from the left, where no number ends in one.
        let parts = node.plain.map { $0.halves(at: "...") } ?? []
        let numbers = parts.compactMap { RecipeNode(text: $0).number }
        guard let low = numbers.first, let high = numbers.last, numbers.count == parts.count,
          low <= high, limits.contains(low), limits.contains(high)
        else { throw RecipeProblem(expected, found: node) }
        return low...high
      },
      write: {
        $0.lowerBound == $0.upperBound
          ? $0.lowerBound.brief : "\($0.lowerBound.brief)...\($0.upperBound.brief)"
      })
  }
}

extension RecipeValue where Value == Bool {
  /// True or false.
  static var truth: RecipeValue {
    RecipeValue(
      expected: "true or false", style: .truth,
      placeholder: "truth",
      read: { (node) throws(RecipeProblem) in
        switch node.plain {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw RecipeProblem("true or false", found: node)
        }
      }, write: { "\($0)" })
  }
}

extension RecipeValue where Value == String {
  /// Text that is not empty: a name or a path.
  static func text(_ expected: String, placeholder: String) -> RecipeValue {
    RecipeValue(
      expected: expected, style: .text,
      placeholder: placeholder,
      read: { (node) throws(RecipeProblem) in
        // A NUL byte would truncate a path.
        guard let text = node.text, !text.isEmpty, !text.utf8.contains(0) else {
          throw RecipeProblem(expected, found: node)
        }
        return text
      }, write: { $0.quotedIfNeeded })
  }
}

extension RecipeValue where Value == String {
  /// The name of an architecture or the like.
  static func name(_ expected: String) -> RecipeValue { .text(expected, placeholder: "name") }

  /// A checkpoint.
  static var checkpoint: RecipeValue {
    .text("a checkpoint's path or name", placeholder: "checkpoint")
  }

  /// A folder.
  static var folder: RecipeValue { .text("a folder", placeholder: "folder") }

  /// A folder, or nothing while it is unknown.
  static var latterFolder: RecipeValue {
    var value = folder
    value.read = { (node) throws(RecipeProblem) in node.isNull ? "" : try folder.read(node) }
    value.write = { $0.isEmpty ? "none" : folder.write($0) }
    return value
  }
}

extension RecipeValue where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of a few words.
  static var word: RecipeValue {
    let words = Value.allCases.map(\.rawValue)
    let expected = words.joined(separator: ", ")
    return RecipeValue(
      expected: expected,
      placeholder: "word",
      read: { (node) throws(RecipeProblem) in
        guard let value = node.text.flatMap({ Value(rawValue: $0) }) else {
          let nearest = node.text.flatMap { $0.nearest(in: words) }
          var problem = RecipeProblem("one of \(expected)", found: node)
          if let nearest { problem.found += " (did you mean \(nearest)?)" }
          throw problem
        }
        return value
      }, write: { $0.rawValue })
  }
}

extension RecipeValue where Value == JSON {
  /// A JSON object, which YAML's flow style includes.
  static var object: RecipeValue {
    RecipeValue(
      expected: "a mapping",
      placeholder: "mapping",
      read: { (node) throws(RecipeProblem) in
        guard case .mapping = node.content else { throw RecipeProblem("a mapping", found: node) }
        return node.json
      }, write: { $0.flow })
  }
}

extension RecipeValue {
  /// The value, or `none`.
  static func optional<Wrapped>(_ value: RecipeValue<Wrapped>) -> RecipeValue
  where Value == Wrapped? {
    RecipeValue(
      expected: "\(value.expected), or none", style: value.style,
      placeholder: value.placeholder,
      read: { (node) throws(RecipeProblem) in
        if node.isNull { return nil }
        do throws(RecipeProblem) { return try value.read(node) } catch {
          var problem = error
          // Parts of the value cannot be `none`.
          if problem.expected == value.expected { problem.expected += ", or none" }
          throw problem
        }
      }, write: { $0.map(value.write) ?? "none" })
  }

  /// Values in brackets; a single one needs none.
  static func list<Element>(_ element: RecipeValue<Element>, _ expected: String) -> RecipeValue
  where Value == [Element] {
    RecipeValue(
      expected: expected, style: .list,
      placeholder: "list",
      read: { (node) throws(RecipeProblem) in
        let nodes = node.elements
        guard nodes.count <= 256 else {
          throw RecipeProblem(
            expected: "at most 256 elements", found: "\(nodes.count)", line: node.line)
        }
        var values: [Element] = []
        for (i, node) in nodes.enumerated() {
          do throws(RecipeProblem) { values.append(try element.read(node)) } catch {
            throw error.within("[\(i)]")
          }
        }
        return values
      }, write: { "[\($0.map(element.write).joined(separator: ", "))]" })
  }
}
