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

/// SSIM (Wang, Bovik, Sheikh, Simoncelli 2004): means, variances and covariance under a Gaussian
/// window of 11x11 pixels, sigma 1.5, wherever the window lies wholly within the image; constants
/// (0.01 x 255)^2 and (0.03 x 255)^2.
enum StructuralSimilarity {
  /// Pixels on a side of the window.
  static let windowSize = 11

  /// The mean over all places of the window, of two planes with values from 0 to 255 and at least
  /// `windowSize` pixels on each side.
  static func mean(_ a: [Double], _ b: [Double], width: Int) -> Double {
    let height = a.count / width
    let columns = width - windowSize + 1
    // The window is a product of a row and a column. Rows are filtered along themselves once, and
    // the last eleven kept: the five moments of all of them stay in the cache.
    var filtered = [[Double]](
      repeating: [Double](repeating: 0, count: Moment.allCases.count * columns), count: windowSize)
    var sum = 0.0
    for y in 0..<height {
      filterRow(a, b, start: y * width, into: &filtered[y % windowSize], columns: columns)
      if y >= windowSize - 1 { sum += sumOfRow(filtered, last: y, columns: columns) }
    }
    return sum / Double(columns * (height - windowSize + 1))
  }

  private enum Moment: Int, CaseIterable {
    case a, b, aa, bb, ab
  }

  /// One side of the Gaussian window; the other is the same.
  private static let window: [Double] = {
    let values = (0..<windowSize).map { i in
      let distance = Double(i - windowSize / 2)
      return exp(-distance * distance / (2 * 1.5 * 1.5))
    }
    let sum = values.reduce(0, +)
    return values.map { $0 / sum }
  }()

  private static func filterRow(
    _ a: [Double], _ b: [Double], start: Int, into row: inout [Double], columns: Int
  ) {
    let window = window
    unsafe row.withUnsafeMutableBufferPointer { row in
      unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in
          for x in 0..<columns {
            var (sa, sb, saa, sbb, sab) = (0.0, 0.0, 0.0, 0.0, 0.0)
            for k in 0..<windowSize {
              let (weight, p, q) = unsafe (window[k], a[start + x + k], b[start + x + k])
              sa += weight * p
              sb += weight * q
              saa += weight * p * p
              sbb += weight * q * q
              sab += weight * p * q
            }
            unsafe row[Moment.a.rawValue * columns + x] = sa
            unsafe row[Moment.b.rawValue * columns + x] = sb
            unsafe row[Moment.aa.rawValue * columns + x] = saa
            unsafe row[Moment.bb.rawValue * columns + x] = sbb
            unsafe row[Moment.ab.rawValue * columns + x] = sab
          }
        }
      }
    }
  }

  /// The sum of the similarities of one row of windows, whose last row of pixels is `last`.
  private static func sumOfRow(_ filtered: [[Double]], last: Int, columns: Int) -> Double {
    var moments = [Double](repeating: 0, count: Moment.allCases.count * columns)
    unsafe moments.withUnsafeMutableBufferPointer { moments in
      for k in 0..<windowSize {
        let weight = window[k]
        unsafe filtered[(last + 1 + k) % windowSize].withUnsafeBufferPointer { row in
          for i in 0..<moments.count { unsafe moments[i] += weight * row[i] }
        }
      }
    }
    let (c1, c2) = (0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255)
    var sum = 0.0
    for x in 0..<columns {
      func value(_ moment: Moment) -> Double { moments[moment.rawValue * columns + x] }
      let (a, b) = (value(.a), value(.b))
      let spread = value(.aa) - a * a + value(.bb) - b * b
      let shared = value(.ab) - a * b
      sum += (2 * a * b + c1) * (2 * shared + c2) / ((a * a + b * b + c1) * (spread + c2))
    }
    return sum
  }
}
