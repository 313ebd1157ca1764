public import AviaryImage

/// How a patch is flipped, rotated and recoloured, input and target alike.
struct Augmentation: Hashable, Sendable {
  /// Whether left and right are swapped.
  var isFlipped: Bool
  /// Clockwise quarter turns, after the flip.
  var turns: Int
  /// The source channel of each channel.
  var channels: [Int]
  /// For a network on one gray channel, the channel of a colour image that it is given.
  var plane: Int

  /// Draws one; all that the recipe allows are equally likely.
  init(_ recipe: BatchRecipe, using generator: inout SeededGenerator) {
    // Always draw all of them, so that what follows in the stream stays the same.
    let isFlipped = generator.truth()
    let turns = generator.integer(below: 4)
    let channels = generator.shuffled([0, 1, 2])
    plane = generator.integer(below: 3)
    self.isFlipped = recipe.horizontalFlip && isFlipped
    self.turns = recipe.rot90 ? turns : 0
    self.channels = recipe.channelShuffle ? channels : [0, 1, 2]
  }

  /// Where in a square patch, in row-major order, the pixel (row, column) of the augmented patch
  /// comes from: `origin + row * rowStep + column * columnStep`. This also holds beyond the
  /// square's edges, for a patch with `margin` more pixels on every side.
  func layout(side: Int, margin: Int) -> (origin: Int, rowStep: Int, columnStep: Int) {
    // The coordinates (row, column) of the pixel that moves to (0, 0), and the steps from it.
    let last = side - 1
    var (row, column): (Int, Int)
    var down: (Int, Int)
    var across: (Int, Int)
    switch turns {
    case 0: ((row, column), down, across) = ((0, 0), (1, 0), (0, 1))
    // A clockwise turn brings the left column to the top.
    case 1: ((row, column), down, across) = ((last, 0), (0, 1), (-1, 0))
    case 2: ((row, column), down, across) = ((last, last), (-1, 0), (0, -1))
    default: ((row, column), down, across) = ((0, last), (0, -1), (1, 0))
    }
    if isFlipped {
      column = last - column
      down.1 = -down.1
      across.1 = -across.1
    }
    let width = side + 2 * margin
    return (
      (row + margin) * width + column + margin, down.0 * width + down.1,
      across.0 * width + across.1
    )
  }
}

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

/// Normally distributed noise.
enum GaussianNoise {
  /// Adds an independent random number to every sample.
  static func add(
    deviation: Float, to image: inout Image, using generator: inout SeededGenerator
  ) {
    let ziggurat = Ziggurat.standard
    unsafe image.withMutableFloats { values in
      for i in values.indices {
        unsafe values[i] += deviation * Float(ziggurat.next(using: &generator))
      }
    }
  }
}
