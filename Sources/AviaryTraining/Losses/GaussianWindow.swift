#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A Gaussian window along both axes, normalised to sum 1: the weights of SSIM. It lies entirely
/// inside the image, so there are fewer windows than pixels.
struct GaussianWindow: Sendable {
  /// The weights along an axis.
  let weights: [Double]
  /// The side, in pixels.
  var size: Int { weights.count }

  /// - Parameters:
  ///   - size: in pixels, odd.
  ///   - deviation: in pixels.
  init(size: Int, deviation: Double) {
    let weights = (0..<size).map { i in
      let distance = Double(i - size / 2) / deviation
      return exp(-distance * distance / 2)
    }
    let sum = weights.reduce(0, +)
    self.weights = weights.map { $0 / sum }
  }

  /// The weighted means of a plane of height x width, (height - size + 1) x (width - size + 1) of
  /// them.
  ///
  /// - Parameter temporary: scratch space for height x (width - size + 1).
  func average(
    _ plane: UnsafeMutablePointer<Double>, height: Int, width: Int,
    _ temporary: UnsafeMutablePointer<Double>, to means: UnsafeMutablePointer<Double>
  ) {
    let columns = width - size + 1, rows = height - size + 1
    unsafe temporary.update(repeating: 0, count: height * columns)
    for y in 0..<height {
      for (k, weight) in weights.enumerated() {
        unsafe Self.add(plane + y * width + k, weight, to: temporary + y * columns, columns)
      }
    }
    unsafe means.update(repeating: 0, count: rows * columns)
    for y in 0..<rows {
      for (k, weight) in weights.enumerated() {
        unsafe Self.add(temporary + (y + k) * columns, weight, to: means + y * columns, columns)
      }
    }
  }

  /// The transpose of `average`: every pixel gets the weighted sum of the values of all windows
  /// that contain it.
  func spread(
    _ means: UnsafeMutablePointer<Double>, height: Int, width: Int,
    _ temporary: UnsafeMutablePointer<Double>, to plane: UnsafeMutablePointer<Double>
  ) {
    let columns = width - size + 1, rows = height - size + 1
    unsafe temporary.update(repeating: 0, count: height * columns)
    for y in 0..<rows {
      for (k, weight) in weights.enumerated() {
        unsafe Self.add(means + y * columns, weight, to: temporary + (y + k) * columns, columns)
      }
    }
    unsafe plane.update(repeating: 0, count: height * width)
    for y in 0..<height {
      for (k, weight) in weights.enumerated() {
        unsafe Self.add(temporary + y * columns, weight, to: plane + y * width + k, columns)
      }
    }
  }

  /// Adds a run of numbers, times a weight, to another: a vectorisable loop along either axis.
  @inline(__always)
  private static func add(
    _ from: UnsafeMutablePointer<Double>, _ weight: Double, to sums: UnsafeMutablePointer<Double>,
    _ count: Int
  ) {
    for i in 0..<count { unsafe sums[i] += from[i] * weight }
  }
}
