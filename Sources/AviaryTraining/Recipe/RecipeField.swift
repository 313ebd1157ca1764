internal import AviaryGraph

/// A field of a recipe. The table of all fields drives YAML, the flags of `aviary train`,
/// suggestions for mistyped names, and the documents.
package struct RecipeField: Sendable {
  /// How its value is given on the command line.
  package enum Style: Sendable {
    /// As the flag alone, or with the prefix `no-`.
    case truth
    /// As text, whatever it contains.
    case text
    /// Separated by commas.
    case list
    /// As in YAML.
    case value
  }

  /// The names of the sections and the field in YAML, joined by dots: `batch.size`.
  package let path: String
  /// The flag without its leading hyphens: `batch-size`.
  package let flag: String
  /// The last part of the path and of the flag up to version 0.2, still accepted with a note; nil
  /// if unchanged.
  package let formerName: String?
  /// What is accepted: `an integer from 1 to 4096`.
  package let expected: String
  /// What it is, as a sentence.
  package let help: String
  /// How a flag gives it.
  package let style: Style
  /// The placeholder for the value in a flag's help.
  package let placeholder: String
  private let read: @Sendable (RecipeNode, inout Recipe) throws(RecipeProblem) -> Void
  private let write: @Sendable (Recipe) -> String

  /// - Parameters:
  ///   - flag: nil for the last part of the path.
  ///   - formerName: the last part of path and flag up to version 0.2.
  init<Value>(
    _ path: String, flag: String? = nil, formerly formerName: String? = nil,
    _ member: any WritableKeyPath<Recipe, Value> & Sendable, _ value: RecipeValue<Value>,
    _ help: String
  ) {
    self.init(path, flag: flag, formerly: formerName, \.self, member, value, help)
  }

  /// A field of a section that occurs more than once.
  init<Section, Value>(
    _ path: String, flag: String? = nil, formerly formerName: String? = nil,
    _ section: any WritableKeyPath<Recipe, Section> & Sendable,
    _ member: any WritableKeyPath<Section, Value> & Sendable, _ value: RecipeValue<Value>,
    _ help: String
  ) {
    (self.path, self.formerName) = (path, formerName)
    self.flag = flag ?? path.split(separator: ".").last.map(String.init) ?? path
    (self.help, style, expected) = (help, value.style, value.expected)
    placeholder = value.placeholder
    read = { (node, recipe) throws(RecipeProblem) in
      recipe[keyPath: section][keyPath: member] = try value.read(node)
    }
    write = { value.write($0[keyPath: section][keyPath: member]) }
  }

  /// The value of the field as YAML on one line.
  package func text(of recipe: Recipe) -> String { write(recipe) }

  /// Sets the field to a value from a file.
  ///
  /// - Parameter source: where the value comes from, for messages.
  func set(_ node: RecipeNode, in recipe: inout Recipe, source: String) throws(TrainingError) {
    do throws(RecipeProblem) { try read(node, &recipe) } catch {
      throw .recipe(
        field: "\(source):\(error.line): \(path)\(error.part)", expected: error.expected,
        found: error.found)
    }
  }

  /// Sets the field to the value of a flag.
  ///
  /// - Throws: `TrainingError.recipe` that names the flag.
  package func set(flag text: String, in recipe: inout Recipe) throws(TrainingError) {
    do throws(RecipeProblem) {
      let node =
        switch style {
        case .text, .truth: RecipeNode(text: text)
        case .value: try RecipeNode(yaml: text)
        case .list: try RecipeNode(yaml: text.hasPrefix("[") ? text : "[\(text)]")
        }
      try read(node, &recipe)
    } catch {
      throw .recipe(
        field: "--\(flag)\(error.part)", expected: error.expected, found: error.found)
    }
  }

  /// The value of the field if a recipe does not give it; nil if it is required.
  package var absent: String? {
    let text = write(Recipe("", data: DataRecipe(targets: "")))
    return text == "\"\"" || path == "data.targets" ? nil : text
  }

  /// All fields as a Markdown table, for the documents.
  package static var markdown: String {
    let rows = all.map { field in
      let cells = [
        "`\(field.path)`", field.style == .truth ? "`--[no-]\(field.flag)`" : "`--\(field.flag)`",
        field.absent.map { "`\($0)`" } ?? "", field.expected, field.help,
      ]
      return "| \(cells.joined(separator: " | ")) |"
    }
    return
      (["| field | flag | default | values | |", "|---|---|---|---|---|"] + rows)
      .joined(separator: "\n") + "\n"
  }

  /// The path of the field up to version 0.2; nil if unchanged.
  var formerPath: String? { formerName.map { String(path.dropLast(lastPart.count)) + $0 } }

  /// The flag of the field up to version 0.2; nil if unchanged.
  package var formerFlag: String? {
    formerName.map { String(flag.dropLast(lastPart.count)) + $0 }
  }

  /// The part of the path after the last dot, with which the flags of renamed fields end.
  private var lastPart: Substring { path.split(separator: ".").last ?? Substring(path) }

  /// The field at a path; nil if there is none.
  package static func named(_ path: String) -> RecipeField? { all.first { $0.path == path } }

  /// The sections that contain fields, joined by dots.
  static let sections: Set<String> = {
    var sections: Set<String> = []
    for field in all {
      let parts = field.path.split(separator: ".")
      for count in 1..<parts.count { sections.insert(parts.prefix(count).joined(separator: ".")) }
    }
    return sections
  }()

  /// The path of the field that the user may have meant.
  static func nearest(to path: String) -> String? {
    // In the wrong section, or under the flag's name.
    let last = path.split(separator: ".").last.map(String.init) ?? path
    let elsewhere = all.filter { $0.path.hasSuffix(".\(last)") || $0.flag == last }
    if elsewhere.count == 1 { return elsewhere[0].path }
    return path.nearest(in: all.map(\.path) + sections.sorted())
      ?? last.nearest(in: all.map(\.flag)).flatMap { flag in all.first { $0.flag == flag }?.path }
  }
}

