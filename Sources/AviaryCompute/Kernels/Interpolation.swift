/// Interpolates along rows and columns: first between rows, which lie in long stretches of memory,
/// then within the row that results.
struct Interpolation {
  let source: Grid
  let rows: PixelTaps
  let columns: PixelTaps

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: Workers
  ) {
    let length = columns.outputs * source.depth
    workers.split(
      source.planes * rows.outputs, cost: source.rowCount * rows.count + length * columns.count
    ) { range in
      unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: source.rowCount) { mixed in
        guard let mixed = mixed.baseAddress else { return }
        for line in range {
          let (plane, row) = (line / rows.outputs, line % rows.outputs)
          let picture = unsafe from + plane * source.rows * source.rowCount
          unsafe mix(picture, row, to: mixed)
          unsafe interpolate(mixed, to: to + line * length)
        }
      }
    }
  }

  /// The weighted sum of the rows that make up an output row.
  private func mix(
    _ picture: UnsafePointer<Float>, _ row: Int, to mixed: UnsafeMutablePointer<Float>
  ) {
    let length = source.rowCount
    unsafe mixed.update(repeating: 0, count: length)
    for tap in row * rows.count..<(row + 1) * rows.count where rows.weights[tap] != 0 {
      let weight = rows.weights[tap]
      let line = unsafe picture + rows.positions[tap] * length
      for i in 0..<length { unsafe mixed[i] += line[i] * weight }
    }
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
              let (weight, start) = unsafe (weights[tap], row + positions[tap] * depth)
              for i in 0..<depth { unsafe target[i] += start[i] * weight }
            }
          }
        }
      }
    }
  }
}
