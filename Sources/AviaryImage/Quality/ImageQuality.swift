import Glibc

/// How near an image comes to the original, by the protocol of the super-resolution literature.
///
/// Both images are rounded to 8 bits and reduced to luma (BT.601 studio range), which is rounded
/// to 8 bits as MATLAB's `rgb2ycbcr` rounds it; `scale` pixels are cut off on every side; alpha is
/// left aside. An image that is luma or gray already is judged on its own values: so are published
/// figures for gray images (16 + 219 x gray would gain them 1.3 dB).
public struct ImageQuality: Hashable, Sendable {
  /// Peak signal-to-noise ratio in dB, of a peak of 255; infinite for equal images.
  public let psnr: Double
  /// Mean structural similarity (Wang et al. 2004), at most 1; see `StructuralSimilarity`.
  public let ssim: Double

  /// The least side of what is left within the border: a window of SSIM.
  package static let leastSide = StructuralSimilarity.windowSize

  /// Compares an image with its original.
  ///
  /// - Parameters:
  ///   - border: Pixels cut off on every side: by the protocol, the scale.
  ///   - roundsLuma: Whether luma is rounded to 8 bits. Without, figures are a little higher, as
  ///     those of BasicSR are.
  /// - Throws: `ImageError.sizeMismatch` if the sizes differ, or fewer than 11x11 pixels are left.
  public init(
    of image: Image, original: Image, border: Int, roundsLuma: Bool = true
  ) throws(ImageError) {
    guard image.width == original.width, image.height == original.height else {
      throw .sizeMismatch(
        thing: "image", expected: "\(original.width)x\(original.height)",
        found: "\(image.width)x\(image.height)")
    }
    let size = StructuralSimilarity.windowSize
    guard
      border >= 0, border <= Image.maximumSampleCount,
      image.width - 2 * border >= size, image.height - 2 * border >= size
    else {
      throw .sizeMismatch(
        thing: "image", expected: "\(size)x\(size) or more within a border of \(border)",
        found: "\(image.width)x\(image.height)")
    }
    let a = try ImageQuality.luma(image, border, roundsLuma)
    let b = try ImageQuality.luma(original, border, roundsLuma)
    var error = 0.0
    for i in a.indices { error += (a[i] - b[i]) * (a[i] - b[i]) }
    psnr = 10 * log10(255 * 255 * Double(a.count) / error)
    ssim = StructuralSimilarity.mean(a, b, width: image.width - 2 * border)
  }

  /// The luma of what is left within the border, from 0 to 255, row by row.
  private static func luma(
    _ image: Image, _ border: Int, _ isRounded: Bool
  ) throws(ImageError) -> [Double] {
    let inner = try image.cropped(
      x: border, y: border, width: image.width - 2 * border,
      height: image.height - 2 * border
    ).opaque
    // Luma made by a network is not rounded twice, nor at all where rounding is not wanted.
    let isLuma = inner.format.color == .luma
    let luma = try (isLuma ? inner : inner.rounded(to: .eight)).converted(to: .luma)
    return unsafe (isRounded ? luma.rounded(to: .eight) : luma).withFloats {
      unsafe $0.map { Double($0) * 255 }
    }
  }
}
