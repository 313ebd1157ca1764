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
    // A row of tiles is as wide as the picture: its input, and its result in the four forms that it
    // takes on its way to the file.
    let ratio = graph.ratios[graph.outputs[output].value]?.value ?? 1
    let planes = runs * graph.inputs[0].channels
    let bandBytes = Double(columns * planes * 4) * (2 + 4 * ratio * ratio)
    func bytes(_ height: Int, _ width: Int) throws -> Int {
      Int(bandBytes * Double(height))
        + (try TileRunner.memoryEstimate(
          graph, output: output, runs: runs, height: height, width: width, machinery))
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
      var (tallest, widest) = (max(wanted, least), max(wanted, least))
      while true {
        let height = min(tallest, rows), width = min(widest, columns)
        let needed = try bytes(height, width)
        if needed <= allowed {
          return TileSize(
            height: height, width: width, overlap: overlap, multiple: multiple, bytes: needed)
        }
        guard tallest > least || widest > least else {
          throw AviaryError.memory(
            needed: needed, allowed: allowed, reason: "for a tile of \(width)x\(height) pixels")
        }
        // Flat tiles first: the height decides on the bands as well.
        if tallest > least {
          tallest = max(tallest / 2 / multiple * multiple, least)
        } else {
          widest = max(widest / 2 / multiple * multiple, least)
        }
      }
    }
  }
}
