package import AviaryImage
internal import Glibc

/// The curves of one or more trainings: the loss, on a logarithmic scale unless some of it is
/// negative, and the validation results.
package struct CurvePlot {
  /// A training's log, with its display name.
  private struct Run {
    var name: String
    var color: PlotColor
    var loss: [(step: Int, value: Double)]
    var psnr: [(step: Int, value: Double)]
    var bicubic: [(step: Int, value: Double)]
  }

  /// A curve of a panel.
  private struct Curve {
    var label: String?
    var color: PlotColor
    var width = 2.0
    var opacity = 1.0
    var isDashed = false
    var points: [(step: Int, value: Double)]
  }

  /// The size of the image in pixels.
  package static let width = 1200, height = 600
  /// The range that can be drawn: beyond it there is no room for a tick's label.
  private static let drawable = -1e30...1e30
  /// The smallest value worth a logarithmic axis.
  private static let leastLogarithm = 1e-30
  private let runs: [Run]

  /// A plot of the logs of some runs.
  ///
  /// - Throws: `TrainingError.data` for a log without a single step, or one whose losses cannot be
  ///   drawn.
  package init(_ logs: [(name: String, log: LogTable)]) throws(TrainingError) {
    var runs: [Run] = []
    for (i, (name, log)) in logs.enumerated() {
      let loss = log.points("loss").filter { CurvePlot.drawable.contains($0.value) }
      let figures = ["psnr", "bicubic-psnr"].map { name in
        log.points(name).filter { $0.value.magnitude < 1000 }
      }
      guard !loss.isEmpty else {
        throw .data(
          path: name,
          expected: log.rows.isEmpty ? "a log with a step at least" : "a loss that can be drawn",
          found: log.rows.isEmpty ? "none" : "none in \(log.rows.count) rows")
      }
      runs.append(
        Run(
          name: name, color: PlotColor.curves[i % PlotColor.curves.count], loss: loss,
          psnr: figures[0], bicubic: figures[1]))
    }
    self.runs = runs
  }

  /// As an image.
  package var image: Image {
    get throws(ImageError) {
      var canvas = try ImageCanvas(width: CurvePlot.width, height: CurvePlot.height)
      draw(on: &canvas)
      return canvas.image
    }
  }

  /// As an SVG file.
  package var svg: String {
    var canvas = SVGCanvas(width: CurvePlot.width, height: CurvePlot.height)
    draw(on: &canvas)
    return canvas.text
  }

  private func draw(on canvas: inout some PlotCanvas) {
    let smooth = runs.map { CurvePlot.smoothed($0.loss) }
    var losses: [Curve] = []
    for run in runs {
      losses.append(Curve(color: run.color, width: 1, opacity: 0.3, points: run.loss))
    }
    for (run, points) in zip(runs, smooth) {
      losses.append(Curve(label: run.name, color: run.color, points: points))
    }
    // Outlying batches must not flatten the curve: the axis covers 98 % of each run.
    let held = runs.flatMap { run in
      let values = run.loss.map(\.value).sorted()
      return [values[values.count / 100], values[values.count - 1 - values.count / 100]]
    }
    let steps = runs.flatMap { $0.loss.map { Double($0.step) } }
    let abscissa = PlotAxis(linear: [0, steps.max() ?? 1])
    // An adversarial loss may be negative, and then has no logarithm.
    let shown = held + smooth.flatMap { $0.map(\.value) }
    let above = shown.filter { $0 >= CurvePlot.leastLogarithm }
    let isLogarithmic = !above.isEmpty && runs.allSatisfy { $0.loss.allSatisfy { $0.value >= 0 } }
    panel(
      "Loss", x: 80, abscissa,
      isLogarithmic ? PlotAxis(logarithmic: above) : PlotAxis(linear: shown), losses,
      isLegendAbove: true, on: &canvas)
    var figures = runs.map { Curve(label: $0.name, color: $0.color, points: $0.psnr) }
    // A single horizontal line: bicubic's figure is the same at all steps, and often in all runs.
    let bicubic = runs.compactMap { run in run.bicubic.last.map { (run, $0.value) } }
    let isOne = Set(bicubic.map(\.1)).count == 1
    for (run, value) in isOne ? Array(bicubic.prefix(1)) : bicubic {
      figures.append(
        Curve(
          label: isOne ? "bicubic" : "bicubic, \(run.name)", color: isOne ? .gray : run.color,
          width: 1.5, isDashed: true,
          points: [(0, value), (Int(abscissa.range.upperBound), value)]))
    }
    figures.removeAll { $0.points.isEmpty }
    let values = figures.flatMap { $0.points.map(\.value) }
    panel(
      values.isEmpty ? "PSNR: no validation yet" : "PSNR of validation, dB", x: 680, abscissa,
      PlotAxis(linear: values), figures, isLegendAbove: false, on: &canvas)
  }

  /// One of the two panels.
  private func panel(
    _ title: String, x left: Double, _ abscissa: PlotAxis, _ ordinate: PlotAxis, _ curves: [Curve],
    isLegendAbove: Bool, on canvas: inout some PlotCanvas
  ) {
    let (width, top, height) = (490.0, 50.0, 480.0)
    canvas.text(title, x: left + width / 2, y: 24, anchor: .middle, .black)
    canvas.text("step", x: left + width / 2, y: top + height + 48, anchor: .middle, .black)
    func place(_ step: Double, _ value: Double) -> PlotPoint {
      // Draw values beyond the axis at its end.
      let y = min(max(ordinate.position(value), 0), 1)
      return PlotPoint(left + width * abscissa.position(step), top + height * (1 - y))
    }
    for (value, label) in abscissa.ticks {
      let x = place(value, ordinate.range.lowerBound).x
      canvas.fill(x: x, y: top, width: 1, height: height, .pale)
      canvas.text(label, x: x, y: top + height + 20, anchor: .middle, .black)
    }
    for (value, label) in ordinate.ticks {
      let y = place(0, value).y
      canvas.fill(x: left, y: y, width: width, height: 1, .pale)
      canvas.text(label, x: left - 10, y: y, anchor: .end, .black)
    }
    for curve in curves {
      let points = CurvePlot.thinned(
        curve.points.map { place(Double($0.step), $0.value) })
      canvas.line(
        points.count == 1 ? [points[0], points[0]] : points, width: curve.width, curve.color,
        opacity: curve.opacity, isDashed: curve.isDashed)
      // With only two or three validations, a line alone is hard to see.
      if curve.points.count <= 40, !curve.isDashed, curve.opacity == 1 {
        for point in points {
          canvas.fill(x: point.x - 2, y: point.y - 2, width: 5, height: 5, curve.color)
        }
      }
    }
    canvas.fill(x: left, y: top, width: 1, height: height, .black)
    canvas.fill(x: left, y: top + height, width: width + 1, height: 1, .black)
    legend(
      curves, right: left + width - 10, y: isLegendAbove ? top + 10 : top + height / 2,
      on: &canvas)
  }

  /// Names beside short lines, away from the curves: above falling ones, below rising ones and
  /// above the line that they start from.
  private func legend(
    _ curves: [Curve], right: Double, y top: Double, on canvas: inout some PlotCanvas
  ) {
    let named = curves.compactMap { curve in curve.label.map { ($0.shortened, curve) } }
    guard !named.isEmpty else { return }
    let textWidth = named.map { canvas.width(of: $0.0) }.max() ?? 0
    let height = 22.0 * Double(named.count) + 8
    let left = right - textWidth - 60
    canvas.fill(x: left, y: top, width: textWidth + 60, height: height, .white)
    for (i, (label, curve)) in named.enumerated() {
      let y = top + 15 + 22 * Double(i)
      canvas.line(
        [PlotPoint(left + 8, y), PlotPoint(left + 40, y)], width: curve.width, curve.color,
        opacity: 1, isDashed: curve.isDashed)
      canvas.text(label, x: left + 50, y: y, anchor: .start, .black)
    }
  }

  /// The moving average over at least a hundredth of the curve, with weights that decay into the
  /// past.
  private static func smoothed(
    _ points: [(step: Int, value: Double)]
  ) -> [(step: Int, value: Double)] {
    let keep = 1 - 1 / Double(max(points.count / 50, 1))
    var (sum, weight) = (0.0, 0.0)
    return points.map { step, value in
      // Divide by the weights so far, so that the first numbers are not biased towards 0.
      (sum, weight) = (sum * keep + value, weight * keep + 1)
      return (step, sum / weight)
    }
  }

  /// At most four points per column of pixels: the first, the smallest, the largest, the last. More
  /// would not be visible.
  private static func thinned(_ points: [PlotPoint]) -> [PlotPoint] {
    var result: [PlotPoint] = []
    var start = points.startIndex
    while start < points.endIndex {
      let column = points[start].x.rounded(.down)
      let end =
        points[start...].firstIndex { $0.x.rounded(.down) != column } ?? points.endIndex
      let part = points[start..<end]
      if part.count <= 4 {
        result += part
      } else {
        let indices = part.indices
        let low = indices.min { part[$0].y < part[$1].y } ?? start
        let high = indices.max { part[$0].y < part[$1].y } ?? start
        result += [start, min(low, high), max(low, high), end - 1].map { part[$0] }
      }
      start = end
    }
    return result
  }
}

