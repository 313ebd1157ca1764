import AviaryGraph
import AviaryThreads
import CKernels

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
        let image = unsafe from + plane * source.rows * width
        unsafe mixed.update(repeating: 0, count: width)
        for tap in rows.starts[row]..<rows.starts[row + 1] {
          unsafe aviary_add_row(
            image + rows.positions[tap] * width, rows.weights[tap], mixed, width)
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

#if canImport(Glibc)
  import Glibc
#endif

/// Of which input pixels along an axis each output pixel is made, and with what weights.
struct PixelTaps {
  /// How many taps each output pixel has: the same number for all, some with weight 0.
  let count: Int
  /// Those of output pixel o from `o · count` on.
  private(set) var positions: [Int] = []
  private(set) var weights: [Float] = []

  init(_ resize: Resize, from size: Int, to newSize: Int) {
    // Input pixels per output pixel, as a fraction, so that nothing is rounded before the nearest
    // pixel is chosen. A factor is what it says also where the size is rounded down.
    let (above, below) =
      switch (resize.coordinates, resize.target) {
      case (.alignCorners, _): newSize > 1 ? (size - 1, newSize - 1) : (0, 1)
      case (_, .factor(let factor)): (factor.denominator, factor.numerator)
      case (_, .sizeOfSecondInput): (size, newSize)
      }
    if case .nearest = resize.kernel {
      count = 1
      positions = (0..<newSize).map { output in
        // PyTorch's 'nearest' takes the pixel in which an asymmetric coordinate lies; its
        // 'nearest-exact', and everybody's aligned corners, the pixel whose centre is nearest.
        let nearest =
          switch resize.coordinates {
          case .asymmetric: output * above / below
          case .halfPixel: (2 * output + 1) * above / (2 * below)
          case .alignCorners: (2 * output * above + below) / (2 * below)
          }
        return resize.inside(nearest, size)
      }
      weights = [Float](repeating: 1, count: newSize)
      return
    }
    let step = Double(above) / Double(below)
    let shift = resize.coordinates == .halfPixel ? 0.5 * step - 0.5 : 0
    let widening = resize.antialias ? max(step, 1) : 1
    let reach = resize.support * widening
    // The kernel is 0 at its ends: so many integers lie strictly between them.
    count = Int((2 * reach).rounded(.up))
    positions.reserveCapacity(newSize * count)
    weights.reserveCapacity(newSize * count)
    for output in 0..<newSize {
      let place = Double(output) * step + shift
      let first = Int((place - reach).rounded(.down)) + 1
      let parts = (first..<first + count).map {
        resize.weight((place - Double($0)) / widening)
      }
      // Weights are made to sum to 1, as MATLAB, PIL and PyTorch do.
      let sum = parts.reduce(0, +)
      for (i, part) in parts.enumerated() {
        positions.append(resize.inside(first + i, size))
        weights.append(Float(part / sum))
      }
    }
  }
}

extension Resize {
  /// The pixel that stands for one beyond the edges.
  fileprivate func inside(_ position: Int, _ size: Int) -> Int {
    switch edge {
    case .edge: return min(max(position, 0), size - 1)
    case .symmetric:
      let period = ((position % (2 * size)) + 2 * size) % (2 * size)
      return period < size ? period : 2 * size - 1 - period
    }
  }

  /// The distance from which on the kernel is 0.
  fileprivate var support: Double {
    switch kernel {
    case .nearest: 0.5
    case .linear: 1
    case .cubic: 2
    case .lanczos(let lobes): Double(lobes)
    }
  }

  /// The kernel at a distance.
  fileprivate func weight(_ distance: Double) -> Double {
    let x = distance.magnitude
    guard x < support else { return 0 }
    switch kernel {
    case .nearest: return 1
    case .linear: return 1 - x
    case .cubic(let a):
      return x < 1
        ? ((a + 2) * x - (a + 3)) * x * x + 1 : a * (((x - 5) * x + 8) * x - 4)
    case .lanczos(let lobes): return sinc(x) * sinc(x / Double(lobes))
    }
  }

  private func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
}

/// Of which pixels along an axis each pixel of a result is made, and with what weights.
struct TapLists {
  /// The taps of pixel i lie from `starts[i]` up to `starts[i + 1]`.
  private(set) var starts: [Int]
  private(set) var positions: [Int]
  private(set) var weights: [Float]
  /// The most taps that a pixel has.
  let most: Int
  /// Whether each has as many.
  let isEven: Bool

  /// The number of lists.
  var count: Int { starts.count - 1 }

  /// Those of interpolation.
  init(_ taps: PixelTaps) {
    starts = Array(stride(from: 0, through: taps.positions.count, by: taps.count))
    (positions, weights) = (taps.positions, taps.weights)
    (most, isEven) = (taps.count, true)
  }

  /// Those of means over ranges of pixels.
  ///
  /// - Parameter windows: the pixels, and what their sum is divided by.
  init(_ windows: [MeanLists.Window]) {
    starts = [0]
    (positions, weights) = ([], [])
    for window in windows {
      positions += window.pixels
      weights += Array(repeating: 1 / Float(window.count), count: window.pixels.count)
      starts.append(positions.count)
    }
    let most = windows.lazy.map(\.pixels.count).max() ?? 0
    (self.most, isEven) = (most, windows.allSatisfy { $0.pixels.count == most })
  }

  /// The adjoint of lists of taps.
  ///
  /// - Parameter inputs: how many input pixels there are along the axis.
  init(transposing lists: TapLists, inputs: Int) {
    self.init(
      (0..<lists.count).flatMap { list in
        (lists.starts[list]..<lists.starts[list + 1]).map {
          (lists.positions[$0], list, lists.weights[$0])
        }
      }, inputs: inputs)
  }

  /// The adjoint: to which output pixels each input pixel has given something.
  ///
  /// - Parameter inputs: how many input pixels there are along the axis.
  init(transposing taps: PixelTaps, inputs: Int) {
    self.init(
      taps.positions.indices.lazy.map { (taps.positions[$0], $0 / taps.count, taps.weights[$0]) },
      inputs: inputs)
  }

  /// The adjoint of repetition.
  ///
  /// - Parameters:
  ///   - sources: for each output pixel the input pixel that it repeats; -1 for none.
  ///   - inputs: how many input pixels there are along the axis.
  init(transposing sources: [Int], inputs: Int) {
    self.init(sources.indices.lazy.map { (sources[$0], $0, 1) }, inputs: inputs)
  }

  /// Triples of an input pixel, an output pixel and a weight, sorted into lists by counting: within
  /// a list they stay in order, so that sums are always in the same order.
  private init(_ taps: some Collection<(Int, Int, Float)>, inputs: Int) {
    starts = Array(repeating: 0, count: inputs + 1)
    // Taps without weight, which fill up rows of taps, would cost time.
    for (input, _, weight) in taps where input >= 0 && weight != 0 { starts[input + 1] += 1 }
    let counts = starts.dropFirst()
    most = counts.max() ?? 0
    isEven = counts.min() == most
    for i in 0..<inputs { starts[i + 1] += starts[i] }
    var ends = starts
    positions = Array(repeating: 0, count: starts[inputs])
    weights = Array(repeating: 0, count: starts[inputs])
    for (input, output, weight) in taps where input >= 0 && weight != 0 {
      positions[ends[input]] = output
      weights[ends[input]] = weight
      ends[input] += 1
    }
  }
}
