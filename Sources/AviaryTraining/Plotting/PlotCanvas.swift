internal import AviaryImage

/// A surface to draw plots on. All measures are in pixels from the upper left corner.
protocol PlotCanvas {
  /// Fills a rectangle.
  mutating func fill(x: Double, y: Double, width: Double, height: Double, _ color: PlotColor)

  /// Draws lines from point to point.
  ///
  /// - Parameter isDashed: whether there are gaps.
  mutating func line(
    _ points: [PlotPoint], width: Double, _ color: PlotColor, opacity: Double, isDashed: Bool)

  /// Writes a line of text.
  ///
  /// - Parameters:
  ///   - y: the middle of the letters' height.
  ///   - anchor: which part of the text is at `x`.
  mutating func text(_ text: String, x: Double, y: Double, anchor: PlotAnchor, _ color: PlotColor)

  /// The approximate width of a text.
  func width(of text: String) -> Double
}

/// A place on a canvas.
struct PlotPoint: Hashable, Sendable {
  var x: Double
  var y: Double

  init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

/// Which part of a text is at its position.
enum PlotAnchor: String {
  case start, middle, end
}

/// A colour of sRGB, three bytes.
struct PlotColor: Hashable, Sendable {
  var red: UInt8
  var green: UInt8
  var blue: UInt8

  init(_ code: UInt32) {
    red = UInt8(truncatingIfNeeded: code >> 16)
    green = UInt8(truncatingIfNeeded: code >> 8)
    blue = UInt8(truncatingIfNeeded: code)
  }

  /// For SVG.
  var text: String {
    "#"
      + [red, green, blue].map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
      .joined()
  }

  /// For images.
  var values: [Float] { [red, green, blue].map { Float($0) / 255 } }

  static let black = PlotColor(0x222222)
  static let gray = PlotColor(0x808080)
  static let pale = PlotColor(0xE4E4E4)
  static let white = PlotColor(0xFFFFFF)
  /// Colours for curves that are distinguishable without red or green vision too: after Okabe and
  /// Ito (2008).
  static let curves = [0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9].map {
    PlotColor($0)
  }
}

/// A canvas of pixels.
struct ImageCanvas: PlotCanvas {
  private(set) var image: Image
  /// Of letters: they are ten pixels wide and fourteen high.
  private static let dotSize = 2

  /// A white image.
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

  /// Only a number of values that is not the image's is refused, and all colours have three.
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

/// A canvas of text: Scalable Vector Graphics 1.1.
struct SVGCanvas: PlotCanvas {
  private var body = ""
  private let size: (width: Int, height: Int)

  /// A white drawing.
  init(width: Int, height: Int) {
    size = (width, height)
    fill(x: 0, y: 0, width: Double(width), height: Double(height), .white)
  }

  /// The whole file.
  var text: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(size.width)" height="\(size.height)" \
    viewBox="0 0 \(size.width) \(size.height)" font-family="sans-serif" font-size="14">
    \(body)</svg>

    """
  }

  mutating func fill(x: Double, y: Double, width: Double, height: Double, _ color: PlotColor) {
    body += """
      <rect x="\(number(x))" y="\(number(y))" width="\(number(width))" height="\(number(height))" \
      fill="\(color.text)"/>

      """
  }

  mutating func line(
    _ points: [PlotPoint], width: Double, _ color: PlotColor, opacity: Double, isDashed: Bool
  ) {
    let places = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    body += """
      <polyline points="\(places)" fill="none" stroke="\(color.text)" \
      stroke-width="\(number(width))" stroke-opacity="\(number(opacity))" \
      stroke-linejoin="round"\(isDashed ? " stroke-dasharray=\"8 6\"" : "")/>

      """
  }

  mutating func text(_ text: String, x: Double, y: Double, anchor: PlotAnchor, _ color: PlotColor) {
    // The baseline is a third of the font size below the middle.
    body += """
      <text x="\(number(x))" y="\(number(y + 5))" text-anchor="\(anchor.rawValue)" \
      fill="\(color.text)">\(SVGCanvas.escaped(text))</text>

      """
  }

  func width(of text: String) -> Double { Double(text.count) * 8 }

  /// Rounded to a tenth of a pixel.
  private func number(_ value: Double) -> String { ((value * 10).rounded() / 10).brief }

  /// Folder names may contain anything; XML cannot express control characters.
  private static func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case _ where scalar.value < 0x20 || scalar.value & 0xFFFE == 0xFFFE: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
}
