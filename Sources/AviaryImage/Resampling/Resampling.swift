import Glibc

/// Enlarging and reducing as MATLAB's `imresize` does it, to the bit.
///
/// Columns are filtered first (each new row is made of rows), then rows, in double precision. With
/// `rounding`, values are limited and rounded after each of the two passes, as MATLAB does with
/// images of 8 or 16 bits; without, nothing is limited, as with MATLAB's doubles. (MATLAB takes
/// the side with the smaller factor first; the order shows only if the sides' factors differ and
/// values are rounded.)
public struct Resampling: Hashable, Sendable {
  /// The kernel.
  public var kernel: ResamplingKernel
  /// Whether the kernel is stretched when it reduces, so that it takes in all pixels.
  public var antialias: Bool
  /// What stands beyond the borders.
  public var border: ResamplingBorder
  /// The depth to round to after each pass; nil for none.
  public var rounding: BitDepth?

  /// MATLAB's defaults: bicubic, antialiased, symmetric borders; nothing rounded.
  public init(
    _ kernel: ResamplingKernel = .bicubic, antialias: Bool = true,
    border: ResamplingBorder = .symmetric, rounding: BitDepth? = nil
  ) {
    self.kernel = kernel
    self.antialias = antialias
    self.border = border
    self.rounding = rounding
  }

  /// The image enlarged or reduced; sides become side x factor, rounded up.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.invalidSize` if the result would be too large, or the
  ///   image has no pixels.
  public func resize(_ image: Image, by factor: ScaleFactor) throws(ImageError) -> Image {
    var resampler = try BandResampler(
      self, width: image.width, height: image.height, format: image.format, by: factor)
    return try resampler.push(image)
  }

  /// The image with other sides; the factors are the quotients of the sides.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.invalidSize` if a side is below 1, or too large.
  public func resize(
    _ image: Image, toWidth width: Int, height: Int
  ) throws(ImageError) -> Image {
    var resampler = try BandResampler(
      self, width: image.width, height: image.height, format: image.format,
      toWidth: width, height: height)
    return try resampler.push(image)
  }

  /// MATLAB never antialiases the nearest pixel.
  var isAntialiased: Bool { antialias && kernel != .nearest }
}

/// What stands beyond the borders of an image that is resampled.
public enum ResamplingBorder: String, CaseIterable, Codable, Hashable, Sendable {
  /// The image mirrored, its edge repeated (`cba|abc|cba`): MATLAB's own.
  case symmetric
  /// The edge pixel for ever (`aaa|abc|ccc`), as some published test sets were made.
  case replicated
  /// The image repeated (`abc|abc|abc`), as textures go on.
  case circular

  /// Which of `count` pixels stands at `index`.
  func map(_ index: Int, count: Int) -> Int {
    switch self {
    case .replicated:
      return min(max(index, 0), count - 1)
    case .circular:
      let phase = index % count
      return phase < 0 ? phase + count : phase
    case .symmetric:
      if 0..<count ~= index { return index }
      let phase = index % (2 * count)
      let positive = phase < 0 ? phase + 2 * count : phase
      return positive < count ? positive : 2 * count - 1 - positive
    }
  }
}

/// The interpolation kernels of MATLAB's `imresize`.
public enum ResamplingKernel: String, CaseIterable, Codable, Hashable, Sendable {
  /// The nearest pixel (never antialiased).
  case nearest
  case bilinear
  /// Keys' cubic convolution with a = -0.5 (Keys 1981).
  case bicubic
  /// Lanczos' windowed sinc with three lobes.
  case lanczos3

  /// How wide the kernel is, in pixels, when it enlarges.
  var width: Double {
    switch self {
    case .nearest: 1
    case .bilinear: 2
    case .bicubic: 4
    case .lanczos3: 6
    }
  }

  /// The kernel's value. The terms stand in the order in which MATLAB computes them: results are
  /// compared to the bit.
  func value(_ x: Double) -> Double {
    let distance = abs(x)
    switch self {
    case .nearest:
      return -0.5 <= x && x < 0.5 ? 1 : 0
    case .bilinear:
      return distance <= 1 ? 1 - distance : 0
    case .bicubic:
      let square = distance * distance
      let cube = square * distance
      if distance <= 1 { return 1.5 * cube - 2.5 * square + 1 }
      if distance <= 2 { return -0.5 * cube + 2.5 * square - 4 * distance + 2 }
      return 0
    case .lanczos3:
      guard distance < 3 else { return 0 }
      // The smallest step above 1 keeps 0/0 away, as in MATLAB.
      let tiny = Double.ulpOfOne
      return (sin(.pi * x) * sin(.pi * x / 3) + tiny) / (.pi * .pi * x * x / 3 + tiny)
    }
  }
}

