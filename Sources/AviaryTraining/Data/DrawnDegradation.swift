public import AviaryImage

/// A degradation whose strength is drawn.
enum DrawnDegradation: Hashable, Sendable {
  /// In parts of 1.
  case noise(deviation: Double)
  case jpeg(quality: Int)
  /// In pixels.
  case blur(deviation: Double)

  /// Draws a strength, each of the range equally likely.
  init(_ degradation: DataRecipe.Degradation, using generator: inout SeededGenerator) {
    self =
      switch degradation {
      case .noise(let range): .noise(deviation: generator.number(in: range) / 255)
      case .jpeg(let range):
        .jpeg(quality: Int(generator.number(in: range).rounded()))
      case .blur(let range): .blur(deviation: generator.number(in: range))
      }
  }

  /// The part of a picture that must suffer so that `region` comes out as if all of it had: more by
  /// what a blur looks at; whole blocks of JPEG, and the two pixels that interpolating chroma looks
  /// at.
  func source(of region: Region, in size: (width: Int, height: Int)) -> Region {
    switch self {
    case .noise: region
    case .blur(let deviation):
      region.expanded(by: Image.blurReach(deviation: deviation), in: size)
    case .jpeg: region.expanded(by: 2, in: size).aligned(to: 16, in: size)
    }
  }

  /// The picture made worse. Noise is neither limited nor rounded: its mean stays 0.
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
  /// A whole picture made worse as patches are, for validation; strengths are drawn.
  ///
  /// - Parameter image: gray or RGB without alpha, as a file has it.
  /// - Throws: what `Image.jpeg(quality:)` and `Image.blurred(deviation:)` throw.
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

  /// Throws `TrainingError.recipe` for strengths that there are not, and for a share that is none.
  func check() throws(TrainingError) {
    guard 0...1 ~= tolerated else {
      throw .recipe(field: "data.tolerated", expected: "0 to 1", found: "\(tolerated)")
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
