import AviaryThreads

/// Sets elements to zero with a probability, and makes up for it in the others (Srivastava et al.,
/// "Dropout", 2014; scaled in training, as every framework does).
///
/// Which ones is a function of the seed, the node and the element's place in the value, whatever
/// the memory format. Nothing has to be kept for the backward pass, which multiplies by the same
/// numbers.
struct DropoutKernel {
  private let value: IRGraph.Value
  private let node: UInt64
  private let threshold: UInt64
  private let factor: Float

  /// - Parameters:
  ///   - value: what is dropped of.
  ///   - rate: the probability, from 0 to less than 1.
  ///   - node: the node's name, so that no two nodes drop alike.
  init(_ value: IRGraph.Value, rate: Double, node: String) {
    self.value = value
    // FNV-1a: the same in every run, which Swift's own hashes are not.
    self.node = node.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    threshold = UInt64((rate * 0x1p32).rounded())
    factor = Float(1 / (1 - rate))
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, seed: UInt64,
    _ workers: ThreadPool
  ) {
    let key = DropoutKernel.mixed(seed &+ node)
    guard value.memoryFormat != .nchw else {
      workers.split(value.count, cost: 4) { range in
        for i in range { unsafe to[i] = from[i] * self.factor(key, i) }
      }
      return
    }
    let places = ChannelPlaces(value.shape, value.memoryFormat)
    let (channels, pixels) = (value.shape[1], value.shape[2] * value.shape[3])
    workers.split(value.shape[0] * pixels, cost: channels * 4) { range in
      for line in range {
        let (picture, pixel) = (line / pixels, line % pixels)
        for channel in 0..<channels {
          let place = picture * places.picture + places.offsets[channel] + pixel * places.step
          let number = (picture * channels + channel) * pixels + pixel
          unsafe to[place] = from[place] * factor(key, number)
        }
      }
    }
  }

  /// What the element of this number, in row-major order of the shape, is multiplied by.
  @inline(__always)
  private func factor(_ key: UInt64, _ number: Int) -> Float {
    let random = DropoutKernel.mixed(
      key &+ UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15)
    return random >> 32 >= threshold ? factor : 0
  }

  /// The finalizer of SplitMix64: neighbouring numbers become unrelated ones.
  @inline(__always)
  private static func mixed(_ number: UInt64) -> UInt64 {
    var z = number
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
