internal import AviaryGraph
internal import FoundationEssentials

/// One line of `Benchmarks/works.json`: what everybody is timed at, and how far ahead the engine is
/// to be.
struct Work {
  /// What is done.
  enum Kind: String {
    /// A tensor into a new tensor.
    case infer
    /// Forward, mean squared error, back, a step of Adam.
    case train
    /// A program from its start to the image that it writes.
    case life
  }

  /// The network's name in the list, and that of its files.
  let network: String
  let kind: Kind
  /// Whether convolutions may multiply bfloat16.
  let isBfloat16: Bool
  /// N, channels, height, width.
  let shape: [Int]
  /// The least ratio of the best peer's time to ours.
  let bar: Double

  /// The shape as it is written in lists and names of files, such as 1x3x256x256.
  var size: String { shape.map(String.init).joined(separator: "x") }
  /// What the lines of results call it, beside the network.
  var name: String { "\(kind.rawValue) \(isBfloat16 ? "bf16" : "f32") \(size)" }
  /// For people.
  var title: String {
    switch kind {
    case .infer: "\(network)\(isBfloat16 ? " bf16" : "") \(size)"
    case .train: "\(network) training step \(size)"
    case .life: "\(network) whole program \(shape[3])x\(shape[2])"
    }
  }

  private init?(_ json: JSON) {
    guard let network = json["network"]?.string,
      let kind = json["kind"]?.string.flatMap(Kind.init),
      let precision = json["precision"]?.string, let bar = json["bar"]?.double,
      let shape = json["shape"]?.array?.compactMap(\.int), shape.count == 4,
      shape.allSatisfy({ $0 > 0 })
    else { return nil }
    (self.network, self.kind, self.shape, self.bar) = (network, kind, shape, bar)
    isBfloat16 = precision == "bf16"
  }

  /// The works of a list.
  ///
  /// - Throws: `BenchmarkError.unreadable`, `.line`.
  static func all(_ path: String) throws(BenchmarkError) -> [Work] {
    let json = try WorkList.json(path)
    var works: [Work] = []
    for (position, member) in (json["works"]?.array ?? []).enumerated() {
      guard let work = Work(member) else {
        throw .line(
          path: path, number: position + 1,
          problem: "expected network, kind, precision, shape and bar, found \(member.text)")
      }
      works.append(work)
    }
    return works
  }
}

/// The file that the works are in.
enum WorkList {
  /// - Throws: `BenchmarkError.unreadable`, `.line`.
  static func json(_ path: String) throws(BenchmarkError) -> JSON {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw .unreadable(path: path)
    }
    do throws(GraphError) { return try JSON(parsing: text[...]) } catch {
      throw .line(path: path, number: 1, problem: "\(error)")
    }
  }
}
