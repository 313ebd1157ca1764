internal import AviaryGraph
internal import FoundationEssentials

/// One line of a file of results: one framework's time for one piece of work, or why there is none.
struct Figure {
  let peer: String
  let network: String
  let work: String
  /// Nil where nothing was timed.
  let milliseconds: Double?
  /// Multiply-adds a second in 10^9, which only ours say.
  let rate: Double?
  let difference: Double?
  /// Why the time does not count.
  let error: String?

  /// Whether it is ours.
  var isOurs: Bool { peer.hasPrefix("aviary") }

  /// Reads a file of JSON lines. Lines about the machine, which name no peer, are passed over.
  ///
  /// - Throws: `BenchmarkError.unreadable`, `.line`.
  static func read(_ path: String) throws(BenchmarkError) -> [Figure] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw .unreadable(path: path)
    }
    var figures: [Figure] = []
    for (index, line) in text.split(separator: "\n").enumerated() {
      let json: JSON
      do throws(GraphError) { json = try JSON(parsing: line) } catch {
        throw .line(path: path, number: index + 1, problem: "\(error)")
      }
      guard json["peer"] != nil else { continue }
      let (milliseconds, error) = (json["milliseconds"]?.double, json["error"]?.string)
      guard let peer = json["peer"]?.string, let network = json["network"]?.string,
        let work = json["work"]?.string, milliseconds != nil || error != nil
      else {
        throw .line(
          path: path, number: index + 1,
          problem: "expected peer, network, work and milliseconds or error, found \(json.text)")
      }
      figures.append(
        Figure(
          peer: peer, network: network, work: work, milliseconds: milliseconds,
          rate: json["gmac_per_second"]?.double, difference: json["difference"]?.double,
          error: error))
    }
    return figures
  }
}