extension Double {
  /// The shortest text that reads back as this number; integers without a decimal point.
  var brief: String {
    magnitude < 1e15 && self == rounded() && !(self == 0 && sign == .minus)
      ? "\(Int(self))" : "\(self)"
  }
}

extension String {
  /// The text as a value in YAML's flow style, quoted unless it is unambiguous without quotes.
  var quotedIfNeeded: String {
    // Text that begins with a letter, or with a point and a slash, is not a number; that leaves
    // words with another meaning.
    let words = ["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"]
    let isPlain =
      !isEmpty && !words.contains(lowercased())
      && utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "_-./".utf8.contains(byte)
        }
      }
      && utf8.contains { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
      && first.map { $0.isLetter || $0 == "." || $0 == "/" } == true
      && RecipeNode(text: self).number == nil
    return isPlain ? self : quoted
  }

  /// In double quotes, with escapes that YAML and JSON share.
  var quoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        // What YAML cannot contain literally: control characters, line separators, the byte order
        // mark, non-characters.
        let code = scalar.value
        if code < 0x20 || (0x7F..<0xA0).contains(code) || (0x2028...0x2029).contains(code)
          || code == 0xFEFF || code & 0xFFFE == 0xFFFE
        {
          let digits = String(code, radix: 16)
          let width = code > 0xFFFF ? 8 : 4
          text += code > 0xFFFF ? "\\U" : "\\u"
          text += String(repeating: "0", count: width - digits.count) + digits
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    return text + "\""
  }

  /// The parts before and after the first occurrence of a separator; the whole text if there is
  /// none.
  func halves(at separator: String) -> [String] {
    let text = Array(utf8), mark = Array(separator.utf8)
    guard text.count > mark.count,
      let place = (0...text.count - mark.count).first(where: {
        text[$0..<$0 + mark.count].elementsEqual(mark)
      })
    else { return [self] }
    return [
      String(decoding: text[..<place], as: UTF8.self),
      String(decoding: text[(place + mark.count)...], as: UTF8.self),
    ]
  }
}

extension JSON {
  /// The value in YAML's flow style, members by name.
  var flow: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .number(let value): value.brief
    case .string(let value): value.quoted
    case .array(let elements): "[\(elements.map(\.flow).joined(separator: ", "))]"
    case .object(let members):
      "{\(members.sorted { $0.key < $1.key }.map { "\($0.key.quotedIfNeeded): \($0.value.flow)" }.joined(separator: ", "))}"
    }
  }
}
