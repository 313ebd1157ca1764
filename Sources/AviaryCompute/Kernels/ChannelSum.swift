import AviaryThreads

/// The sum of each channel over pictures and pixels: the gradient of what is added to each.
///
/// A channel is summed by one thread in one order, so that the result does not depend on how many
/// there are; in double precision, as a batch has a million pixels.
struct ChannelSum {
  private let grid: Grid
  private let channels: Int
  private let pictures: Int

  init(_ shape: [Int], _ memoryFormat: MemoryFormat) {
    grid = Grid(shape, memoryFormat)
    (pictures, channels) = (shape[0], shape[1])
  }

  func run(
    _ source: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    // Channels that lie side by side are summed side by side, so many at a time.
    let width = min(grid.depth, MemoryFormat.block)
    let blocks = (grid.depth + width - 1) / width
    let planes = grid.planes / pictures
    let pixels = grid.rows * grid.columns
    workers.split(planes * blocks, cost: pictures * pixels * width) { range in
      for part in range {
        let (plane, first) = (part / blocks, part % blocks * width)
        let count = min(width, grid.depth - first)
        var totals = SIMD16<Double>()
        for picture in 0..<pictures {
          let start =
            unsafe source + (picture * planes + plane) * pixels * grid.depth + first
          if count == MemoryFormat.block {
            for pixel in 0..<pixels {
              let values = unsafe UnsafeRawPointer(start + pixel * grid.depth)
                .loadUnaligned(as: SIMD16<Float>.self)
              totals += SIMD16<Double>(values)
            }
          } else {
            for channel in 0..<count {
              var total = 0.0
              for pixel in 0..<pixels {
                total += Double(unsafe start[pixel * grid.depth + channel])
              }
              totals[channel] += total
            }
          }
        }
        for channel in 0..<count {
          unsafe sums[plane * grid.depth + first + channel] = Float(totals[channel])
        }
      }
    }
  }
}
