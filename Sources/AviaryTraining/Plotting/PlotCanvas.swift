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
