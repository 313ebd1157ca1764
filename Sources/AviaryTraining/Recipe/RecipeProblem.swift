/// What is wrong with a value of a recipe, before it is known under which name it was given: as a
/// field of a file or as a flag.
struct RecipeProblem: Error {
  /// The part of the value that is wrong, such as `[1].weight`; empty for the whole.
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

  /// The same problem, seen from what the value is a part of.
  func within(_ part: String) -> RecipeProblem {
    var problem = self
    problem.part = part + problem.part
    return problem
  }
}
