package import AviaryGraph
package import AviaryTensor

/// Computes an image in tiles as `Graph.tiling` allows, with the oracle, and puts together what
/// each tile is there for.
///
/// - Parameters:
///   - tile: the side of the tiles without their overlap, a multiple of the tiling's.
///   - overlap: pixels more on every side; the tiling's unless stated.
/// - Returns: the outputs' images, of the size of `whole`.
package func naiveTiles(
  _ graph: Graph, weights: [String: Tensor], input: Tensor, tile: Int, overlap: Int? = nil,
  whole: [String: Tensor]
) throws -> [String: Tensor] {
  let (height, width) = (input.shape[2], input.shape[3])
  guard case .exact(let needed, _) = try graph.tiling(height: height, width: width) else {
    throw NaiveError(description: "no exact tiling")
  }
  let overlap = overlap ?? needed
  let resolved = try graph.resolvingPadding(height: height, width: width)
  var results = whole.mapValues { Plane([Float](repeating: .nan, count: $0.count), $0.shape) }
  for top in stride(from: 0, to: height, by: tile) {
    for left in stride(from: 0, to: width, by: tile) {
      let rows = Stretch(top, tile: tile, overlap: overlap, size: height)
      let columns = Stretch(left, tile: tile, overlap: overlap, size: width)
      let part = Plane(input.floats, input.shape).part(rows.given, columns.given)
      let found = try naive(
        resolved, weights: weights, inputs: [graph.inputs[0].name: try part.tensor])
      for output in graph.outputs {
        guard let scale = graph.ratios[output.value], let tensor = found[output.name] else {
          throw NaiveError(description: "\(output.name): no image")
        }
        results[output.name]?.paste(Plane(tensor.floats, tensor.shape), rows, columns, scale)
      }
    }
  }
  return try results.mapValues { try $0.tensor }
}

/// A tile along one axis.
private struct Stretch {
  /// The input pixels that the tile is computed from.
  let given: Range<Int>
  /// The input pixels whose output it is there for.
  private let kept: Range<Int>
  private let size: Int

  init(_ start: Int, tile: Int, overlap: Int, size: Int) {
    kept = start..<min(start + tile, size)
    given = max(start - overlap, 0)..<min(start + tile + overlap, size)
    self.size = size
  }

  /// The output pixels that the tile is there for, and where the tile's own output begins. The last
  /// tile is there for all that is left, be it more or less than the scale says.
  func output(_ scale: Ratio, of full: Int) -> (kept: Range<Int>, start: Int) {
    func scaled(_ position: Int) -> Int { position * scale.numerator / scale.denominator }
    let first = min(scaled(kept.lowerBound), full)
    let end = kept.upperBound == size ? full : min(scaled(kept.upperBound), full)
    return (first..<max(end, first), scaled(given.lowerBound))
  }
}

/// Images of NCHW, of which rectangles are taken and replaced.
private struct Plane {
  private var values: [Float]
  private let shape: [Int]

  init(_ values: [Float], _ shape: [Int]) { (self.values, self.shape) = (values, shape) }

  var tensor: Tensor { get throws { try Tensor(shape: shape, values) } }

  func part(_ rows: Range<Int>, _ columns: Range<Int>) -> Plane {
    var part: [Float] = []
    for plane in 0..<shape[0] * shape[1] {
      for row in rows {
        let start = (plane * shape[2] + row) * shape[3]
        part += values[start + columns.lowerBound..<start + columns.upperBound]
      }
    }
    return Plane(part, [shape[0], shape[1], rows.count, columns.count])
  }

  mutating func paste(
    _ other: Plane, _ rows: Stretch, _ columns: Stretch, _ scale: Ratio
  ) {
    let (rows, top) = rows.output(scale, of: shape[2])
    let (columns, left) = columns.output(scale, of: shape[3])
    // What a tile is too small to give stays NaN, and agrees with nothing.
    for plane in 0..<shape[0] * shape[1] {
      for row in rows where row - top < other.shape[2] {
        for column in columns where column - left < other.shape[3] {
          values[(plane * shape[2] + row) * shape[3] + column] =
            other.values[(plane * other.shape[2] + row - top) * other.shape[3] + column - left]
        }
      }
    }
  }
}
