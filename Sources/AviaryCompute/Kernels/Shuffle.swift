import AviaryGraph
import AviaryThreads

/// The correspondence of a picture with r² · C channels and one of C channels r times as high and
/// wide.
struct Shuffle {
  private let deepPlaces: ChannelPlaces
  private let widePlaces: ChannelPlaces
  private let factor: Int
  private let order: ChannelOrder
  /// The wide picture's.
  private let channels: Int
  private let pictures: Int
  /// The deep picture's.
  private let rows: Int
  private let columns: Int

  init(deep: IRGraph.Value, wide: IRGraph.Value, factor: Int, _ order: ChannelOrder) {
    deepPlaces = ChannelPlaces(deep.shape, deep.memoryFormat)
    widePlaces = ChannelPlaces(wide.shape, wide.memoryFormat)
    (self.factor, self.order) = (factor, order)
    (pictures, channels) = (wide.shape[0], wide.shape[1])
    (rows, columns) = (deep.shape[2], deep.shape[3])
  }

  /// From the deep picture to the wide one.
  func scatter(
    _ deep: UnsafePointer<Float>, to wide: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    // Neighbours of the deep picture are `factor` pixels apart in the wide one.
    let (from, to) = (deepPlaces.step, widePlaces.step * factor)
    forEachLine(workers) { deepStart, wideStart in
      let source = unsafe deep + deepStart
      let target = unsafe wide + wideStart
      for x in 0..<columns { unsafe target[x * to] = source[x * from] }
    }
  }

  /// From the wide picture to the deep one.
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

  /// Calls `body` with where a row of one channel begins in the deep picture, and where its first
  /// pixel goes in the wide one.
  private func forEachLine(_ workers: ThreadPool, _ body: (Int, Int) -> Void) {
    workers.split(pictures * rows, cost: columns * channels * factor * factor) { range in
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
