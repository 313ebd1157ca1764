import Glibc

/// Blurring by a Gaussian, along columns and then along rows.
extension Image {
  /// The largest deviation that `blurred(deviation:)` takes, in pixels.
  public static let largestBlur = 64.0

  /// How many pixels away a blur looks: four deviations, rounded; what lies beyond would weigh less
  /// than a ten-thousandth of the whole.
  public static func blurReach(deviation: Double) -> Int {
    // Also for what is no deviation at all, which blurring refuses.
    deviation > 0 ? Int(min(deviation, largestBlur) * 4 + 0.5) : 0
  }

  /// The image blurred; symmetric borders, sums in double precision, nothing limited or rounded.
  ///
  /// - Parameter deviation: in pixels; 0 for the image as it is.
  /// - Throws: `ImageError.sizeMismatch` unless it lies from 0 to `largestBlur`.
  public func blurred(deviation: Double) throws(ImageError) -> Image {
    guard 0...Image.largestBlur ~= deviation else {
      throw .sizeMismatch(
        thing: "blur", expected: "a deviation of 0 to \(Image.largestBlur) pixels",
        found: "\(deviation)")
    }
    let reach = Image.blurReach(deviation: deviation)
    guard reach > 0, width > 0, height > 0 else { return self }
    var weights = (-reach...reach).map { exp(-0.5 * Double($0 * $0) / (deviation * deviation)) }
    let sum = weights.reduce(0, +)
    for i in weights.indices { weights[i] /= sum }
    let (width, height) = (width, height)
    let rows = Image.sources(height, reach), columns = Image.sources(width, reach)
    // A line with its border, so that the loops over its pixels have nothing to look up.
    var line = [Double](repeating: 0, count: width + 2 * reach)
    var sums = [Double](repeating: 0, count: width)
    return try unsafe Image(width: width, height: height, format: format) { target in
      unsafe withFloats { source in
        for c in 0..<channels {
          for y in 0..<height {
            for x in 0..<width { sums[x] = 0 }
            for t in weights.indices {
              let (start, weight) = ((c * height + rows[y + t]) * width, weights[t])
              for x in 0..<width { unsafe sums[x] += weight * Double(source[start + x]) }
            }
            for x in line.indices { line[x] = sums[columns[x]] }
            for x in 0..<width { sums[x] = 0 }
            for t in weights.indices {
              let weight = weights[t]
              for x in 0..<width { sums[x] += weight * line[x + t] }
            }
            let start = (c * height + y) * width
            for x in 0..<width { unsafe target[start + x] = Float(sums[x]) }
          }
        }
      }
    }
  }

  /// The pixels that stand at -reach..<count + reach: the edge is mirrored, itself included.
  private static func sources(_ count: Int, _ reach: Int) -> [Int] {
    (-reach..<count + reach).map { ResamplingBorder.symmetric.map($0, count: count) }
  }
}
