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
