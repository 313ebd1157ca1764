/// What can go wrong in a comparison.
enum BenchmarkError: Error, Hashable, CustomStringConvertible {
  /// A reference file lacks a tensor, or has one of another shape.
  case reference(path: String, tensor: String, expected: [Int], found: [Int]?)
  /// The engine's output is not what it should be.
  case disagreement(work: String, difference: Double, allowed: Double)
  /// A network without the one output that is timed.
  case output(network: String)
  /// A file that cannot be read as text.
  case unreadable(path: String)
  /// A line of a file of results that is none.
  case line(path: String, number: Int, problem: String)
  /// A file of results in which nothing can be compared.
  case noRatios(path: String)
  /// An operation of which the tests' table has no example.
  case noRow(operation: String)
  /// A program that could not be run, or failed.
  case program([String], reason: String)

  /// One line: the thing, and what is wrong with it.
  var description: String {
    switch self {
    case .reference(let path, let tensor, let expected, let found):
      "\(path): \(tensor): expected shape \(expected), found \(found.map { "\($0)" } ?? "nothing")"
    case .disagreement(let work, let difference, let allowed):
      "\(work): expected a difference from float64 of at most \(allowed) of the largest value,"
        + " found \(difference)"
    case .output(let network): "\(network): expected an output, found none"
    case .unreadable(let path): "\(path): expected a text file, found none that can be read"
    case .line(let path, let number, let problem): "\(path):\(number): \(problem)"
    case .noRatios(let path): "\(path): expected figures of the engine and of a peer, found none"
    case .noRow(let operation):
      "\(operation): an example is needed in the tests' table of operations, which has none"
    case .program(let words, let reason):
      "\(words.joined(separator: " ")): expected status 0, found \(reason)"
    }
  }
}
