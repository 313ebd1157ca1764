import CKernels
import AviaryThreads

/// Makes rows of weighted sums of rows, and columns of columns: interpolation, padding by repeated
/// pixels, and the adjoint of either.
///
/// Every pixel of the result gathers what it is made of, so that threads never write to one place,
/// and sums are always in the same order. Columns go tap by tap, while between rows whole stretches
/// of memory are added: what is enlarged goes along columns first, everything else along rows.
struct Interpolation {
  private let source: Grid
  private let rows: TapLists
  private let columns: TapLists

  /// - Parameters:
  ///   - source: the shape of what is taken.
  ///   - rows: of which rows of the source each row of the result is made.
  ///   - columns: of which columns of the source each column of the result is made.
  init(source: Grid, rows: TapLists, columns: TapLists) {
    (self.source, self.rows, self.columns) = (source, rows, columns)
  }

  /// The elements of an output row.
  private var length: Int { columns.count * source.depth }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let isEnlarging = rows.count >= source.rows
    workers.split(
      source.planes * rows.count, cost: source.rowCount * rows.most + length * columns.most
    ) { range in
      if isEnlarging {
        unsafe enlarge(from, to: to, range)
      } else {
        unsafe reduce(from, to: to, range)
      }
    }
  }

  /// Each output row is a mixture of rows, of which columns are then mixed.
  private func reduce(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ range: Range<Int>
  ) {
    let width = source.rowCount
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { mixed in
      guard let mixed = mixed.baseAddress else { return }
      for line in range {
        let (plane, row) = line.quotientAndRemainder(dividingBy: rows.count)
        let picture = unsafe from + plane * source.rows * width
        unsafe mixed.update(repeating: 0, count: width)
        for tap in rows.starts[row]..<rows.starts[row + 1] {
          unsafe aviary_add_row(
            picture + rows.positions[tap] * width, rows.weights[tap], mixed, width)
        }
        unsafe gather(mixed, to: to + line * length)
      }
    }
  }

  /// Each output row is a mixture of rows with their columns mixed, of which the last few are kept:
  /// an input row serves several output rows.
  private func enlarge(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ range: Range<Int>
  ) {
    // Those of one output row mostly lie side by side: as many as it has taps.
    let places = max(rows.most, 1)
    var kept = [Int](repeating: -1, count: places)
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: length * places) { memory in
      guard let memory = memory.baseAddress else { return }
      for line in range {
        let (plane, row) = line.quotientAndRemainder(dividingBy: rows.count)
        let target = unsafe to + line * length
        unsafe target.update(repeating: 0, count: length)
        for tap in rows.starts[row]..<rows.starts[row + 1] where rows.weights[tap] != 0 {
          let inputRow = plane * source.rows + rows.positions[tap]
          let place = rows.positions[tap] % places
          let mixed = unsafe memory + place * length
          if kept[place] != inputRow {
            unsafe gather(from + inputRow * source.rowCount, to: mixed)
            kept[place] = inputRow
          }
          unsafe aviary_add_row(mixed, rows.weights[tap], target, length)
        }
      }
    }
  }

  /// Mixes the columns of a row.
  private func gather(_ row: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>) {
    unsafe aviary_gather_row(
      row, columns.starts, columns.positions, columns.weights, columns.isEven ? columns.most : 0,
      columns.count, source.depth, result)
  }
}
