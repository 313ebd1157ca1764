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
