internal import AviaryGraph
internal import AviaryTensor

/// From one network's values of pictures to another's: a factor and an offset for each channel, one
/// channel repeated where three are wanted.
///
/// A network's value is (black + brightness · (white - black) - mean) / deviation; here the
/// brightness is found and put into the other network's terms.
struct ImageSpace: Sendable {
  /// Of which channel of the source each channel of the destination is made.
  let sources: [Int]
  let factors: [Double]
  let offsets: [Double]
  /// Channels of the source.
  let channels: Int

  /// - Throws: `TrainingError.training` for colours that cannot be made of the source's.
  init(
    _ name: String, from source: ImageSpec, to destination: ImageSpec
  ) throws(TrainingError) {
    guard source.output == .picture else {
      throw .training(
        name, expected: "a network that gives pictures", found: "one that gives \(source.output)")
    }
    let count = destination.colour.channels
    guard source.colour == destination.colour || source.colour.channels == 1 else {
      throw .training(
        name, expected: "pictures in \(destination.colour.rawValue), gray or luma",
        found: source.colour.rawValue)
    }
    channels = source.colour.channels
    sources = (0..<count).map { min($0, source.colour.channels - 1) }
    var (factors, offsets): ([Double], [Double]) = ([], [])
    for (channel, origin) in sources.enumerated() {
      let (inner, shift) = source.affine(origin)
      let (outer, black) = destination.affine(channel)
      // value = brightness · factor + shift, in both.
      factors.append(outer / inner)
      offsets.append(black - shift * outer / inner)
    }
    (self.factors, self.offsets) = (factors, offsets)
  }

  /// The pictures as the other network takes them.
  func apply(_ pictures: Tensor) throws -> Tensor {
    let shape = pictures.shape
    let plane = shape[2] * shape[3]
    var result = try Tensor(zeros: [shape[0], sources.count, shape[2], shape[3]])
    unsafe pictures.withFloats { x in
      unsafe result.withMutableFloats { y in
        for n in 0..<shape[0] {
          for (channel, source) in sources.enumerated() {
            let (factor, offset) = (Float(factors[channel]), Float(offsets[channel]))
            let from = (n * shape[1] + source) * plane
            let to = (n * sources.count + channel) * plane
            for i in 0..<plane { unsafe y[to + i] = x[from + i] * factor + offset }
          }
        }
      }
    }
    return result
  }

  /// The gradient by the pictures of a gradient by what `apply` made of them.
  ///
  /// - Parameter shape: that of the pictures.
  func applyBackward(_ gradient: Tensor, shape: [Int]) throws -> Tensor {
    let plane = shape[2] * shape[3]
    var result = try Tensor(zeros: shape)
    unsafe gradient.withFloats { y in
      unsafe result.withMutableFloats { x in
        for n in 0..<shape[0] {
          for (channel, source) in sources.enumerated() {
            let factor = Float(factors[channel])
            let to = (n * shape[1] + source) * plane
            let from = (n * sources.count + channel) * plane
            for i in 0..<plane { unsafe x[to + i] += y[from + i] * factor }
          }
        }
      }
    }
    return result
  }
}

extension ImageSpec {
  /// A channel's values are brightness · factor + offset, for a brightness of 0 (black) to 1 (white).
  func affine(_ channel: Int) -> (factor: Double, offset: Double) {
    let deviation = channel < deviation.count ? deviation[channel] : 1
    let mean = channel < mean.count ? mean[channel] : 0
    return (
      (range.upperBound - range.lowerBound) / deviation, (range.lowerBound - mean) / deviation
    )
  }
}
