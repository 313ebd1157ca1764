public import AviaryGraph
public import AviaryTensor

/// 1 - SSIM, the mean over all channels and all 11x11 windows that lie entirely inside the image,
/// with Gaussian weights of deviation 1.5.
///
/// Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment: From Error Visibility to Structural
/// Similarity (2004), with K₁ = 0.01 and K₂ = 0.03. Pixels are compared as brightness from 0 to 1,
/// whatever values the network has for them.
public struct SSIMLoss: Loss {
  /// `ssim`
  public let name = "ssim"
  private let picture: ImageSpec
  private static let window = GaussianWindow(size: 11, deviation: 1.5)

  /// - Parameter image: the image description of results and targets; by default, values from 0
  ///   to 1.
  public init(picture: ImageSpec = ImageSpec(.rgb)) { self.picture = picture }

  /// - Throws: `TrainingError.patch` for results smaller than the window.
  public func prepare(for shape: [Int]) throws(TrainingError) {
    let size = Self.window.size
    guard shape.count == 4, shape[2] >= size, shape[3] >= size else {
      throw .patch(
        results: Array(shape.suffix(2)), part: "the loss \(name)",
        problem: "its window is \(size)x\(size)")
    }
  }

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes, or images smaller than the
  ///   window.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.check(name, result, target)
    let shape = result.shape, size = Self.window.size
    guard shape.count == 4, shape[2] >= size, shape[3] >= size else {
      throw TrainingError.training(
        name, expected: "images of \(size)x\(size) pixels at least", found: "\(shape)")
    }
    let plane = shape[2] * shape[3]
    let windows = (shape[2] - size + 1) * (shape[3] - size + 1)
    let weight = 1 / Double(shape[0] * shape[1] * windows)
    let planes = SSIMPlane(height: shape[2], width: shape[3])
    var gradient = try Tensor(zeros: shape)
    var sum = 0.0
    unsafe result.withFloats { x in
      unsafe target.withFloats { y in
        unsafe gradient.withMutableFloats { g in
          for i in 0..<shape[0] * shape[1] {
            let range = i * plane..<(i + 1) * plane
            let (factor, offset) = picture.affine(i % shape[1])
            unsafe sum += planes.similarity(
              of: UnsafeBufferPointer(rebasing: x[range]),
              and: UnsafeBufferPointer(rebasing: y[range]), factor: factor, offset: offset,
              Self.window, weight: -weight, gradient: UnsafeMutableBufferPointer(rebasing: g[range])
            )
          }
        }
      }
    }
    return LossValue(1 - sum * weight, gradient: gradient)
  }
}

/// The similarity of two planes and its gradient, in memory that is reused from plane to plane.
///
/// With all means over a window: S = (2 μx μy + C₁)(2 σxy + C₂) / ((μx² + μy² + C₁)(σx² + σy² +
/// C₂)). In double precision, because σx² = mean(x²) - μx² loses most of its digits where an image
/// is flat.
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
