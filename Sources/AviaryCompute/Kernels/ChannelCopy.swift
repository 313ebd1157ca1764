import AviaryThreads

/// Copies some channels of one value to some channels of another of the same memory format.
struct ChannelCopy {
  /// How many stretches of memory are copied, how long each is, and how they lie.
  private let lines: Int
  private let length: Int
  private let source: (first: Int, step: Int)
  private let destination: (first: Int, step: Int)

  /// - Parameters:
  ///   - first: the first channel that is copied.
  ///   - start: the channel to which it goes.
  init(
    source: IRGraph.Value, first: Int, destination: IRGraph.Value, to start: Int, count: Int
  ) {
    let shape = source.shape
    let pixels = shape[2...].reduce(1, *)
    // Several narrow numbers are moved as one float.
    func floats(_ count: Int) -> Int { count * source.format.dataType.size / DataType.float32.size }
    switch source.memoryFormat {
    case .nhwc:
      (lines, length) = (shape[0] * pixels, floats(count))
      self.source = (floats(first), floats(shape[1]))
      self.destination = (floats(start), floats(destination.shape[1]))
    case .nchw, .nChw16c:
      // A channel's pixels lie together, or those of a block of channels. Blocks are never cut:
      // a blocked value has whole blocks only, and so have all that meet it.
      (lines, length) = (shape[0], floats(count * pixels))
      self.source = (floats(first * pixels), floats(shape[1] * pixels))
      self.destination = (floats(start * pixels), floats(destination.shape[1] * pixels))
    }
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
