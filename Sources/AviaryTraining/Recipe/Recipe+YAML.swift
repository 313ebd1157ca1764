package import AviaryFiles
internal import AviaryGraph

extension Recipe {
  /// Reads a recipe from a YAML file. Missing fields have their defaults; a recipe to be completed
  /// by flags may lack the folder of targets.
  ///
  /// - Parameter note: called with notes for the user about fields under their names of version
  ///   0.2.
  /// - Throws: `TrainingError.cannotRead`, or an error with file and line.
  public init(
    contentsOf path: String, note: (String) -> Void = { _ in }
  ) throws(TrainingError) {
    let bytes: [UInt8]
    do throws(FileError) {
      let file = try InputFile(path)
      // One byte beyond the limit shows that the file is too long.
      bytes = try file.bytes(at: 0, count: RecipeNode.Limits.bytes + 1)
    } catch {
      throw TrainingError(error)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .recipe(field: path, expected: "a recipe in UTF-8", found: "other bytes")
    }
    try self.init(yaml: text, name: path, note: note)
  }

  /// Reads a recipe from YAML.
  ///
  /// - Parameters:
  ///   - name: the text's name in messages.
  ///   - note: called with notes for the user about fields under their names of version 0.2.
  /// - Throws: `TrainingError.recipe` or `.unknownField`: name and line, field, what was expected,
  ///   what was found.
  public init(
    yaml text: String, name: String = "recipe", note: (String) -> Void = { _ in }
  ) throws(TrainingError) {
    let root: RecipeNode
    do throws(RecipeProblem) { root = try RecipeNode(yaml: text) } catch {
      throw .recipe(
        field: "\(name):\(error.line)", expected: error.expected, found: error.found)
    }
    self.init("", data: DataRecipe(targets: ""))
    try read(root, section: "", source: name, note)
    guard !architecture.isEmpty else {
      throw .recipe(
        field: "\(name): architecture", expected: "an architecture's name", found: "nothing")
    }
  }

  private mutating func read(
    _ node: RecipeNode, section: String, source: String, _ note: (String) -> Void
  ) throws(TrainingError) {
    guard case .mapping(let members) = node.content else {
      throw .recipe(
        field: "\(source):\(node.line)" + (section.isEmpty ? "" : ": \(section)"),
        expected: section.isEmpty ? "fields" : "a mapping of fields", found: node.label)
    }
    /// The line where each field was set, to find a field given under both of its names.
    var lines: [String: Int] = [:]
    for member in members {
      let (name, line, value) = (member.name, member.line, member.value)
      let path = section.isEmpty ? name : "\(section).\(name)"
      let renamed = RecipeField.all.first { $0.formerPath == path }
      if let field = renamed ?? RecipeField.named(path) {
        if renamed != nil { note("\(source):\(line): \(path) is called \(field.path) now") }
        if let earlier = lines.updateValue(line, forKey: field.path) {
          throw .recipe(
            field: "\(source):\(line): \(path)", expected: "one value of \(field.path)",
            found: "another in line \(earlier)")
        }
        try field.set(value, in: &self, source: source)
      } else if RecipeField.sections.contains(path) {
        if path == "adversarial" {
          // The section may be present without fields; and only this section can be none.
          adversarial = value.isNull ? nil : adversarial ?? AdversarialRecipe()
          if value.isNull { continue }
        }
        try read(value, section: path, source: source, note)
      } else {
        throw .unknownField(
          "\(source):\(line): \(RecipeNode(text: path).label)",
          nearest: RecipeField.nearest(to: path))
      }
    }
  }

  /// The recipe as YAML: all fields in a fixed order, so that equal recipes have equal text.
  public var yaml: String {
    var text = ""
    var open: [Substring] = []
    for field in RecipeField.all {
      let parts = field.path.split(separator: ".")
      if parts[0] == "adversarial", adversarial == nil {
        if !open.elementsEqual(parts.prefix(1)) { text += "adversarial: none\n" }
        open = [parts[0]]
        continue
      }
      for (depth, part) in parts.dropLast().enumerated() {
        if depth < open.count, open[depth] == part { continue }
        open = Array(open.prefix(depth)) + [part]
        text += "\(String(repeating: "  ", count: depth))\(part):\n"
      }
      open = Array(parts.dropLast())
      let indent = String(repeating: "  ", count: parts.count - 1)
      text += "\(indent)\(parts[parts.count - 1]): \(field.text(of: self))\n"
    }
    return text
  }
}

extension TrainingError {
  /// What the system says of a file.
  package init(_ error: FileError) {
    self =
      switch error {
      case .cannotRead(let path, let reason): .cannotRead(path: path, reason: reason)
      case .cannotWrite(let path, let reason): .cannotWrite(path: path, reason: reason)
      }
  }
}

extension Recipe {
  /// Checks a recipe on its own, before any file is opened: the range of every number, and fields
  /// that contradict each other. Recipes made in code are checked by the same table as those from
  /// files.
  ///
  /// - Throws: `TrainingError.recipe`.
  public func check() throws(TrainingError) {
    _ = try Recipe(yaml: yaml)
    func require(
      _ holds: Bool, _ field: String, _ expected: String, _ found: String
    ) throws(TrainingError) {
      guard holds else { throw .recipe(field: field, expected: expected, found: found) }
    }
    try require(!data.targets.isEmpty, "data.targets", "a folder (--data)", "nothing")
    try require(
      batch.size % batch.accumulation == 0, "batch.accumulation",
      "a divisor of the batch's size, \(batch.size)", "\(batch.accumulation)")
    try require(!losses.isEmpty, "losses", "one loss at least", "none")
    try require(
      losses.contains { $0.weight > 0 }, "losses", "a weight above 0", "0 for all")
    try require(
      schedule.warmup < steps, "schedule.warmup", "fewer than all \(steps) steps",
      "\(schedule.warmup)")
    try require(
      schedule.kind != .step || !schedule.milestones.isEmpty, "schedule.milestones",
      "one milestone at least, for a schedule of steps", "none")
    try require(
      zip(schedule.milestones, schedule.milestones.dropFirst()).allSatisfy { $0 < $1 },
      "schedule.milestones", "rising steps", "\(schedule.milestones)")
    try require(
      data.inputs == nil || data.degradations.isEmpty, "data.degradations",
      "none beside a folder of inputs", "\(data.degradations.count)")
  }
}

extension Recipe {
  /// The recipe as stated in a trained network's model card, with only the last component of folder
  /// paths. Where the images were on someone's machine is nobody else's business, and the
  /// fingerprint identifies them.
  package var published: Recipe {
    var recipe = self
    recipe.data.targets = data.targets.fileName
    recipe.data.inputs = data.inputs.map(\.fileName)
    recipe.validation.data = validation.data.map(\.fileName)
    recipe.from = from.map(\.fileName)
    recipe.saving.folder = ""
    for position in losses.indices {
      guard case .perceptual(var features) = losses[position].kind else { continue }
      features.checkpoint = features.checkpoint.fileName
      recipe.losses[position].kind = .perceptual(features)
    }
    return recipe
  }
}
