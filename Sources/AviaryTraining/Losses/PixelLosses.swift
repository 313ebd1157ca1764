public import AviaryTensor

/// Elementwise losses: the mean of a function of the difference.
enum Pointwise {
  /// The number of elements computed at once, and of partial sums. The order of all additions
  /// depends only on the number of elements, so a loss is the same on any machine.
  typealias Lanes = SIMD8<Float>

  /// The mean of a function of `result - target`, and its derivative with respect to every element
  /// of `result`.
  ///
  /// - Parameter function: maps differences to values and derivatives.
  /// - Throws: `TrainingError.training` for tensors that cannot be compared.
  @inline(__always)
  static func mean(
    _ name: String, _ result: Tensor, _ target: Tensor,
    _ function: (Lanes) -> (values: Lanes, derivatives: Lanes)
  ) throws -> LossValue {
    try check(name, result, target)
    let count = result.count
    let scale = Float(1 / Double(count))
    var gradient = try Tensor(zeros: result.shape)
    var sums = SIMD8<Double>.zero
    unsafe result.withFloats { x in
      unsafe target.withFloats { y in
        unsafe gradient.withMutableFloats { g in
          let whole = count / 8 * 8
          var start = 0
          while start < whole {
            let a = unsafe load(x, start), b = unsafe load(y, start)
            let (values, derivatives) = function(a - b)
            sums += SIMD8<Double>(values)
            unsafe store(derivatives * scale, g, start)
            start += 8
          }
          for i in whole..<count {
            let (values, derivatives) = unsafe function(Lanes(repeating: x[i] - y[i]))
            sums[0] += Double(values[0])
            unsafe g[i] = derivatives[0] * scale
          }
        }
      }
    }
    return LossValue(sums.sum() / Double(count), gradient: gradient)
  }

  /// Throws unless both tensors are float32, of the same shape, and not empty.
  static func check(
    _ name: String, _ result: Tensor, _ target: Tensor
  ) throws(TrainingError) {
    guard result.elementType == .float32, result.count > 0 else {
      throw .training(
        "\(name): result", expected: "float32 elements",
        found: "\(result.elementType) \(result.shape)")
    }
    guard target.elementType == .float32, target.shape == result.shape else {
      throw .training(
        "\(name): target", expected: "float32 \(result.shape)",
        found: "\(target.elementType) \(target.shape)")
    }
  }

  @inline(__always)
  private static func load(_ values: UnsafeBufferPointer<Float>, _ start: Int) -> Lanes {
    unsafe UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped + start)
      .loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  private static func store(
    _ lanes: Lanes, _ values: UnsafeMutableBufferPointer<Float>, _ start: Int
  ) {
    unsafe UnsafeMutableRawPointer(values.baseAddress.unsafelyUnwrapped + start)
      .storeBytes(of: lanes, as: Lanes.self)
  }
}

/// The mean of |result - target|. Its gradient is 0 where they are equal.
public struct L1Loss: Loss {
  /// `l1`
  public let name = "l1"

  /// A loss without parameters.
  public init() {}

  /// Nothing to prepare.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.mean(name, result, target) { difference in
      let sign = Pointwise.Lanes(repeating: 1)
        .replacing(with: -1, where: difference .< 0)
        // NaN differences give NaN gradients.
        .replacing(with: difference, where: .!(difference .< 0) .& .!(difference .> 0))
      return (difference * sign, sign)
    }
  }
}

/// The mean of (result - target)².
public struct L2Loss: Loss {
  /// `l2`
  public let name = "l2"

  /// A loss without parameters.
  public init() {}

  /// Nothing to prepare.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.mean(name, result, target) { ($0 * $0, 2 * $0) }
  }
}

/// The mean of √((result - target)² + ε²): like L1, but smooth where differences are below ε.
///
/// Charbonnier, Blanc-Féraud, Aubert, Barlaud: Two Deterministic Half-Quadratic Regularization
/// Algorithms for Computed Imaging (1994).
public struct CharbonnierLoss: Loss {
  /// `charbonnier`
  public let name = "charbonnier"
  /// Below this, differences count quadratically.
  public let epsilon: Double

