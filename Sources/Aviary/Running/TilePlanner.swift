internal import AviaryCompute
internal import AviaryGraph
internal import Synchronization

/// The size of the tiles in which an image is computed.
struct TileSize: Hashable, Sendable {
  var height: Int
  var width: Int
  /// How many pixels at inner ends are spoilt.
  var overlap: Int
  /// What inner tiles begin at a multiple of.
  var multiple: Int
  /// The memory that the activations and the bands around them take.
  var bytes: Int
  /// Why tiles give nearly what the whole gives, and not exactly that; nil where they give it.
  var approximation: String?
}

/// What is done with a network of which parts do not give what the whole gives.
enum TilePolicy: Hashable, Sendable {
  /// The whole is computed, or nothing.
  case exact
  /// The whole is computed where it fits into memory, else parts.
  case approximateInNeed
  /// Parts of this side are computed, to see how far they are from the whole.
  case approximate(side: Int)
}

/// A size of tiles, and what the network was lowered to for it on the way to choose it: the plan is
/// made of that.
struct TilePlan {
  var size: TileSize
  var lowered: LoweredGraph?
}

/// The tiles that were chosen for images before: of many images most are of a few sizes.
final class TileSizes: Sendable {
  /// What a tile was chosen for.
  struct Key: Hashable {
    /// With its borders resolved.
    var graph: Graph
    var output: Int
    /// Of the padded image, as `columns`.
    var rows: Int
    var columns: Int
    var runs: Int
    var resultBytes: Int
    var policy: TilePolicy
  }

  /// So many are kept: a folder may hold images of as many sizes as it holds images.
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

/// Chooses the size of the tiles in which an image is computed.
struct TilePlanner {
  /// With its borders resolved for the whole image.
  let graph: Graph
  let output: Int
  /// The output's size over the image's.
  let ratio: Double
  /// Of the padded image, as `columns`.
  let rows: Int
  let columns: Int
  /// How many inputs of the network the image's planes are.
  let runs: Int
  /// The memory that the caller takes for each pixel of a band of the result.
  let resultBytes: Int
  let policy: TilePolicy
  let context: InferenceContext

  /// An image of so few pixels is computed whole where that fits into memory: to ask about parts
  /// would take longer than they can gain.
  private static let small = 256 * 256
  /// How many sizes the engine is asked about at most.
  private static let mostAsked = 6
  /// What a tile costs beside its computation: it is cut out, handed over and put in its place.
  private static let secondsPerTile = 2e-5
  /// What tiles overlap by where no overlap makes them exact: convolutions reach so far, and what
  /// reaches further is what they differ by.
  private static let approximateOverlap = 32

  /// The part that takes the least time of those that fit into memory.
  ///
  /// Candidates are the whole, bands as wide as the image, and tiles of several sides. Of those
  /// that fit, the engine is asked about a few (`LoweredGraph.expectedSeconds`). What was chosen is
  /// remembered.
  ///
  /// - Throws: `AviaryError.memory` where the network must be computed as a whole, or the smallest
  ///   tile is too large; `ComputeError` where the network cannot be planned.
  func plan(_ tiling: Tiling) throws -> TilePlan {
    let key = TileSizes.Key(
      graph: graph, output: output, rows: rows, columns: columns, runs: runs,
      resultBytes: resultBytes, policy: policy)
    if let size = context.tileSizes[key] { return TilePlan(size: size, lowered: nil) }
    let plan = try chosen(tiling)
    context.tileSizes[key] = plan.size
    return plan
  }

  private func chosen(_ tiling: Tiling) throws -> TilePlan {
    switch tiling {
    case .whole(let reason):
      if case .approximate(let side) = policy, let multiple = graph.approximateMultiple {
        return try tiles(multiple: multiple, side: side, approximation: reason)
      }
      let whole = try candidate(TileCandidates.Size(height: rows, width: columns))
      let allowed = context.allowance.most
      if whole.bytes <= allowed {
        return TilePlan(
          size: TileSize(
            height: rows, width: columns, overlap: 0, multiple: 1, bytes: whole.bytes),
          lowered: kept(whole, runs: 1))
      }
      guard policy == .approximateInNeed, let multiple = graph.approximateMultiple,
        // Some networks do not run on parts at all.
        let plan = try? tiles(
          multiple: multiple, side: context.options.tile, approximation: reason)
      else { throw AviaryError.memory(needed: whole.bytes, allowed: allowed, reason: reason) }
      return plan
    case .exact(let overlap, let multiple):
      return try tiles(overlap: overlap, multiple: multiple, side: context.options.tile)
    }
  }