extension String {
  /// Shortened for a legend; the end of a path says more than its beginning.
  fileprivate var shortened: String { count > 24 ? "..." + suffix(21) : self }
}

/// An axis: its range, and ticks at round numbers.
struct PlotAxis {
  /// Whether equal distances are equal ratios.
  let isLogarithmic: Bool
  /// The ends; above 0 for logarithms.
  let range: ClosedRange<Double>
  /// Where the ticks are, with their labels.
  let ticks: [(value: Double, label: String)]

  /// An axis that covers the given numbers, of at most 1e30, and ends at ticks.
  init(linear values: [Double], count: Int = 6) {
    var low = values.min() ?? 0, high = values.max() ?? 1
    // A single value needs some room, too.
    if high - low <= max(abs(low), abs(high)) * 1e-9 {
      let room = max(0.5, abs(low) * 0.01)
      (low, high) = (low - room, high + room)
    }
    let step = PlotAxis.step(for: (high - low) / Double(count))
    let first = (low / step).rounded(.down), last = (high / step).rounded(.up)
    isLogarithmic = false
    range = first * step...last * step
    ticks = (0...Int(last - first)).map { i in
      let value = (first + Double(i)) * step
      return (value, PlotAxis.label(value, step: step))
    }
  }

  /// A logarithmic axis that covers the given positive numbers.
  init(logarithmic values: [Double]) {
    var low = values.min() ?? 0.1, high = values.max() ?? 1
    if high < low * 1.2 { (low, high) = (low / 1.2, high * 1.2) }
    let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    // The fewer decades there are, the more of their multiples get a tick.
    let span = log10(high / low)
    let multiples: [Double] = span > 3 ? [1] : span > 1.2 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]
    let candidates = decades.flatMap { decade in
      // Written as text, so that 3 x 0.1 is 0.3.
      multiples.compactMap { Double("\($0)e\(decade)") }
    }
    let first = candidates.last { $0 <= low } ?? low
    let last = candidates.first { $0 >= high } ?? high
    let inside = candidates.filter { (first...last).contains($0) }
    (isLogarithmic, range) = (true, first...last)
    let sparse = Swift.max(1, (inside.count + 7) / 8)
    ticks = inside.enumerated().filter { $0.offset % sparse == 0 }.map { ($1, PlotAxis.label($1)) }
  }

  /// A number's position: 0 at the lower end, 1 at the upper.
  func position(_ value: Double) -> Double {
    isLogarithmic
      ? log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
      : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// 1, 2 or 5 times a power of ten, at least as large as `rough`.
  private static func step(for rough: Double) -> Double {
    let decade = pow(10, log10(rough).rounded(.down))
    return (([1, 2, 5].first { $0 * decade >= rough * 0.999 }) ?? 10) * decade
  }

  /// With as many digits as the step needs, K for thousands and M for millions.
  private static func label(_ value: Double, step: Double) -> String {
    let value = value.magnitude < step / 2 ? 0 : value
    for (unit, name) in [(1e6, "M"), (1e3, "K")] where step >= unit / 100 && value.magnitude >= unit
    {
      return label(value / unit, step: step / unit) + name
    }
    var digits = 0
    var rest = step
    while digits < 9, (rest - rest.rounded()).magnitude > 1e-6 {
      (rest, digits) = (rest * 10, digits + 1)
    }
    return fixed(value, digits)
  }

  /// The label of a tick on a logarithmic axis.
  private static func label(_ value: Double) -> String {
    value >= 1e-4 && value < 1e5 ? value.brief : "\(value)"
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.magnitude < 1e9 else { return "\(value)" }
    guard digits > 0 else { return "\(Int(value.rounded()))" }
    let factor = pow(10, Double(digits))
    let whole = Int((value.magnitude * factor).rounded())
    let rest = "\(whole % Int(factor))"
    let zeros = String(repeating: "0", count: digits - rest.count)
    return "\(value < 0 ? "-" : "")\(whole / Int(factor)).\(zeros)\(rest)"
  }
}
