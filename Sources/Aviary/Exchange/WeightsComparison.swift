public import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
public import AviaryGraph
internal import AviaryTensor

/// Compares two weights files tensor by tensor, across formats, layouts and names.
public struct WeightsComparison: Sendable {
  /// A tensor that is in both files.
  public struct Pair: Codable, Hashable, Sendable {
    /// Its name in the first file; canonical if the architecture was detected.
    public var name: String
    /// Its name in the second.
    public var otherName: String
    /// The dimensions, in PyTorch's layout.
    public var shape: [Int]
    /// The shape in the second file, if it differs; the values are then not compared.
    public var otherShape: [Int]
    /// Whether all elements are equal as float32.
    public var isEqual: Bool
    /// The largest difference of two elements; infinite if one is NaN and the other is not.
    public var largest: Double
    /// The mean difference.
    public var mean: Double
    /// The largest difference over the largest magnitude of either.
    public var relative: Double
  }

  /// One of the two.
  public struct Side: Sendable {
    /// The file.
    public var path: String
    /// Its format, and the detected network.
    public var label: String
    /// The network; nil if none was detected.
    public var network: Network?
    /// What the import assumed, as "member: value".
    public var assumed: [String] = []
    /// Whether the file does not say how its layers are connected.
    public var graphIsAssumed = false
    /// Why the network in the file is not known, where it holds one.
    public var problem: String?
    /// The content hash of its tensors.
    public var contentHash: String
    /// Tensors without a match on the other side.
    public var only: [TensorDescription]
  }

  /// The first file.
  public private(set) var first: Side
  /// The second.
  public private(set) var second: Side
  /// The tensors that both have, in the order of the first file.
  public private(set) var pairs: [Pair]

  /// Whether both are the same network with equal weights.
  public var isSame: Bool {
    // Equal weights in networks that could not be read say nothing; networks without weights are the
    // same where they compute the same.
    first.problem == nil && second.problem == nil && first.only.isEmpty && second.only.isEmpty
      && pairs.allSatisfy(\.isEqual)
      && isSameNetwork ?? !pairs.isEmpty
  }

  /// Whether both networks compute the same operations; nil if one of them is unknown.
  public var isSameNetwork: Bool? {
    guard let a = first.network, let b = second.network else { return nil }
    return a.graph.isEquivalent(to: b.graph)
  }

  /// Compares two files.
  ///
  /// - Parameter options: what the user states about third-party files.
  /// - Throws: `CheckpointError` for a file that cannot be read.
  public init(
    _ first: String, _ second: String, _ options: ImportOptions = ImportOptions(),
    registry: Registry
  ) throws {
    var a = try Opened(first, options, registry), b = try Opened(second, options, registry)
    let counterparts = try TensorMatching(a.tensors, b.tensors)
    pairs = try counterparts.pairs.map { place, other in
      try Pair(a.tensors, place, b.tensors, other)
    }
    a.side.only = counterparts.onlyFirst.map { a.tensors[$0] }
    b.side.only = counterparts.onlySecond.map { b.tensors[$0] }
    (self.first, self.second) = (a.side, b.side)
  }

  /// A file as a model, or as named tensors if no network was detected.
  private struct Opened {
    var side: Side
    /// Without counters and other non-persistent buffers: they say nothing about a network.
    let tensors: TensorSource

    init(_ path: String, _ options: ImportOptions, _ registry: Registry) throws {
      var options = options
      options.hashesFile = false
      let all: TensorSource
      let label: String
      var network: Network?
      var report: LoadReport?
      var problem: String?
      do {
        let model = try StoredModel(opening: path, options, registry: registry)
        all = model.weights
        network = model.network
        report = model.report
        let name = model.network.architecture
        label =
          (model.report?.format ?? FileFormat.aviaryCheckpoint.name) + ", "
          + (name.isEmpty ? "a network of its own" : model.network.label)
      } catch let error where error.isAboutTheNetwork {
        let file = try NamelessWeights(path, options)
        all = file.tensors
        label = "\(file.format.name), not recognised"
        if error is AviaryError { problem = "\(error)" }
      }
      tensors = all.selecting(all.indices.filter { !all[$0].isNonPersistent })
      side = Side(
        path: path, label: label, network: network, assumed: report?.assumed ?? [],
        graphIsAssumed: report?.graphIsAssumed ?? false, problem: problem,
        contentHash: try ContentHash.of(tensors), only: [])
    }
  }
}

extension WeightsComparison.Pair {
  /// Compares two tensors.
  fileprivate init(
    _ first: TensorSource, _ place: Int, _ second: TensorSource, _ other: Int
  ) throws(CheckpointError) {
    let (a, b) = (first[place], second[other])
    (name, otherName, shape, otherShape) = (a.name, b.name, a.shape, b.shape)
    guard a.shape == b.shape else {
      (isEqual, largest, mean, relative) = (false, .infinity, .infinity, .infinity)
      return
    }
    let difference = TensorDifference(
      try first.tensor(at: place), try second.tensor(at: other))
    isEqual = difference.isEqual
    (largest, mean, relative) = (difference.largest, difference.mean, difference.relative)
  }
}

