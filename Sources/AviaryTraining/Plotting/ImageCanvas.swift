internal import AviaryImage

/// A canvas of pixels.
struct ImageCanvas: PlotCanvas {
  private(set) var image: Image
  /// Of letters: they are ten pixels wide and fourteen high.
  private static let dotSize = 2

  /// A white picture.
  ///
  /// - Throws: `ImageError.invalidSize`.
  init(width: Int, height: Int) throws(ImageError) {
    image = try Image(width: width, height: height, format: PixelFormat(.rgb))
    fill(x: 0, y: 0, width: Double(width), height: Double(height), .white)
  }

  mutating func fill(x: Double, y: Double, width: Double, height: Double, _ color: PlotColor) {
    draw { (image) throws(ImageError) in
      try image.fill(
        x: Int(x.rounded()), y: Int(y.rounded()), width: Int(width.rounded()),
        height: Int(height.rounded()), with: color.values)
    }
  }

  mutating func line(
    _ points: [PlotPoint], width: Double, _ color: PlotColor, opacity: Double, isDashed: Bool
  ) {
    let pieces = isDashed ? ImageCanvas.dashes(points) : [points]
    for piece in pieces {
      draw { (image) throws(ImageError) in
        try image.draw(
          lines: piece.map { Image.Point($0.x, $0.y) }, width: width, opacity: opacity,
          with: color.values)
      }
    }
  }

  mutating func text(_ text: String, x: Double, y: Double, anchor: PlotAnchor, _ color: PlotColor) {
    let size = Image.textSize(text, dotSize: ImageCanvas.dotSize)
    let left =
      switch anchor {
      case .start: x
      case .middle: x - Double(size.width) / 2
      case .end: x - Double(size.width)
      }
    draw { (image) throws(ImageError) in
      try image.draw(
        text, x: Int(left.rounded()), y: Int((y - Double(size.height) / 2).rounded()),
        dotSize: ImageCanvas.dotSize, with: color.values)
    }
  }

  func width(of text: String) -> Double {
    Double(Image.textSize(text, dotSize: ImageCanvas.dotSize).width)
  }

  /// Only a number of values that is not the picture's is refused, and all colours have three.
  private mutating func draw(_ body: (inout Image) throws(ImageError) -> Void) {
    do { try body(&image) } catch { preconditionFailure("\(error)") }
  }

  /// The dashes of a line, eight pixels each, with gaps of six.
  private static func dashes(_ points: [PlotPoint]) -> [[PlotPoint]] {
    var dashes: [[PlotPoint]] = []
    var travelled = 0.0
    for (a, b) in zip(points, points.dropFirst()) {
      let length = ((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y)).squareRoot()
      guard length > 0, length < 1e6 else { continue }
      func point(_ distance: Double) -> PlotPoint {
        let share = min(max(distance / length, 0), 1)
        return PlotPoint(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y))
      }
      var start = -(travelled.truncatingRemainder(dividingBy: 14))
      while start < length {
        if start + 8 > 0 { dashes.append([point(start), point(start + 8)]) }
        start += 14
      }
      travelled += length
    }
    return dashes
  }
}
