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