  /// - Parameter epsilon: above 0.
  /// - Throws: `TrainingError.recipe` for any other number.
  public init(epsilon: Double) throws(TrainingError) {
    guard epsilon > 0, epsilon.isFinite else {
      throw .recipe(field: "charbonnier.epsilon", expected: "a number above 0", found: "\(epsilon)")
    }
    self.epsilon = epsilon
  }

  /// Nothing to prepare.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    // Never 0, so that equal pixels do not cause a division by zero.
    let square = max(Float(epsilon * epsilon), .leastNormalMagnitude)
    return try Pointwise.mean(name, result, target) { difference in
      let root = (difference * difference + square).squareRoot()
      return (root, difference / root)
    }
  }
}

/// The mean absolute difference between neighbouring pixels of the result, whatever the target: the
/// lower it is, the smoother the image.
///
/// Anisotropic: every pixel forms one pair with its right neighbour and one with the pixel below,
/// and the mean is over all pairs in both directions, N · channels · (height · (width - 1) +
/// (height - 1) · width) of them. Rudin, Osher, Fatemi: Nonlinear Total Variation Based Noise
/// Removal Algorithms (1992).
public struct TotalVariationLoss: Loss {
  /// `total-variation`
  public let name = "total-variation"

  /// A loss without parameters.
  public init() {}

  /// Nothing to prepare.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors that are not images, or of different shapes.
  public func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.check(name, result, target)
    guard result.shape.count == 4 else {
      throw TrainingError.training(
        "\(name): result", expected: "N x channels x height x width", found: "\(result.shape)")
    }
    let (height, width) = (result.shape[2], result.shape[3])
    let planes = result.shape[0] * result.shape[1]
    let pairs = planes * (height * (width - 1) + (height - 1) * width)
    var gradient = try Tensor(zeros: result.shape)
    guard pairs > 0 else { return LossValue(0, gradient: gradient) }
    let scale = Float(1 / Double(pairs))
    var sum = 0.0
    unsafe result.withFloats { x in
      unsafe gradient.withMutableFloats { g in
        for row in 0..<planes * height {
          let start = row * width
          unsafe sum += Self.add(x, g, start..<start + width - 1, distance: 1, scale)
          guard row % height < height - 1 else { continue }
          unsafe sum += Self.add(x, g, start..<start + width, distance: width, scale)
        }
      }
    }
    return LossValue(sum / Double(pairs), gradient: gradient)
  }

  /// Adds the gradients of pairs of elements at a distance, and returns the sum of their
  /// differences.
  @inline(__always)
  private static func add(
    _ x: UnsafeBufferPointer<Float>, _ g: UnsafeMutableBufferPointer<Float>, _ range: Range<Int>,
    distance: Int, _ scale: Float
  ) -> Double {
    var sum = 0.0
    for i in range {
      let difference = unsafe x[i + distance] - x[i]
      // 0 for equal neighbours; NaN stays NaN.
      let step = difference > 0 ? scale : difference < 0 ? -scale : difference
      sum += Double(abs(difference))
      unsafe g[i + distance] += step
      unsafe g[i] -= step
    }
    return sum
  }
}

extension Tensor {
  /// A float32 tensor times a number.
  func multiplied(by factor: Double) -> Tensor {
    guard factor != 1 else { return self }
    var result = self
    let factor = Float(factor)
    unsafe result.withMutableFloats { values in
      for i in values.indices { unsafe values[i] *= factor }
    }
    return result
  }

  /// Adds another float32 tensor of this shape, times a number.
  mutating func add(_ other: Tensor, times factor: Double) {
    precondition(shape == other.shape, "tensors of one shape")
    let factor = Float(factor)
    unsafe withMutableFloats { sums in
      unsafe other.withFloats { values in
        for i in values.indices { unsafe sums[i] += values[i] * factor }
      }
    }
  }
}
