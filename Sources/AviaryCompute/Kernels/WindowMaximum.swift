import AviaryGraph
import AviaryThreads

/// The largest value of each of the windows of adaptive pooling, and what they give back.
struct WindowMaximum {
  private let input: Grid
  private let result: Grid
  private let rows: [Range<Int>]
  private let columns: [Range<Int>]

  init(input: Grid, result: Grid) {
    (self.input, self.result) = (input, result)
    rows = AdaptivePool.windows(input.rows, to: result.rows)
    columns = AdaptivePool.windows(input.columns, to: result.columns)
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(result.planes * result.rows, cost: input.count / (result.planes * result.rows)) {
      range in
      for line in range {
        let (plane, row) = line.quotientAndRemainder(dividingBy: result.rows)
        for column in 0..<result.columns {
          for lane in 0..<result.depth {
            let place = unsafe largest(from, plane, row, column, lane)
            unsafe to[(line * result.columns + column) * result.depth + lane] = from[place]
          }
        }
      }
    }
  }

  /// Windows may have pixels in common, so that a plane is done by one thread.
  func runBackward(
    _ gradient: UnsafePointer<Float>, _ from: UnsafePointer<Float>,
    to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let size = input.rows * input.rowCount
    workers.split(result.planes, cost: size) { range in
      for plane in range {
        unsafe (to + plane * size).update(repeating: 0, count: size)
        for row in 0..<result.rows {
          let line = plane * result.rows + row
          for column in 0..<result.columns {
            for lane in 0..<result.depth {
              let place = unsafe largest(from, plane, row, column, lane)
              unsafe to[place] +=
                gradient[
                  (line * result.columns + column) * result.depth + lane]
            }
          }
        }
      }
    }
  }

  /// Where the largest value of a window lies, the first of several; NaN is the largest.
  private func largest(
    _ from: UnsafePointer<Float>, _ plane: Int, _ row: Int, _ column: Int, _ lane: Int
  ) -> Int {
    func place(_ y: Int, _ x: Int) -> Int {
      ((plane * input.rows + y) * input.columns + x) * input.depth + lane
    }
    var best = place(rows[row].lowerBound, columns[column].lowerBound)
    for y in rows[row] {
      for x in columns[column] {
        let candidate = place(y, x)
        let value = unsafe from[candidate]
        if value.isNaN { return candidate }
        if unsafe value > from[best] { best = candidate }
      }
    }
    return best
  }
}
