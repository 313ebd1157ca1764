package import AviaryImage

/// Horizontal bars starting at 0, each with a target mark: the ratios of a comparison.
package struct BarPlot {
  /// A bar.
  package struct Bar {
    /// The text before it.
    package var label: String
    /// Its length.
    package var value: Double
    /// The position of the mark.
    package var mark: Double
    /// The text after it.
    package var note: String

    /// - Parameters:
    ///   - value: 0 to 1e30.
    ///   - mark: as `value`.
    package init(label: String, value: Double, mark: Double, note: String) {
      (self.label, self.value, self.mark, self.note) = (label, value, mark, note)
    }
  }

  private let title: String
  private let bars: [Bar]

  /// In pixels: the image, a row, the space for labels, and that for notes.
  private static let width = 1200
  private static let line = 30.0, labels = 490.0, notes = 310.0, top = 50.0

  /// - Parameter bars: at least one, from top to bottom.
  package init(title: String, _ bars: [Bar]) { (self.title, self.bars) = (title, bars) }

  private var height: Int { Int(BarPlot.top + BarPlot.line * Double(bars.count) + 50) }

  /// As an image.
  package var image: Image {
    get throws(ImageError) {
      var canvas = try ImageCanvas(width: BarPlot.width, height: height)
      draw(on: &canvas)
      return canvas.image
    }
  }

  /// As an SVG file.
  package var svg: String {
    var canvas = SVGCanvas(width: BarPlot.width, height: height)
    draw(on: &canvas)
    return canvas.text
  }

  private func draw(on canvas: inout some PlotCanvas) {
    // Bars are cut off at twice the length of the median bar, so that one far ahead does not
    // flatten all others. The notes give their values.
    let median = bars.map(\.value).sorted()[bars.count / 2]
    let end = max(2 * median, (bars.map(\.mark).max() ?? 1) * 1.1)
    let axis = PlotAxis(linear: [0, min(end, bars.flatMap { [$0.value, $0.mark] }.max() ?? 1)])
    let left = BarPlot.labels + 10
    let room = Double(BarPlot.width) - left - BarPlot.notes
    func x(_ value: Double) -> Double { left + room * min(max(axis.position(value), 0), 1) }
    let bottom = BarPlot.top + BarPlot.line * Double(bars.count)
    canvas.text(title, x: Double(BarPlot.width) / 2, y: 24, anchor: .middle, .black)
    for (value, label) in axis.ticks {
      canvas.fill(x: x(value), y: BarPlot.top, width: 1, height: bottom - BarPlot.top, .pale)
      canvas.text(label, x: x(value), y: bottom + 18, anchor: .middle, .black)
    }
    for (position, bar) in bars.enumerated() {
      let y = BarPlot.top + BarPlot.line * (Double(position) + 0.5)
      let isReached = bar.value >= bar.mark
      canvas.text(bar.label, x: BarPlot.labels, y: y, anchor: .end, .black)
      canvas.fill(
        x: left, y: y - 9, width: max(x(bar.value) - left, 1), height: 18,
        PlotColor.curves[isReached ? 0 : 1])
      canvas.fill(x: x(bar.mark) - 1, y: y - 13, width: 3, height: 26, .black)
      canvas.text(
        bar.note, x: max(x(bar.value), x(bar.mark)) + 12, y: y, anchor: .start, .black)
    }
    canvas.fill(x: left, y: BarPlot.top, width: 1, height: bottom - BarPlot.top, .black)
  }
}
