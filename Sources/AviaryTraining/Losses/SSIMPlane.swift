/// The similarity of two planes and its gradient, in memory that is reused from plane to plane.
///
/// With all means over a window: S = (2 μx μy + C₁)(2 σxy + C₂) / ((μx² + μy² + C₁)(σx² + σy² + C₂)).
/// In double precision, because σx² = mean(x²) - μx² loses most of its digits where an image is
/// flat.
@safe struct SSIMPlane: ~Copyable {
  private let height: Int
  private let width: Int
  private let memory: UnsafeMutablePointer<Double>
  // With the size of the planes.
  private let x, y, product, temporary, spread: UnsafeMutablePointer<Double>
  // One number per window; the first three are overwritten with derivatives.
  private let meanX, meanXX, meanXY, meanY, meanYY: UnsafeMutablePointer<Double>

  private static let c1 = 0.01 * 0.01
  private static let c2 = 0.03 * 0.03

  init(height: Int, width: Int) {
    let plane = height * width
    unsafe memory = .allocate(capacity: 10 * plane)
    unsafe memory.initialize(repeating: 0, count: 10 * plane)
    unsafe (x, y, product) = (memory, memory + plane, memory + 2 * plane)
    unsafe (temporary, spread) = (memory + 3 * plane, memory + 4 * plane)
    unsafe (meanX, meanXX, meanXY) = (
      memory + 5 * plane, memory + 6 * plane, memory + 7 * plane
    )
    unsafe (meanY, meanYY) = (memory + 8 * plane, memory + 9 * plane)
    (self.height, self.width) = (height, width)
  }

  deinit { unsafe memory.deallocate() }

  /// The sum of the similarities of all windows.
  ///
  /// - Parameters:
  ///   - result: a plane's values, height x width.
  ///   - target: the other plane's values.
  ///   - factor: value = brightness · factor + offset.
  ///   - gradient: receives the derivatives with respect to `result`, times `weight`.
  func similarity(
    of result: UnsafeBufferPointer<Float>, and target: UnsafeBufferPointer<Float>, factor: Double,
    offset: Double, _ window: GaussianWindow, weight: Double,
    gradient: UnsafeMutableBufferPointer<Float>
  ) -> Double {
    let count = height * width
    for i in 0..<count {
      unsafe x[i] = (Double(result[i]) - offset) / factor
      unsafe y[i] = (Double(target[i]) - offset) / factor
    }
    unsafe average(x, window, to: meanX)
    unsafe average(y, window, to: meanY)
    for i in 0..<count { unsafe product[i] = x[i] * x[i] }
    unsafe average(product, window, to: meanXX)
    for i in 0..<count { unsafe product[i] = y[i] * y[i] }
    unsafe average(product, window, to: meanYY)
    for i in 0..<count { unsafe product[i] = x[i] * y[i] }
    unsafe average(product, window, to: meanXY)
    let sum = differentiate((height - window.size + 1) * (width - window.size + 1))

    // With respect to a pixel: through the mean of x, of x² (twice the pixel) and of xy (the other
    // pixel).
    let scale = weight / factor
    unsafe spread(meanX, window)
    for i in 0..<count { unsafe product[i] = spread[i] }
    unsafe spread(meanXX, window)
    for i in 0..<count { unsafe product[i] += 2 * x[i] * spread[i] }
    unsafe spread(meanXY, window)
    for i in 0..<count {
      unsafe gradient[i] = Float((product[i] + y[i] * spread[i]) * scale)
    }
    return sum
  }

  /// Returns the sum of the similarities, and replaces the means of x, x² and xy by the derivatives
  /// with respect to them.
  private func differentiate(_ windows: Int) -> Double {
    var sum = 0.0
    for i in 0..<windows {
      let (mx, my) = unsafe (meanX[i], meanY[i])
      let a1 = 2 * mx * my + Self.c1
      let a2 = unsafe 2 * (meanXY[i] - mx * my) + Self.c2
      let b1 = mx * mx + my * my + Self.c1
      let b2 = unsafe meanXX[i] - mx * mx + meanYY[i] - my * my + Self.c2
      let share = 1 / (b1 * b2)
      let similarity = a1 * a2 * share
      sum += similarity
      unsafe meanX[i] = 2 * my * (a2 - a1) * share + 2 * mx * similarity * (1 / b2 - 1 / b1)
      unsafe meanXX[i] = -similarity / b2
      unsafe meanXY[i] = 2 * a1 * share
    }
    return sum
  }

  private func average(
    _ plane: UnsafeMutablePointer<Double>, _ window: GaussianWindow,
    to means: UnsafeMutablePointer<Double>
  ) {
    unsafe window.average(plane, height: height, width: width, temporary, to: means)
  }

  private func spread(_ means: UnsafeMutablePointer<Double>, _ window: GaussianWindow) {
    unsafe window.spread(means, height: height, width: width, temporary, to: spread)
  }
}
