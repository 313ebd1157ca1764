import AviaryGraph
import AviaryThreads
import CKernels

/// Writes the pixels of a small image to every so many pixels of a large one.
struct Interleave {
  /// The small image.
  let source: Grid
  /// The large image, of as many planes and as deep.
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

/// The correspondence of an image with r² · C channels and one of C channels r times as high and
/// wide.
struct Shuffle {
  private let deepPlaces: ChannelPlaces
  private let widePlaces: ChannelPlaces
  private let factor: Int
  private let order: ChannelOrder
  /// The wide image's.
  private let channels: Int
  private let images: Int
  /// The deep image's.
  private let rows: Int
  private let columns: Int

  init(deep: IRGraph.Value, wide: IRGraph.Value, factor: Int, _ order: ChannelOrder) {
    deepPlaces = ChannelPlaces(deep.shape, deep.memoryFormat)
    widePlaces = ChannelPlaces(wide.shape, wide.memoryFormat)
    (self.factor, self.order) = (factor, order)
    (images, channels) = (wide.shape[0], wide.shape[1])
    (rows, columns) = (deep.shape[2], deep.shape[3])
  }

  /// From the deep image to the wide one.
  func scatter(
    _ deep: UnsafePointer<Float>, to wide: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    // Neighbours of the deep image are `factor` pixels apart in the wide one.
    let (from, to) = (deepPlaces.step, widePlaces.step * factor)
    forEachLine(workers) { deepStart, wideStart in
      let source = unsafe deep + deepStart
      let target = unsafe wide + wideStart
      for x in 0..<columns { unsafe target[x * to] = source[x * from] }
    }
  }

  /// From the wide image to the deep one.
  func gather(
    _ wide: UnsafePointer<Float>, to deep: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let (from, to) = (widePlaces.step * factor, deepPlaces.step)
    forEachLine(workers) { deepStart, wideStart in
      let source = unsafe wide + wideStart
      let target = unsafe deep + deepStart
      for x in 0..<columns { unsafe target[x * to] = source[x * from] }
    }
  }

  /// Calls `body` with where a row of one channel begins in the deep image, and where its first
  /// pixel goes in the wide one.
  private func forEachLine(_ workers: ThreadPool, _ body: (Int, Int) -> Void) {
    workers.split(images * rows, cost: columns * channels * factor * factor) { range in
      for line in range {
        let (picture, y) = (line / rows, line % rows)
        for i in 0..<factor {
          for channel in 0..<channels {
            for j in 0..<factor {
              let deepChannel =
                switch order {
                case .pytorch: (channel * factor + i) * factor + j
                case .tensorflow: (i * factor + j) * channels + channel
                }
              let deep =
                picture * deepPlaces.picture + deepPlaces.offsets[deepChannel]
                + y * columns * deepPlaces.step
              let wide =
                picture * widePlaces.picture + widePlaces.offsets[channel]
                + ((y * factor + i) * columns * factor + j) * widePlaces.step
              body(deep, wide)
            }
          }
        }
      }
    }
  }
}

/// Moves elements round along dimensions, those that leave coming in on the other side.
struct RollKernel {
  private let shape: [Int]
  /// How far along each dimension, from 0 to less than its size.
  private let shifts: [Int]

  /// - Parameter shifts: by dimension; forwards where positive.
  init(_ shape: [Int], _ shifts: [Int: Int]) {
    self.shape = shape
    self.shifts = shape.enumerated().map { dimension, size in
      let shift = (shifts[dimension] ?? 0) % size
      return shift < 0 ? shift + size : shift
    }
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    guard let length = shape.last, let shift = shifts.last else { return }
    workers.split(shape.dropLast().reduce(1, *), cost: length) { range in
      for row in range {
        let source = unsafe from + self.source(ofRow: row) * length
        // Along the last dimension a row is two stretches of memory, one of them perhaps empty.
        let target = unsafe to + row * length
        unsafe (target + shift).update(from: source, count: length - shift)
        unsafe target.update(from: source + length - shift, count: shift)
      }
    }
  }

  /// The row of the input that comes to a row of the result.
  private func source(ofRow row: Int) -> Int {
    var (rest, stride, result) = (row, 1, 0)
    for i in shape.indices.dropLast().reversed() {
      let index = rest % shape[i]
      rest /= shape[i]
      result += (index >= shifts[i] ? index - shifts[i] : index - shifts[i] + shape[i]) * stride
      stride *= shape[i]
    }
    return result
  }
}
