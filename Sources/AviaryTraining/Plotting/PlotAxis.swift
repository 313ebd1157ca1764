internal import Glibc

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
