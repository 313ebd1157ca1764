import AviaryCompute

/// What can go wrong in a training.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A recipe's field, flag or file: its name, what was expected, what was found.
  case recipe(field: String, expected: String, found: String)
  /// A part of the training cannot take patch results of this height and width: which part, and
  /// why.
  case patch(results: [Int], part: String, problem: String)
  /// An unknown field of a recipe, and the nearest known one.
  case unknownField(String, nearest: String?)
  /// A file cannot be opened or read.
  case cannotRead(path: String, reason: String)
  /// A file cannot be written.
  case cannotWrite(path: String, reason: String)
  /// Training images: the folder or file, what was expected, what was found.
  case data(path: String, expected: String, found: String)
  /// The training itself: the thing, what was expected, what was found.
  case training(String, expected: String, found: String)
  /// A loss or a gradient that is NaN or infinite: where, what was expected, what was found.
  case notFinite(String, expected: String, found: String)

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .recipe(let field, let expected, let found):
      "\(field): expected \(expected), found \(found)"
    case .patch(let results, let part, let problem):
      "batch.patch: \(part) cannot take results of \(results.map(String.init).joined(separator: "x"))"
        + " (\(problem)); use another patch"
    case .unknownField(let field, let nearest):
      "\(field): no such field" + (nearest.map { "; did you mean \($0)?" } ?? "")
    case .cannotRead(let path, let reason): "\(path): cannot be read: \(reason)"
    case .cannotWrite(let path, let reason): "\(path): cannot be written: \(reason)"
    case .data(let path, let expected, let found): "\(path): expected \(expected), found \(found)"
    case .training(let thing, let expected, let found),
      .notFinite(let thing, let expected, let found):
      "\(thing): expected \(expected), found \(found)"
    }
  }
}

extension ComputeError {
  /// Converts the error of a network that cannot be planned: its input size is that of a patch's
  /// results.
  func ofPatch(results shape: [Int], part: String) -> any Error {
    guard case .graph(let problem) = self else { return self }
    return TrainingError.patch(
      results: Array(shape.suffix(2)), part: part, problem: "\(problem)")
  }
}
