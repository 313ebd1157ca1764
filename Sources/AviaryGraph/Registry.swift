internal import CRegistration

/// Architectures by name. A value: copy it, extend it, pass it on.
public struct Registry: Sendable {
  private var byName: [String: AnyArchitecture] = [:]

  /// An empty registry.
  public init() {}

  /// The architectures, by name.
  public var architectures: [AnyArchitecture] {
    byName.values.sorted { $0.info.name < $1.info.name }
  }

  /// Adds an architecture.
  ///
  /// - Throws: `RegistryError.duplicate` if the name is taken.
  public mutating func register(_ architecture: AnyArchitecture) throws(RegistryError) {
    let name = architecture.info.name
    guard byName[name] == nil else { throw .duplicate(name) }
    byName[name] = architecture
  }

  /// The names of small tensors whose values some architecture looks at.
  package var valuesRead: Set<String> { Set(byName.values.flatMap(\.valuesRead)) }

  /// The architecture of this name.
  ///
  /// - Throws: `RegistryError.unknown`, which offers the nearest name.
  public subscript(name: String) -> AnyArchitecture {
    get throws(RegistryError) {
      guard let found = byName[name] else {
        let known = byName.keys.sorted()
        throw .unknown(name, nearest: name.nearest(in: known), known: known)
      }
      return found
    }
  }

  /// The architectures whose names match a pattern with `*` and `?`.
  public func matching(_ pattern: String) -> [AnyArchitecture] {
    architectures.filter { Registry.matches($0.info.name, pattern) }
  }

  /// Whether a name matches a pattern: `*` stands for any letters, `?` for one.
  package static func matches(_ name: String, _ pattern: String) -> Bool {
    let name = Array(name), pattern = Array(pattern)
    // Greedy, going back to the last star only: linear but for stars, and without recursion.
    var (n, p) = (0, 0)
    var star: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == "*" {
        star = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
        (n, p) = (n + 1, p + 1)
      } else if let last = star {
        star = (last.pattern, last.name + 1)
        (n, p) = (last.name + 1, last.pattern + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}

/// What can be wrong with a registry or a recognition.
public enum RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Two architectures of one name.
  case duplicate(String)
  /// No architecture of this name.
  case unknown(String, nearest: String?, known: [String])
  /// The architecture has no preset of this name.
  case unknownPreset(String, of: String, known: [String])
  /// Several architectures or configurations have exactly these weights.
  case ambiguous([String])
  /// No architecture has exactly these weights; those that come nearest.
  case unrecognised(tensors: Int, nearest: [StateDictDifference])

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .duplicate(let name): "\(name): a second architecture of this name"
    case .unknown(let name, let nearest, let known):
      "\(name): no such architecture"
        + (nearest.map { "; did you mean \($0)?" } ?? "; known: \(known.joined(separator: ", "))")
    case .unknownPreset(let name, let architecture, let known):
      "\(architecture): no preset '\(name)' (it has \(known.joined(separator: ", ")))"
    case .ambiguous(let fits):
      "the weights fit several architectures: \(fits.joined(separator: "; "));"
        + " say which with --as and --config"
    case .unrecognised(let tensors, let nearest):
      "no architecture has exactly these \(tensors) tensors"
        + (nearest.first.map { "; nearest: \($0)" } ?? "")
        + (nearest.count < 2
          ? "" : "; then \(nearest.dropFirst().map(\.summary).joined(separator: ", "))")
    }
  }
}

/// How weights differ from what a network wants.
public struct StateDictDifference: Hashable, Sendable, CustomStringConvertible {
  /// A tensor of another shape.
  public struct Mismatch: Hashable, Sendable {
    /// The parameter's name.
    public var name: String
    /// The shape that the network wants.
    public var expected: [Int]
    /// The shape that there is.
    public var found: [Int]
    /// The dimensions that disagree, in words: "input channels: deduced 64, found 32".
    public var dimensions: [String]
  }

  /// The architecture and its configuration.
  public var network: String
  /// Parameters of the network that are not there.
  public var missing: [String]
  /// Tensors that the network does not want.
  public var extra: [String]
  /// Tensors of another shape.
  public var mismatched: [Mismatch]
  /// How many shapes of tensors either has that the other lacks, whatever they are called.
  public var shapesApart: Int
  /// The first names of the network's parameters, where most of the names differ.
  public var otherNames: [String]

  /// The difference between weights and a graph's parameters; non-persistent buffers may be there
  /// or not.
  ///
  /// - Parameter unused: tensors that may be there, and are not read.
  public init(
    _ weights: WeightIndex, _ graph: Graph, network: String, unused: [UnusedTensors] = []
  ) {
    self.network = network
    var extra = Set(weights.shapes.keys)
    (missing, mismatched) = ([], [])
    let users = Dictionary(
      graph.nodes.flatMap { node in node.parameters.map { ($0, node.op) } }
    ) { first, _ in first }
    for parameter in graph.parameters {
      extra.remove(parameter.name)
      guard let found = weights[parameter.name] else {
        if parameter.role != .nonPersistent { missing.append(parameter.name) }
        continue
      }
      if found != parameter.shape, parameter.role != .nonPersistent {
        mismatched.append(
          Mismatch(
            name: parameter.name, expected: parameter.shape, found: found,
            dimensions: StateDictDifference.disagreements(
              parameter.shape, found, of: users[parameter.name])))
      }
    }
    self.extra = extra.subtracting(graph.aliases.keys)
      .filter { unused.isEmpty || unused.reason(for: $0) == nil }.sorted()
    shapesApart = Self.distance(weights, graph)
    let common = weights.shapes.count - extra.count
    otherNames = missing.count > common ? graph.parameters.prefix(3).map(\.name) : []
  }

