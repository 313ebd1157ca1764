/// The adjoint of what makes each output row and column a weighted sum of input rows and columns:
/// of interpolation, and of padding by repeated pixels.
///
/// Every pixel of the gradient gathers what it has given, so that threads never write to one place,
/// and sums are always in the same order.
struct InterpolationGradient {
  /// The gradient of the result.
  private let source: Grid
  private let rows: TapLists
  private let columns: TapLists

  /// - Parameters:
  ///   - source: the shape of the result of the way forward.
  ///   - rows: where the input's rows have gone.
  ///   - columns: where the input's columns have gone.
  init(source: Grid, rows: TapLists, columns: TapLists) {
    (self.source, self.rows, self.columns) = (source, rows, columns)
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: Workers
  ) {
    let width = source.rowCount
    let length = columns.inputs * source.depth
    // Rows first: those are added as whole stretches of memory, where columns go tap by tap.
    let taps = rows.positions.count / max(rows.inputs, 1) + 1
    workers.split(source.planes * rows.inputs, cost: width * taps + length * 2) { range in
      unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { mixed in
        guard let mixed = mixed.baseAddress else { return }
        for line in range {
          let (plane, row) = (line / rows.inputs, line % rows.inputs)
          let picture = unsafe from + plane * source.rows * width
          unsafe mixed.update(repeating: 0, count: width)
          for tap in rows.starts[row]..<rows.starts[row + 1] {
            unsafe add(picture + rows.positions[tap] * width, rows.weights[tap], to: mixed, width)
          }
          unsafe gather(mixed, to: to + line * length)
        }
      }
    }
  }

  private func add(
    _ row: UnsafePointer<Float>, _ weight: Float, to sum: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    for i in 0..<count { unsafe sum[i] += row[i] * weight }
  }

  /// What the pixels of a row of the input have given to the pixels of a row of the result.
  private func gather(_ row: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>) {
    let depth = source.depth
    unsafe columns.starts.withUnsafeBufferPointer { starts in
      unsafe columns.positions.withUnsafeBufferPointer { positions in
        unsafe columns.weights.withUnsafeBufferPointer { weights in
          for pixel in 0..<columns.inputs {
            let taps = unsafe starts[pixel]..<starts[pixel + 1]
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
}
