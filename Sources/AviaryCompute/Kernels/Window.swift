import AviaryThreads

/// Makes an image of rows and columns of another.
struct Window {
  let source: Grid
  /// The source's row for every row of the result; -1 for zeros.
  let rows: [Int]
  /// The source's column for every column of the result; -1 for zeros.
  let columns: [Int]
  /// The columns of the result that are one stretch of the source, copied at once.
  private let stretch: Range<Int>

  init(source: Grid, rows: [Int], columns: [Int]) {
    (self.source, self.rows, self.columns) = (source, rows, columns)
    // The stretch that holds the source's columns in their order; what is left and right of it is
    // copied pixel by pixel. Every window here has them all, or a part of them alone.
    let first =
      columns.indices.first { i in
        columns[i] >= 0 && i + 1 < columns.count && columns[i + 1] == columns[i] + 1
      } ?? 0
    var end = first
    while end < columns.count, columns[end] == columns[first] + end - first, columns[end] >= 0 {
      end += 1
    }
    stretch = first..<end
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let depth = source.depth
    let length = columns.count * depth
    workers.split(source.planes * rows.count, cost: length) { range in
      for line in range {
        let (plane, row) = (line / rows.count, rows[line % rows.count])
        let target = unsafe to + line * length
        guard row >= 0 else {
          unsafe target.update(repeating: 0, count: length)
          continue
        }
        let start = unsafe from + (plane * source.rows + row) * source.rowCount
        for x in 0..<stretch.lowerBound {
          unsafe copyPixel(columns[x], start, to: target + x * depth)
        }
        if !stretch.isEmpty {
          unsafe (target + stretch.lowerBound * depth).update(
            from: start + columns[stretch.lowerBound] * depth, count: stretch.count * depth)
        }
        for x in stretch.upperBound..<columns.count {
          unsafe copyPixel(columns[x], start, to: target + x * depth)
        }
      }
    }
  }

  private func copyPixel(
    _ column: Int, _ row: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    if column < 0 {
      unsafe target.update(repeating: 0, count: source.depth)
    } else {
      unsafe target.update(from: row + column * source.depth, count: source.depth)
    }
  }
}
