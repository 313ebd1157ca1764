public import AviaryImage

/// A degradation with a random strength.
enum DrawnDegradation: Hashable, Sendable {
  /// The deviation on a scale of 0 to 1.
  case noise(deviation: Double)
  case jpeg(quality: Int)
  /// In pixels.
  case blur(deviation: Double)

  /// Draws a strength, uniformly from the range.
  init(_ degradation: DataRecipe.Degradation, using generator: inout SeededGenerator) {
    self =
      switch degradation {
      case .noise(let range): .noise(deviation: generator.number(in: range) / 255)
      case .jpeg(let range):
        .jpeg(quality: Int(generator.number(in: range).rounded()))
      case .blur(let range): .blur(deviation: generator.number(in: range))
      }
  }

  /// The part of an image that must be degraded so that `region` comes out as if the whole image
  /// had been: larger by the reach of a blur; for JPEG, whole blocks and the two pixels that chroma
  /// interpolation reads.
  func source(of region: Region, in size: (width: Int, height: Int)) -> Region {
    switch self {
    case .noise: region
    case .blur(let deviation):
      region.expanded(by: Image.blurReach(deviation: deviation), in: size)
    case .jpeg: region.expanded(by: 2, in: size).aligned(to: 16, in: size)
    }
  }

  /// Degrades an image. Noise is neither clipped nor rounded, so its mean stays 0.
  func applied(
    to image: Image, using generator: inout SeededGenerator
  ) throws(ImageError) -> Image {
    switch self {
    case .noise(let deviation):
      var result = image
      GaussianNoise.add(deviation: Float(deviation), to: &result, using: &generator)
      return result
    case .jpeg(let quality): return try Image(jpeg: image.jpeg(quality: quality))
    case .blur(let deviation): return try image.blurred(deviation: deviation)
    }
  }
}

extension DataRecipe {
  /// Degrades a whole image as patches are degraded, for validation; strengths are random.
  ///
  /// - Parameter image: gray or RGB without alpha, with the values of a file.
  /// - Throws: errors from `Image.jpeg(quality:)` and `Image.blurred(deviation:)`.
  public func degraded(
    _ image: Image, using generator: inout SeededGenerator
  ) throws(ImageError) -> Image {
    var result = image
    for degradation in degradations {
      result = try DrawnDegradation(degradation, using: &generator)
        .applied(to: result, using: &generator)
    }
    return result
  }

  /// Throws `TrainingError.recipe` for strengths or a share out of range.
  func check() throws(TrainingError) {
    guard 0...1 ~= maxInvalidShare else {
      throw .recipe(
        field: "data.max-invalid-share", expected: "0 to 1", found: "\(maxInvalidShare)")
    }
    for degradation in degradations {
      let (name, range, limits): (String, ClosedRange<Double>, ClosedRange<Double>) =
        switch degradation {
        case .noise(let range): ("noise", range, 0...255)
        case .jpeg(let range): ("jpeg", range, 1...100)
        case .blur(let range): ("blur", range, 0...Image.largestBlur)
        }
      guard limits.contains(range.lowerBound), limits.contains(range.upperBound) else {
        throw .recipe(
          field: "data.degradations.\(name)",
          expected: "\(limits.lowerBound) to \(limits.upperBound)",
          found: "\(range.lowerBound) to \(range.upperBound)")
      }
    }
  }
}
