import AviaryGraph
import AviaryTraining
import FoundationEssentials

/// What became of one picture of `aviary run`, as processes tell it each other.
struct ImageResult: Codable {
  /// The report, or the input and its error.
  let json: JSON
  /// The status of what went wrong; nil where nothing did.
  var failure: Int32?

  /// The results of all processes in the order of the pictures, of which process r of N had those at
  /// r, r + N, r + 2N and so on; the same in every process.
  static func gathered(
    _ results: [ImageResult], from processes: any Communicator
  ) throws -> [ImageResult] {
    if processes.size == 1 { return results }
    let all = try processes.gather(JSON(encoding: results).text).map { text in
      try JSONDecoder().decode([ImageResult].self, from: Data(text.utf8))
    }
    let count = all.reduce(0) { $0 + $1.count }
    return (0..<count).map { all[$0 % processes.size][$0 / processes.size] }
  }
}