/// By how much an image is enlarged or reduced: an exact fraction.
public struct ScaleFactor: Hashable, Sendable {
  /// Pixels of the result for each `denominator` pixels given.
  public let numerator: Int
  /// Pixels given for each `numerator` pixels of the result.
  public let denominator: Int

  /// A fraction, such as 3/2; the denominator is 1 where it is left out.
  ///
  /// - Throws: `ImageError.invalidScale` unless both lie from 1 to 2^20.
  public init(_ numerator: Int, over denominator: Int = 1) throws(ImageError) {
    guard 1...1 << 20 ~= numerator, 1...1 << 20 ~= denominator else {
      throw .invalidScale(numerator: numerator, denominator: denominator)
    }
    self.numerator = numerator
    self.denominator = denominator
  }

  /// The length that so many pixels get: rounded up, as MATLAB does.
  ///
  /// - Throws: `ImageError.sizeMismatch` if it is beyond 2^40.
  public func length(of count: Int) throws(ImageError) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: numerator)
    guard count >= 0, !overflow, product < 1 << 60, product / denominator < 1 << 40 else {
      throw .sizeMismatch(
        thing: "scaled side", expected: "at most 2^40 pixels",
        found: "\(count) by \(numerator)/\(denominator)")
    }
    return (product + denominator - 1) / denominator
  }

  /// The fraction as a number.
  var value: Double { Double(numerator) / Double(denominator) }
}

/// Which pixels make up each pixel of the result along one side, and with what weights.
///
/// The geometry and the arithmetic are those of `contributions` in MATLAB's `imresize`: pixel
/// centres at half coordinates, the kernel stretched where it reduces with antialiasing, weights
/// made to sum to 1.
struct ResamplingTaps {
  /// Taps of each pixel.
  let count: Int
  /// The first tap of each pixel; beyond the borders where the kernel reaches there.
  let first: [Int]
  /// `count` weights of each pixel, one pixel after the other.
  let weights: [Double]
  private let inputCount: Int
  private let border: ResamplingBorder

  init(from inputCount: Int, to outputCount: Int, scale: Double, _ resampling: Resampling) {
    let kernel = resampling.kernel
    let isStretched = scale < 1 && resampling.isAntialiased
    let width = isStretched ? kernel.width / scale : kernel.width
    let count = Int(width.rounded(.up)) + 2
    var first = [Int](repeating: 0, count: outputCount)
    var weights = [Double](repeating: 0, count: outputCount * count)
    for i in 0..<outputCount {
      // Counted from 1 as in MATLAB, so that the same roundings happen.
      let centre = Double(i + 1) / scale + 0.5 * (1 - 1 / scale)
      let left = (centre - width / 2).rounded(.down)
      first[i] = Int(left) - 1
      var sum = 0.0
      for t in 0..<count {
        let x = centre - (left + Double(t))
        let weight = isStretched ? scale * kernel.value(scale * x) : kernel.value(x)
        weights[i * count + t] = weight
        sum += weight
      }
      for t in 0..<count { weights[i * count + t] /= sum }
    }
    self.init(
      trimming: first, weights, count: count, inputCount: inputCount, border: resampling.border)
  }

  /// Drops the taps at either end that weigh nothing in any pixel.
  private init(
    trimming first: [Int], _ weights: [Double], count: Int, inputCount: Int,
    border: ResamplingBorder
  ) {
    let used = (0..<count).filter { t in
      stride(from: t, to: weights.count, by: count).contains { weights[$0] != 0 }
    }
    let kept = (used.first ?? 0)..<((used.last ?? 0) + 1)
    self.count = kept.count
    self.first = first.map { $0 + kept.lowerBound }
    self.weights =
      kept.count == count
      ? weights
      : first.indices.flatMap {
        weights[$0 * count + kept.lowerBound..<$0 * count + kept.upperBound]
      }
    self.inputCount = inputCount
    self.border = border
  }

  /// The pixel behind a tap, within the borders.
  func source(_ index: Int) -> Int { border.map(index, count: inputCount) }

  /// The pixels that one of the result is made of: from the first to the last, within the borders.
  func range(of output: Int) -> Range<Int> {
    var (low, high) = (inputCount, 0)
    for t in 0..<count {
      let index = source(first[output] + t)
      (low, high) = (min(low, index), max(high, index))
    }
    return low..<high + 1
  }

  /// From the first tap of all to the last, borders not applied.
  var reach: Range<Int> {
    (first.min() ?? 0)..<(first.max() ?? 0) + count
  }
}
