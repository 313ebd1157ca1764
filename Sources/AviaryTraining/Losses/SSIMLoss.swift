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

  /// - Parameter picture: the image description of results and targets; by default, values from 0
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
        name, expected: "pictures of \(size)x\(size) pixels at least", found: "\(shape)")
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
