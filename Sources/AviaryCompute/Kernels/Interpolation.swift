/// Interpolates along rows and columns, in the order that takes fewer steps along rows: those go
/// tap by tap, while between rows whole stretches of memory are added.
struct Interpolation {
  private let source: Grid
  private let rows: PixelTaps
  private let columns: PixelTaps

  init(source: Grid, rows: PixelTaps, columns: PixelTaps) {
    (self.source, self.rows, self.columns) = (source, rows, columns)
  }

  /// The elements of an output row.
  private var length: Int { columns.outputs * source.depth }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: Workers
  ) {
    let isEnlarging = rows.outputs >= source.rows
    workers.split(
      source.planes * rows.outputs, cost: source.rowCount * rows.count + length * columns.count
    ) { range in
      if isEnlarging {
        unsafe enlarge(from, to: to, range)
      } else {
        unsafe reduce(from, to: to, range)
      }
    }
  }

  /// Each output row is a mixture of rows, which is then interpolated.
  private func reduce(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ range: Range<Int>
  ) {
    let width = source.rowCount
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { mixed in
      guard let mixed = mixed.baseAddress else { return }
      for line in range {
        let (plane, row) = (line / rows.outputs, line % rows.outputs)
        let picture = unsafe from + plane * source.rows * width
        unsafe mixed.update(repeating: 0, count: width)
        for tap in row * rows.count..<(row + 1) * rows.count {
          unsafe add(picture + rows.positions[tap] * width, rows.weights[tap], to: mixed, width)
        }
        unsafe interpolate(mixed, to: to + line * length)
      }
    }
  }

  /// Each output row is a mixture of interpolated rows, of which the last few are kept: an input
  /// row serves several output rows, and is interpolated once.
  private func enlarge(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ range: Range<Int>
  ) {
    // Those of one output row lie side by side, or are mirrored into them: as many as it has taps.
    var kept = [Int](repeating: -1, count: rows.count)
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: length * rows.count) { memory in
      guard let memory = memory.baseAddress else { return }
      for line in range {
        let (plane, row) = (line / rows.outputs, line % rows.outputs)
        let target = unsafe to + line * length
        unsafe target.update(repeating: 0, count: length)
        for tap in row * rows.count..<(row + 1) * rows.count {
          let inputRow = plane * source.rows + rows.positions[tap]
          let place = rows.positions[tap] % rows.count
          let interpolated = unsafe memory + place * length
          if kept[place] != inputRow {
            unsafe interpolate(from + inputRow * source.rowCount, to: interpolated)
            kept[place] = inputRow
          }
          unsafe add(interpolated, rows.weights[tap], to: target, length)
        }
      }
    }
  }

  private func add(
    _ row: UnsafePointer<Float>, _ weight: Float, to sum: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    if weight == 0 { return }
    for i in 0..<count { unsafe sum[i] += row[i] * weight }
  }

  /// The weighted sums of pixels of a row that make up the output pixels.
  private func interpolate(
    _ row: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>
  ) {
    let depth = source.depth
    unsafe columns.positions.withUnsafeBufferPointer { positions in
      unsafe columns.weights.withUnsafeBufferPointer { weights in
        for pixel in 0..<columns.outputs {
          let taps = pixel * columns.count..<(pixel + 1) * columns.count
          if depth == 1 {
            var sum: Float = 0
            for tap in taps { unsafe sum += row[positions[tap]] * weights[tap] }
            unsafe result[pixel] = sum
          } else {
            let target = unsafe result + pixel * depth
            unsafe target.update(repeating: 0, count: depth)
            for tap in taps {
              unsafe add(row + positions[tap] * depth, weights[tap], to: target, depth)
            }
          }
        }
      }
    }
  }
}
