public import AviaryTensor

/// The mean of the absolute differences of neighbours of the result, whatever the target is: less of
/// it is a smoother picture.
///
/// Anisotropic: every pixel and its neighbour to the right, and every pixel and the one below, are
/// pairs of their own, and the mean is over all pairs of both directions, N · channels ·
/// (height · (width - 1) + (height - 1) · width) of them. Rudin, Osher, Fatemi: Nonlinear Total
/// Variation Based Noise Removal Algorithms (1992).
public struct TotalVariationLoss: Loss {
  /// `total-variation`
  public let name = "total-variation"

  /// A loss without parameters.
  public init() {}

  /// There is nothing to get ready.
  public func prepare(for shape: [Int]) {}

  /// The loss and its gradient.
  ///
  /// - Throws: `TrainingError.training` for tensors that are no pictures, or of different shapes.
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

  /// Adds the gradients of pairs of elements at a distance, and gives the sum of their differences.
  @inline(__always)
  private static func add(
    _ x: UnsafeBufferPointer<Float>, _ g: UnsafeMutableBufferPointer<Float>, _ range: Range<Int>,
    distance: Int, _ scale: Float
  ) -> Double {
    var sum = 0.0
    for i in range {
      let difference = unsafe x[i + distance] - x[i]
      // 0 for equal neighbours; what is no number stays none.
      let step = difference > 0 ? scale : difference < 0 ? -scale : difference
      sum += Double(abs(difference))
      unsafe g[i + distance] += step
      unsafe g[i] -= step
    }
    return sum
  }
}
