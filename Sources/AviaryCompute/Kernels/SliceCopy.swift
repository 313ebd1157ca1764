import AviaryThreads

/// Copies a range along a dimension of one value, by default its channels, to a range of another of
/// the same memory format.
struct SliceCopy {
  /// How many stretches of memory are copied, how long each is, and how they lie.
  private let lines: Int
  private let length: Int
  private let source: (first: Int, step: Int)
  private let destination: (first: Int, step: Int)

  /// - Parameters:
  ///   - first: the first element along the dimension that is copied.
  ///   - start: the place to which it goes.
  init(
    source: IRGraph.Value, first: Int, destination: IRGraph.Value, to start: Int, count: Int,
    dimension: Int = 1
  ) {
    let shape = source.shape
    // Several narrow numbers are moved as one float.
    func floats(_ count: Int) -> Int { count * source.format.dataType.size / DataType.float32.size }
    // What lies together of one element along the dimension. Blocks of channels are never cut: an
    // nChw16c value has whole blocks only, and so have all that meet it.
    let depth =
      switch (source.memoryFormat, dimension) {
      case (.nchw, _), (.nChw16c, 0), (.nChw16c, 1), (.nhwc, 0):
        shape[(dimension + 1)...].reduce(1, *)
      case (.nhwc, 1): 1
      case (.nhwc, _): shape[(dimension + 1)...].reduce(shape[1], *)
      case (.nChw16c, _): shape[(dimension + 1)...].reduce(MemoryFormat.block, *)
      }
    lines = source.count / (shape[dimension] * depth)
    length = floats(count * depth)
    self.source = (floats(first * depth), floats(shape[dimension] * depth))
    self.destination = (floats(start * depth), floats(destination.shape[dimension] * depth))
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    guard lines < workers.count * 4, length >= 1 << 16 else {
      workers.split(lines, cost: length) { range in
        for line in range {
          unsafe (to + destination.first + line * destination.step)
            .update(from: from + source.first + line * source.step, count: length)
        }
      }
      return
    }
    // Few long stretches: each is divided.
    for line in 0..<lines {
      workers.split(length) { range in
        let input = unsafe from + source.first + line * source.step
        let output = unsafe to + destination.first + line * destination.step
        unsafe (output + range.lowerBound)
          .update(from: input + range.lowerBound, count: range.count)
      }
    }
  }
}

/// The sum of each channel over images and pixels: the gradient of what is added to each.
///
/// A channel is summed by one thread in one order, so that the result does not depend on how many
/// there are; in double precision, as a batch has a million pixels.
struct ChannelSum {
  private let grid: Grid
  private let channels: Int
  private let images: Int

  init(_ shape: [Int], _ memoryFormat: MemoryFormat) {
    grid = Grid(shape, memoryFormat)
    (images, channels) = (shape[0], shape[1])
  }

  func run(
    _ source: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    // Channels that lie side by side are summed side by side, so many at a time.
    let width = min(grid.depth, MemoryFormat.block)
    let blocks = (grid.depth + width - 1) / width
    let planes = grid.planes / images
    let pixels = grid.rows * grid.columns
    workers.split(planes * blocks, cost: images * pixels * width) { range in
      for part in range {
        let (plane, first) = (part / blocks, part % blocks * width)
        let count = min(width, grid.depth - first)
        var totals = SIMD16<Double>()
        for image in 0..<images {
          let start =
            unsafe source + (image * planes + plane) * pixels * grid.depth + first
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
