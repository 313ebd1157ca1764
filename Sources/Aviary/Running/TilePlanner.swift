internal import AviaryCompute
internal import AviaryGraph
internal import Synchronization

/// The size of the tiles in which a picture is computed.
struct TileSize: Hashable, Sendable {
  var height: Int
  var width: Int
  /// How many pixels at inner ends are spoilt.
  var overlap: Int
  /// What inner tiles begin at a multiple of.
  var multiple: Int
  /// The memory that the activations and the bands around them take.
  var bytes: Int
}

/// The tiles that were chosen for pictures before: of many pictures most are of a few sizes.
final class TileSizes: Sendable {
  /// What a tile was chosen for.
  struct Key: Hashable {
    /// With its borders resolved.
    var graph: Graph
    var output: Int
    /// Of the padded picture, as `columns`.
    var rows: Int
    var columns: Int
    var runs: Int
    var resultBytes: Int
  }

  /// So many are kept: a folder may hold pictures of as many sizes as it holds pictures.
  private static let most = 256
  private let known = Mutex<[Key: TileSize]>([:])

  subscript(key: Key) -> TileSize? {
    get { known.withLock { $0[key] } }
    set {
      known.withLock {
        if $0.count >= TileSizes.most { $0.removeAll() }
        $0[key] = newValue
      }
    }
  }
}

/// Chooses the size of the tiles in which a picture is computed.
struct TilePlanner {
  /// With its borders resolved for the whole picture.
  let graph: Graph
  let output: Int
  /// The output's size over the picture's.
  let ratio: Double
  /// Of the padded picture, as `columns`.
  let rows: Int
  let columns: Int
  /// How many inputs of the network the picture's planes are.
  let runs: Int
  /// The memory that the caller takes for each pixel of a band of the result.
  let resultBytes: Int
  let context: InferenceContext

  /// A picture of so few pixels is computed whole where that fits into memory: to ask about parts
  /// would take longer than they can gain.
  private static let small = 256 * 256
  /// How many sizes the engine is asked about at most.
  private static let mostAsked = 6

  /// The part that takes the least time of those that fit into memory.
  ///
  /// Candidates are the whole, bands as wide as the picture, and tiles of several sides. Of those that
  /// fit, the engine is asked about a few (`Plan.expectedSeconds`). What was chosen is remembered.
  ///
  /// - Throws: `AviaryError.memory` where the network must be computed as a whole, or the smallest
  ///   tile is too large; `ComputeError` where the network cannot be planned.
  func size(_ tiling: Tiling) throws -> TileSize {
    let key = TileSizes.Key(
      graph: graph, output: output, rows: rows, columns: columns, runs: runs,
      resultBytes: resultBytes)
    if let size = context.tileSizes[key] { return size }
    let size = try chosen(tiling)
    context.tileSizes[key] = size
    return size
  }

  private func chosen(_ tiling: Tiling) throws -> TileSize {
    switch tiling {
    case .whole(let reason):
      let needed = try bytes(TileCandidates.Size(height: rows, width: columns))
      let allowed = context.allowance.most
      guard needed <= allowed else {
        throw AviaryError.memory(needed: needed, allowed: allowed, reason: reason)
      }
      return TileSize(height: rows, width: columns, overlap: 0, multiple: 1, bytes: needed)
    case .exact(let overlap, let multiple):
      let candidates = TileCandidates(
        rows: rows, columns: columns, overlap: overlap, multiple: multiple,
        wanted: context.options.tile)
      let fitting = try fitting(candidates)
      let best = try fastest(fitting, candidates)
      return TileSize(
        height: best.size.height, width: best.size.width, overlap: overlap, multiple: multiple,
        bytes: best.bytes)
    }
  }

  /// A candidate and the memory that it takes.
  private typealias Fitting = (size: TileCandidates.Size, bytes: Int)

  /// A few that fit into memory: the one with the fewest pixels to compute, then each at most half as
  /// large as the one before, as long as overlap does not cost half as much as everything else.
  private func fitting(_ candidates: TileCandidates) throws -> [Fitting] {
    let bounds = context.allowance
    var least: Fitting = (TileCandidates.Size(height: rows, width: columns), .max)
    // In the end all fit or none do: a candidate's plan is looked at once.
    var needed: [TileCandidates.Size: Int] = [:]
    for allowed in [bounds.wanted, bounds.most] {
      var fitting: [Fitting] = []
      // What activations take for each pixel: their ends at least, then as the last candidate had it.
      var density = Double(planes * 4) * (1 + ratio * ratio)
      for size in candidates.sizes {
        if let largest = fitting.first, let last = fitting.last {
          if 2 * candidates.pixels(size) > 3 * candidates.pixels(largest.size) { break }
          if 2 * size.area > last.size.area { continue }
        }
        let bands = rowBytes * Double(size.height)
        let guess = bands + density * Double(size.area)
        if guess > 1.5 * Double(allowed), size != candidates.sizes.last { continue }
        let bytes = try needed[size] ?? bytes(size)
        needed[size] = bytes
        density = max(Double(bytes) - bands, 0) / Double(size.area)
        if bytes < least.bytes { least = (size, bytes) }
        if bytes > allowed { continue }
        fitting.append((size, bytes))
        // What is asked for is not doubted.
        let isDecided = context.options.tile != nil || rows * columns <= TilePlanner.small
        if isDecided || fitting.count == TilePlanner.mostAsked { break }
      }
      if !fitting.isEmpty { return fitting }
    }
    throw AviaryError.memory(
      needed: least.bytes, allowed: bounds.most,
      reason: "for a tile of \(least.size.width)x\(least.size.height) pixels")
  }

  /// The one by which the picture takes the least time, by what the engine expects of its plans.
  private func fastest(_ fitting: [Fitting], _ candidates: TileCandidates) throws -> Fitting {
    var best = (seconds: Double.infinity, fitting[0])
    guard fitting.count > 1 else { return fitting[0] }
    for candidate in fitting {
      let count = candidates.count(candidate.size)
      var options = context.planOptions
      // What is not known is timed where that pays: for all of them together, no more than for one.
      options.runsAhead = count * context.options.pictureCount / fitting.count
      let seconds =
        Double(count)
        * (try Plan.expectedSeconds(
          graph, inputShapes: [shape(candidate.size)], outputs: [graph.outputs[output].name],
          options: options, engine: context.engine))
      if seconds < best.seconds { best = (seconds, candidate) }
    }
    return best.1
  }

  /// The memory that a part takes, and the bands around it.
  private func bytes(_ size: TileCandidates.Size) throws -> Int {
    let input = shape(size)
    let result = try graph.shapes(for: [input])[graph.outputs[output].value]
    let activations = try Plan.arenaBytes(
      graph, inputShapes: [input], outputs: [graph.outputs[output].name],
      options: context.planOptions, engine: context.engine)
    let ends = (input.reduce(1, *) + result.reduce(1, *)) * 4
    return Int(rowBytes * Double(size.height)) + ends + activations
  }

  /// Of a part, as the network takes it.
  private func shape(_ size: TileCandidates.Size) -> [Int] {
    [runs, graph.inputs[0].channels, size.height, size.width]
  }

  private var planes: Int { runs * graph.inputs[0].channels }

  /// The memory for each of a part's rows. A row of parts is as wide as the picture: its input as it
  /// comes and put together, and its result.
  private var rowBytes: Double {
    Double(columns) * (Double(planes * 4 * 2) + Double(planes * 4 + resultBytes) * ratio * ratio)
  }
}
