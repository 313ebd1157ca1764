internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryTensor

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