/// Matches the tensors of two files: by name; then, among the remaining tensors of a shape, by
/// values; then, if only one of a shape is left on each side, by shape.
struct TensorMatching {
  /// Positions in the first and the second file, in the order of the first.
  private(set) var pairs: [(first: Int, second: Int)] = []
  /// Positions of tensors missing from the second file.
  private(set) var onlyFirst: [Int] = []
  /// Positions of tensors missing from the first file.
  private(set) var onlySecond: [Int] = []

  /// Matches the tensors.
  ///
  /// - Throws: `CheckpointError` for tensors that cannot be read.
  init(_ first: TensorSource, _ second: TensorSource) throws(CheckpointError) {
    let places = Dictionary(uniqueKeysWithValues: second.enumerated().map { ($1.name, $0) })
    var found: [Int: Int] = [:]
    for (place, tensor) in first.enumerated() {
      if let other = places[tensor.name] { found[place] = other }
    }
    var restOfFirst = first.indices.filter { found[$0] == nil }
    let named = Set(found.values)
    var restOfSecond = second.indices.filter { !named.contains($0) }
    for shape in Set(restOfFirst.map { first[$0].shape }) {
      let candidates = restOfFirst.filter { first[$0].shape == shape }
      let others = restOfSecond.filter { second[$0].shape == shape }
      // Comparing every pair takes time in the product of the counts.
      guard !others.isEmpty, candidates.count * others.count <= 10_000 else { continue }
      for (place, other) in try Self.nearest(first, candidates, second, others) {
        found[place] = other
      }
    }
    restOfFirst.removeAll { found[$0] != nil }
    let taken = Set(found.values)
    restOfSecond.removeAll { taken.contains($0) }
    pairs = found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    onlyFirst = restOfFirst
    onlySecond = restOfSecond
  }

  /// The largest mean difference, relative to the first tensor's mean magnitude, at which two
  /// tensors still match: weights before and after some more training.
  private static let nearness = 0.5

  private static func nearest(
    _ first: TensorSource, _ candidates: [Int], _ second: TensorSource, _ others: [Int]
  ) throws(CheckpointError) -> [(Int, Int)] {
    if candidates.count == 1, others.count == 1 { return [(candidates[0], others[0])] }
    var distances: [(distance: Double, first: Int, second: Int)] = []
    for place in candidates {
      let tensor = try first.tensor(at: place)
      let zero = tensor.converted(to: .float32)
      let magnitude = zero.floats.reduce(0.0) { $0 + Double(abs($1)) } / Double(max(zero.count, 1))
      for other in others {
        let difference = TensorDifference(tensor, try second.tensor(at: other))
        let distance = magnitude > 0 ? difference.mean / magnitude : difference.mean
        if distance <= nearness { distances.append((distance, place, other)) }
      }
    }
    var (placed, taken): (Set<Int>, Set<Int>) = ([], [])
    var result: [(Int, Int)] = []
    for (_, place, other) in distances.sorted(by: {
      ($0.distance, $0.first) < ($1.distance, $1.first)
    })
    where !placed.contains(place) && !taken.contains(other) {
      placed.insert(place)
      taken.insert(other)
      result.append((place, other))
    }
    // A shape that is left once on each side.
    let left = candidates.filter { !placed.contains($0) }
    let leftOver = others.filter { !taken.contains($0) }
    if left.count == 1, leftOver.count == 1 { result.append((left[0], leftOver[0])) }
    return result
  }
}

/// The difference between two tensors of the same shape.
struct TensorDifference {
  /// Whether all elements are equal as float32; NaN equals NaN.
  private(set) var isEqual = true
  /// The largest difference; infinite if one element is NaN and the other is not.
  private(set) var largest = 0.0
  /// The mean difference.
  private(set) var mean = 0.0
  /// The largest difference over the largest magnitude of either tensor; 0 if there is no
  /// difference.
  private(set) var relative = 0.0

  /// Compares tensors of the same shape, in double precision.
  init(_ a: Tensor, _ b: Tensor) {
    var sum = 0.0
    var magnitude = 0.0
    let (a, b) = (a.converted(to: .float32), b.converted(to: .float32))
    unsafe a.withFloats { a in
      unsafe b.withFloats { b in
        for i in 0..<min(a.count, b.count) {
          let (x, y) = unsafe (Double(a[i]), Double(b[i]))
          if x == y || x.isNaN && y.isNaN { continue }
          isEqual = false
          let distance = (x - y).magnitude
          guard distance.isFinite else {
            largest = .infinity
            continue
          }
          sum += distance
          largest = max(largest, distance)
        }
        if isEqual { return }
        for i in 0..<min(a.count, b.count) {
          unsafe magnitude = max(magnitude, Double(abs(a[i])), Double(abs(b[i])))
        }
      }
    }
    if isEqual { return }
    mean = largest.isFinite ? sum / Double(a.count) : .infinity
    relative = largest.isFinite && magnitude > 0 ? largest / magnitude : largest
  }
}
