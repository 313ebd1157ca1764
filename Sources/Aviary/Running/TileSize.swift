internal import AviaryGraph

/// The size of the parts in which a picture is computed.
struct TileSize: Hashable, Sendable {
  var height: Int
  var width: Int
  /// How many pixels at inner ends are spoilt.
  var overlap: Int
  /// What inner tiles begin at a multiple of.
  var multiple: Int
  /// The memory that the activations and the bands around them take.
  var bytes: Int

  /// Chooses the part that takes the least time of those that fit into memory.
  ///
  /// Candidates are the whole, bands as wide as the picture, and tiles of several sides. The time of
  /// each is estimated with all that overlaps; from the fastest on, the first counts whose plan fits.
  ///
  /// - Parameter resultBytes: of memory that the caller takes for each pixel of a band of the result.
  /// - Throws: `AviaryError.memory` where the network must be computed as a whole, or the smallest
  ///   tile is too large.
  static func choose(
    _ graph: Graph, _ tiling: Tiling, output: Int, rows: Int, columns: Int, runs: Int,
    resultBytes: Int, _ machinery: Machinery
  ) throws -> TileSize {
    // A row of tiles is as wide as the picture: its input as it comes and put together, and its result.
    let ratio = graph.ratios[graph.outputs[output].value]?.value ?? 1
    let planes = runs * graph.inputs[0].channels
    let rowBytes =
      Double(columns)
      * (Double(planes * 4 * 2) + Double(planes * 4 + resultBytes) * ratio * ratio)
    func bytes(_ height: Int, _ width: Int) throws -> Int {
      Int(rowBytes * Double(height))
        + (try TileRunner.memoryEstimate(
          graph, output: output, runs: runs, height: height, width: width, machinery))
    }
    let bounds = machinery.allowance
    switch tiling {
    case .whole(let reason):
      let needed = try bytes(rows, columns)
      guard needed <= bounds.most else {
        throw AviaryError.memory(needed: needed, allowed: bounds.most, reason: reason)
      }
      return TileSize(height: rows, width: columns, overlap: 0, multiple: 1, bytes: needed)
    case .exact(let overlap, let multiple):
      let estimate = TileTime(
        pixelSeconds: try graph.secondsPerPixel(height: rows, width: columns) * Double(runs),
        rows: rows, columns: columns, overlap: overlap)
      let candidates = TileCandidates(
        rows: rows, columns: columns, overlap: overlap, multiple: multiple,
        wanted: machinery.options.tile
      ).sizes.sorted { estimate.seconds($0) < estimate.seconds($1) }
      var least = (bytes: Int.max, size: TileCandidates.Size(height: rows, width: columns))
      // In the end all fit or none do: a candidate's plan is looked at once.
      var needed: [TileCandidates.Size: Int] = [:]
      for allowed in [bounds.wanted, bounds.most] {
        // What activations take for each pixel: their ends at least, then as the last candidate had it.
        var density = Double(planes * 4) * (1 + ratio * ratio)
        for size in candidates {
          let area = Double(size.height * size.width)
          let guess = rowBytes * Double(size.height) + density * area
          if guess > 1.5 * Double(allowed), size != candidates.last { continue }
          let bytes = try needed[size] ?? bytes(size.height, size.width)
          needed[size] = bytes
          density = max(Double(bytes) - rowBytes * Double(size.height), 0) / area
          if bytes <= allowed {
            return TileSize(
              height: size.height, width: size.width, overlap: overlap, multiple: multiple,
              bytes: bytes)
          }
          if bytes < least.bytes { least = (bytes, size) }
        }
      }
      throw AviaryError.memory(
        needed: least.bytes, allowed: bounds.most,
        reason: "for a tile of \(least.size.width)x\(least.size.height) pixels")
    }
  }
}

extension Graph {
  /// About how long one pixel of the input takes on two cores: multiply-adds at the rate of direct
  /// convolutions, and at least the time to read and write it a few times.
  fileprivate func secondsPerPixel(height: Int, width: Int) throws(GraphError) -> Double {
    // A part of it will do, and cannot overflow.
    let (height, width) = (min(height, 256), min(width, 256))
    guard let sum = try? multiplyAdds(height: height, width: width) else { return 1e-8 }
    return max(sum / Double(height * width) / 300e9, 1e-8)
  }
}
