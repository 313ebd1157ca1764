/// What a picture that compares others needs: larger pixels, filled rectangles, labels.
extension Image {
  /// Each pixel as a square of `factor` pixels on a side.
  ///
  /// - Throws: `ImageError.invalidScale` for a factor outside 1...2^20; `.sizeMismatch` or
  ///   `.invalidSize` if the result would be too large, or the image has no pixels.
  public func magnified(by factor: Int) throws(ImageError) -> Image {
    try Resampling(.nearest).resize(self, by: try ScaleFactor(factor))
  }

  /// Gives all pixels of a rectangle one value in each channel; what lies outside is left out.
  ///
  /// - Throws: `ImageError.formatMismatch` unless there are as many values as channels.
  public mutating func fill(
    x: Int, y: Int, width: Int, height: Int, with values: [Float]
  ) throws(ImageError) {
    guard values.count == channels else {
      throw .formatMismatch(
        thing: "fill", expected: "\(channels) values", found: "\(values.count)")
    }
    let columns = clamp(x, width, to: self.width)
    let rows = clamp(y, height, to: self.height)
    let (stride, planeHeight) = (self.width, self.height)
    unsafe withMutableFloats { target in
      for c in values.indices {
        for row in rows {
          for column in columns {
            unsafe target[(c * planeHeight + row) * stride + column] = values[c]
          }
        }
      }
    }
  }

  /// Writes a line of text, each dot of its letters a square of `dotSize` pixels; what lies outside
  /// is left out. Letters are capitals; characters that `BitmapFont` lacks are blank.
  ///
  /// - Throws: `ImageError.formatMismatch` unless there are as many values as channels.
  public mutating func draw(
    _ text: String, x: Int, y: Int, dotSize: Int = 1, with values: [Float]
  ) throws(ImageError) {
    for (i, character) in text.enumerated() {
      for (row, dots) in BitmapFont.rows(of: character).enumerated() {
        for column in dots.indices where dots[column] {
          try fill(
            x: x + (i * BitmapFont.advance + column) * dotSize, y: y + row * dotSize,
            width: dotSize, height: dotSize, with: values)
        }
      }
    }
  }

  /// Pixels that a line of text takes.
  public static func textSize(_ text: String, dotSize: Int = 1) -> (width: Int, height: Int) {
    // The gap after the last letter does not count.
    let dots = max(text.count * BitmapFont.advance - 1, 0)
    return (dots * dotSize, BitmapFont.height * dotSize)
  }

  /// The part of `start..<start + length` within 0..<limit, without overflow.
  private func clamp(_ start: Int, _ length: Int, to limit: Int) -> Range<Int> {
    let low = min(max(start, 0), limit)
    let (end, overflow) = start.addingReportingOverflow(length)
    let high = overflow ? limit : min(max(end, low), limit)
    return low..<max(low, high)
  }
}