  private func tiles(
    multiple: Int, side: Int?, approximation: String
  ) throws -> TilePlan {
    let overlap = (Self.approximateOverlap + multiple - 1) / multiple * multiple
    var plan = try tiles(overlap: overlap, multiple: multiple, side: side)
    plan.size.approximation = approximation
    return plan
  }

  private func tiles(overlap: Int, multiple: Int, side: Int?) throws -> TilePlan {
    let candidates = TileCandidates(
      rows: rows, columns: columns, overlap: overlap, multiple: multiple, wanted: side)
    let fitting = try fitting(candidates)
    let best = try fastest(fitting, candidates)
    return TilePlan(
      size: TileSize(
        height: best.size.height, width: best.size.width, overlap: overlap, multiple: multiple,
        bytes: best.bytes),
      lowered: kept(best, runs: candidates.count(best.size)))
  }

  /// A candidate.
  private struct Fitting {
    var size: TileCandidates.Size
    /// The memory that it takes, and the bands around it.
    var bytes: Int
    /// The network lowered for it.
    var lowered: LoweredGraph?
    /// Whether what pays to be timed was timed.
    var isTimed = false
  }

  /// A few that fit into memory: the one with the fewest pixels to compute, then each at most half
  /// as large as the one before, as long as overlap does not cost half as much as everything else.
  private func fitting(_ candidates: TileCandidates) throws -> [Fitting] {
    let bounds = context.allowance
    var least = Fitting(size: TileCandidates.Size(height: rows, width: columns), bytes: .max)
    // In the end all fit or none do: the network is lowered once for a candidate.
    var known: [TileCandidates.Size: Fitting] = [:]
    for allowed in [bounds.wanted, bounds.most] {
      var fitting: [Fitting] = []
      // What activations take for each pixel: their ends at least, then as the last candidate had
      // it.
      var density = Double(planes * 4) * (1 + ratio * ratio)
      for size in candidates.sizes {
        if let largest = fitting.first, let last = fitting.last {
          if 2 * candidates.pixels(size) > 3 * candidates.pixels(largest.size) { break }
          if 2 * size.area > last.size.area { continue }
        }
        let bands = rowBytes * Double(size.height)
        let guess = bands + density * Double(size.area)
        if guess > 1.5 * Double(allowed), size != candidates.sizes.last { continue }
        let found = try known[size] ?? candidate(size)
        known[size] = found
        density = max(Double(found.bytes) - bands, 0) / Double(size.area)
        if found.bytes < least.bytes { least = found }
        if found.bytes > allowed { continue }
        fitting.append(found)
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

  /// The one by which the image takes the least time, by what the engine expects of its plans.
  private func fastest(_ fitting: [Fitting], _ candidates: TileCandidates) throws -> Fitting {
    var best = (seconds: Double.infinity, fitting[0])
    guard fitting.count > 1 else { return fitting[0] }
    for candidate in fitting {
      var candidate = candidate
      let count = candidates.count(candidate.size)
      // What is not known is timed where that pays: for all of them together, no more than for one.
      // Where nothing is timed, the network is not lowered again.
      let runs = count * context.options.imageCount / fitting.count
      if let tuning = context.planOptions.tuning, let known = candidate.lowered,
        tuning.isTiming(secondsAhead: known.expectedSeconds * Double(runs))
      {
        candidate.lowered = try lowered(candidate.size, runsAhead: runs)
        candidate.isTimed = true
      }
      let seconds =
        Double(count)
        * (TilePlanner.secondsPerTile + (candidate.lowered?.expectedSeconds ?? .infinity))
      if seconds < best.seconds { best = (seconds, candidate) }
    }
    return best.1
  }

  /// What a tile takes, found without timing anything.
  private func candidate(_ size: TileCandidates.Size) throws -> Fitting {
    let input = shape(size)
    let result = try graph.shapes(for: [input])[graph.outputs[output].value]
    let lowered = try lowered(size, runsAhead: 0)
    let ends = (input.reduce(1, *) + result.reduce(1, *)) * 4
    return Fitting(
      size: size, bytes: Int(rowBytes * Double(size.height)) + ends + lowered.arenaBytes,
      lowered: lowered)
  }

  private func lowered(_ size: TileCandidates.Size, runsAhead: Int) throws -> LoweredGraph {
    var options = context.planOptions
    options.runsAhead = runsAhead
    return try LoweredGraph(
      graph, inputShapes: [shape(size)], outputs: [graph.outputs[output].name], options: options,
      engine: context.engine)
  }

  /// The lowered graph of which the plan is made; nil where timing for so many runs may yet change
  /// it.
  private func kept(_ fitting: Fitting, runs: Int) -> LoweredGraph? {
    guard let lowered = fitting.lowered, !fitting.isTimed, let tuning = context.planOptions.tuning
    else { return fitting.lowered }
    let ahead = lowered.expectedSeconds * Double(runs * context.options.imageCount)
    return tuning.isTiming(secondsAhead: ahead) ? nil : lowered
  }

  /// Of a part, as the network takes it.
  private func shape(_ size: TileCandidates.Size) -> [Int] {
    [runs, graph.inputs[0].channels, size.height, size.width]
  }

  private var planes: Int { runs * graph.inputs[0].channels }

  /// The memory for each of a part's rows. A row of parts is as wide as the image: its input as it
  /// comes and put together, and its result.
  private var rowBytes: Double {
    Double(columns) * (Double(planes * 4 * 2) + Double(planes * 4 + resultBytes) * ratio * ratio)
  }
}

/// The sizes of parts that come into question for an image.
struct TileCandidates {
  /// A part's pixels.
  struct Size: Hashable {
    var height: Int
    var width: Int
    var area: Int { height * width }
  }

  /// Those with the fewest pixels to compute first: the whole, if it is among them. Where a side is
  /// asked for, the largest first.
  private(set) var sizes: [Size] = []
  private let rows: Int
  private let columns: Int
  private let overlap: Int

  /// Sides of tiles. Larger ones gain nothing: of 1024 pixels, overlap is a small part for every
  /// network there is.
  private static let sides = [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024]

  /// - Parameters:
  ///   - rows: of the padded image, as `columns`.
  ///   - overlap: how many pixels at inner ends are spoilt.
  ///   - multiple: what inner tiles begin at a multiple of.
  ///   - wanted: the side that is asked for, raised to what overlaps sensibly; smaller ones come
  ///     into question for want of memory.
  init(rows: Int, columns: Int, overlap: Int, multiple: Int, wanted: Int?) {
    (self.rows, self.columns, self.overlap) = (rows, columns, overlap)
    // A tile gets on by at least as much as it overlaps, else it is mostly overlap. In need of
    // memory it may be less: it must get on at all.
    let sensible = (4 * overlap + multiple) / multiple * multiple
    let least = 2 * overlap + multiple
    var sides = Set(TileCandidates.sides.map { $0 / multiple * multiple } + [sensible, least])
    if let wanted {
      let side = max(wanted / multiple * multiple, sensible)
      sides = sides.filter { $0 <= side }.union([side])
    }
    sides = sides.filter { $0 >= least }
    let largest = wanted == nil ? Int.max : sides.max() ?? .max
    func choices(_ length: Int) -> [Int] {
      sides.filter { $0 < length } + (length <= largest ? [length] : [])
    }
    for height in choices(rows) {
      for width in choices(columns) { sizes.append(Size(height: height, width: width)) }
    }
    // Of equals, the larger: fewer parts. A side that is asked for comes first whatever it costs.
    let keys = sizes.map { (wanted == nil ? pixels($0) : 0, -$0.area, $0.width) }
    sizes = sizes.indices.sorted { keys[$0] < keys[$1] }.map { sizes[$0] }
  }

  /// How many parts of a size the image takes.
  func count(_ size: Size) -> Int { parts(rows, size.height) * parts(columns, size.width) }

  /// The pixels of all of them together: what overlaps is counted as often as it is computed.
  func pixels(_ size: Size) -> Int { count(size) * size.area }

  /// How many parts a side of so many pixels takes.
  private func parts(_ length: Int, _ part: Int) -> Int {
    if part >= length { return 1 }
    let step = max(part - 2 * overlap, 1)
    return (length - 2 * overlap + step - 1) / step
  }
}
