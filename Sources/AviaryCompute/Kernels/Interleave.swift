import CKernels
import AviaryThreads

/// Writes the pixels of a small picture to every so many pixels of a large one.
struct Interleave {
  /// The small picture.
  let source: Grid
  /// The large picture, of as many planes and as deep.
  let destination: Grid
  /// Along the vertical and the horizontal axis.
  let rows: Stretch
  let columns: Stretch

  /// Which pixels along an axis go where.
  struct Stretch: Hashable {
    /// The first pixel to be copied.
    var source: Int
    /// Where it goes.
    var destination: Int
    /// From one destination to the next.
    var step: Int
    var count: Int
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let depth = source.depth
    workers.split(source.planes * rows.count, cost: columns.count * depth) { range in
      for line in range {
        let (plane, row) = (line / rows.count, line % rows.count)
        let first = (plane * source.rows + rows.source + row) * source.columns + columns.source
        let y = plane * destination.rows + rows.destination + row * rows.step
        unsafe aviary_spread_row(
          from + first * depth, columns.count, depth, columns.step,
          to + (y * destination.columns + columns.destination) * depth)
      }
    }
  }
}
