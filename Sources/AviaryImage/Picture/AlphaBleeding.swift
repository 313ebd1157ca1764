/// Colour under transparency.
extension Image {
  /// Rows above and below a band that `bledUnderTransparency` must be given, so that the band comes
  /// out as it would in the whole image: pixels are filled up to this distance.
  public static let bleedingMargin = 8

  /// Gives pixels of alpha 0 the colour of what is visible near them, so that enlarging mixes no
  /// hidden colour (often black or white) into the edges of what is visible. Alpha is straight
  /// before and after, and stays as it is; an image without alpha comes back unchanged.
  ///
  /// The fill grows by one pixel in each of `bleedingMargin` steps; a pixel becomes the mean of its
  /// filled neighbours, those beside it weighing twice those at its corners. Beyond that distance
  /// the hidden colour stays: it reaches no visible pixel through an interpolation kernel, and
  /// through a network hardly. So a pixel depends on `bleedingMargin` rows above and below it, and
  /// an image can be bled band by band if bands are given that margin.
  public func bledUnderTransparency() -> Image {
    guard format.hasAlpha else { return self }
    var result = self
    let (width, height, colors) = (width, height, format.color.channels)
    let count = width * height
    unsafe result.withMutableFloats { values in
      var isFilled = (0..<count).map { unsafe values[colors * count + $0] > 0 }
      guard isFilled.contains(true) else { return }
      var front = (0..<count).filter { i in
        !isFilled[i] && Neighbours.contain(i, width, height) { isFilled[$0] }
      }
      for _ in 0..<Image.bleedingMargin where !front.isEmpty {
        // Each step sees only the steps before it: the order of pixels must not matter.
        for i in front {
          var weights: Float = 0
          var sums = (Float(0), Float(0), Float(0))
          Neighbours.visit(i, width, height) { neighbour, weight in
            guard isFilled[neighbour] else { return }
            weights += weight
            unsafe sums.0 += weight * values[neighbour]
            guard colors == 3 else { return }
            unsafe sums.1 += weight * values[count + neighbour]
            unsafe sums.2 += weight * values[2 * count + neighbour]
          }
          unsafe values[i] = sums.0 / weights
          guard colors == 3 else { continue }
          unsafe values[count + i] = sums.1 / weights
          unsafe values[2 * count + i] = sums.2 / weights
        }
        for i in front { isFilled[i] = true }
        var isNext = Set<Int>()
        for i in front {
          Neighbours.visit(i, width, height) { neighbour, _ in
            if !isFilled[neighbour] { isNext.insert(neighbour) }
          }
        }
        front = isNext.sorted()
      }
    }
    return result
  }
}

/// The up to eight pixels around one.
private enum Neighbours {
  @inline(__always)
  static func visit(_ i: Int, _ width: Int, _ height: Int, _ body: (Int, Float) -> Void) {
    let (row, column) = i.quotientAndRemainder(dividingBy: width)
    for y in max(row - 1, 0)...min(row + 1, height - 1) {
      for x in max(column - 1, 0)...min(column + 1, width - 1) where y != row || x != column {
        body(y * width + x, y == row || x == column ? 2 : 1)
      }
    }
  }

  static func contain(
    _ i: Int, _ width: Int, _ height: Int, _ predicate: (Int) -> Bool
  ) -> Bool {
    var isFound = false
    visit(i, width, height) { neighbour, _ in isFound = isFound || predicate(neighbour) }
    return isFound
  }
}