  /// How many tensors would have to change their shapes, come or go, counters aside.
  private static func distance(_ weights: WeightIndex, _ graph: Graph) -> Int {
    var counts: [[Int]: Int] = [:]
    for shape in weights.shapes.values { counts[shape, default: 0] += 1 }
    for parameter in graph.parameters where parameter.role != .nonPersistent {
      counts[parameter.shape, default: 0] -= 1
    }
    // A counter is a number by itself, which no parameter is but a learned constant.
    counts[[]] = min(counts[[], default: 0], 0)
    return counts.values.reduce(0) { $0 + abs($1) }
  }

  /// What the nearest is told by: the shapes first where the names say nothing, else the names.
  var rank: Rank {
    Rank(best: otherNames.isEmpty ? count : min(count, shapesApart), count: count)
  }

  /// An order of differences.
  struct Rank: Comparable {
    var best, count: Int

    static func < (a: Rank, b: Rank) -> Bool { (a.best, a.count) < (b.best, b.count) }
  }

  /// Which dimensions of two shapes of one rank disagree, by what they are to the operation that
  /// the parameter belongs to.
  private static func disagreements(_ expected: [Int], _ found: [Int], of op: Op?) -> [String] {
    guard expected.count == found.count else { return [] }
    let names = op?.operation.parameterDimensions ?? ["channels"]
    return expected.indices.filter { expected[$0] != found[$0] }.map { dimension in
      // A bias has but the outputs.
      let name = expected.count == 1 ? "channels" : names[min(dimension, names.count - 1)]
      return "\(name): deduced \(expected[dimension]), found \(found[dimension])"
    }
  }

  /// The same with names as a file has them.
  package func renamed(_ name: (String) -> String) -> StateDictDifference {
    var result = self
    result.missing = missing.map(name)
    result.extra = extra.map(name)
    result.mismatched = mismatched.map { mismatch in
      var mismatch = mismatch
      mismatch.name = name(mismatch.name)
      return mismatch
    }
    return result
  }

  /// Whether there is none.
  public var isEmpty: Bool { count == 0 }
  /// The number of tensors that differ.
  public var count: Int { missing.count + extra.count + mismatched.count }

  /// The network, and how many tensors differ.
  var summary: String {
    if isByShape { return "\(network) by shape" }
    let counts = [missing.count, extra.count, mismatched.count]
    let parts = zip(counts, ["missing", "unexpected", "mismatched"]).map { "\($0) \($1)" }
    return "\(network) (\(parts.joined(separator: ", ")))"
  }

  /// Whether the network has exactly these shapes under other names.
  public var isByShape: Bool { shapesApart == 0 && !otherNames.isEmpty }

  /// One line, with the first three of each kind.
  public var description: String {
    if isByShape {
      let names = otherNames.joined(separator: ", ") + (otherNames.count < 3 ? "" : ", …")
      return "by shape this is \(network); its names are \(names)"
    }
    func list(_ what: String, _ names: [String]) -> String? {
      guard !names.isEmpty else { return nil }
      let more = names.count > 3 ? " and \(names.count - 3) more" : ""
      return "\(what) \(names.prefix(3).joined(separator: ", "))\(more)"
    }
    let shapes = mismatched.map { mismatch in
      "\(mismatch.name): expected shape \(mismatch.expected), found \(mismatch.found)"
        + (mismatch.dimensions.isEmpty
          ? "" : " (\(mismatch.dimensions.joined(separator: "; ")))")
    }
    let parts = [list("missing", missing), list("unexpected", extra), list("mismatched", shapes)]
    return "\(network) (\(parts.compactMap { $0 }.joined(separator: "; ")))"
  }
}

/// What an architecture's file ends with, so that it registers itself:
///
///     @section("aviary_architectures") @used
///     private let record: Registration = { unsafe register(ResidualCAE.self, $0) }
///
/// The linker gathers such records (SE-0492): of the program, or of a plugin's library.
public typealias Registration = @convention(c) (UnsafeMutableRawPointer) -> Void

/// Adds `architecture` to the list that `destination`, given by whoever walks the records, points
/// to.
public func register<A: Architecture>(
  _ architecture: A.Type, _ destination: UnsafeMutableRawPointer
) {
  unsafe destination.assumingMemoryBound(to: [AnyArchitecture].self).pointee
    .append(AnyArchitecture(architecture))
}

/// The architectures linked into this executable or library, by name.
public let linkedArchitectures: [AnyArchitecture] = {
  var found: [AnyArchitecture] = []
  for i in 0..<aviary_record_count() {
    guard let address = unsafe aviary_record(i) else { continue }
    let record = unsafe unsafeBitCast(address, to: Registration.self)
    unsafe withUnsafeMutablePointer(to: &found) { unsafe record(UnsafeMutableRawPointer($0)) }
  }
  return found.sorted { $0.info.name < $1.info.name }
}()
