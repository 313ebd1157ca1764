internal import AviaryGraph

/// The size of the parts in which a picture is computed.
struct TileSize: Hashable, Sendable {
  var height: Int
  var width: Int
  /// How many pixels at inner ends are spoilt.
  var overlap: Int
  /// What inner tiles begin at a multiple of.
  var multiple: Int
  /// The memory that the activations take.
  var bytes: Int

  /// What is usually fast: activations of a few dozen channels stay near the processor, and the
  /// overlap costs little.
  private static let customary = 512

  /// The largest tile up to the customary size whose activations fit into the memory allowed.
  ///
  /// - Throws: `AviaryError.memory` where the network must be computed as a whole, or the smallest
  ///   sensible tile is too large.
  static func choose(
    _ graph: Graph, _ tiling: Tiling, output: Int, rows: Int, columns: Int, runs: Int,
    _ machinery: Machinery
  ) throws -> TileSize {
    let allowed = machinery.options.memory ?? MemoryAllowance.standard
    func bytes(_ height: Int, _ width: Int) throws -> Int {
      try TileRunner.memoryEstimate(
        graph, output: output, runs: runs, height: height, width: width, machinery)
    }
    switch tiling {
    case .whole(let reason):
      let needed = try bytes(rows, columns)
      guard needed <= allowed else {
        throw AviaryError.memory(needed: needed, allowed: allowed, reason: reason)
      }
      return TileSize(height: rows, width: columns, overlap: 0, multiple: 1, bytes: needed)
    case .exact(let overlap, let multiple):
      // A tile gets on by at least as much as it overlaps, else it is mostly overlap.
      let least = (4 * overlap + multiple) / multiple * multiple
      let wanted = max(machinery.options.tile ?? customary, multiple) / multiple * multiple
      var side = max(wanted, 2 * overlap + multiple)
      while true {
        let height = min(side, rows), width = min(side, columns)
        let needed = try bytes(height, width)
        if needed <= allowed {
          return TileSize(
            height: height, width: width, overlap: overlap, multiple: multiple, bytes: needed)
        }
        guard side > least else {
          throw AviaryError.memory(
            needed: needed, allowed: allowed, reason: "for a tile of \(width)x\(height) pixels")
        }
        side = max(side / 2 / multiple * multiple, least)
      }
    }
  }
}
