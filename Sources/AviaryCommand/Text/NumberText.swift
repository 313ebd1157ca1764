/// Numbers as people read them. Foundation's formatters would load ICU, whose tables alone take
/// longer to load than the program takes to start.
enum NumberText {
  /// With a fixed number of digits after the decimal point.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    var factor = 1.0
    for _ in 0..<digits { factor *= 10 }
    let scaled = (value * factor).rounded()
    // Infinite, not a number, or beyond what an integer holds exactly.
    guard scaled.magnitude < 1e15 else { return "\(value)" }
    guard digits > 0 else { return "\(Int(scaled))" }
    let whole = Int(scaled.magnitude) / Int(factor), rest = Int(scaled.magnitude) % Int(factor)
    let fraction = "\(rest)"
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(scaled < 0 ? "-" : "")\(whole).\(zeros)\(fraction)"
  }

  /// With three significant digits, or in scientific notation.
  static func short(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return "\(value == 0 ? "0" : "\(value)")" }
    let exponent = value.magnitude.exponentOfTen
    guard (-4..<6).contains(exponent) else {
      var mantissa = value
      for _ in 0..<abs(exponent) { mantissa = exponent > 0 ? mantissa / 10 : mantissa * 10 }
      return "\(fixed(mantissa, 2))e\(exponent)"
    }
    return fixed(value, max(3 - exponent, 0))
  }

  /// An integer with thousands separators: 693,760.
  static func grouped(_ value: Int) -> String {
    let digits = Array("\(value.magnitude)")
    var text = value < 0 ? "-" : ""
    for (position, digit) in digits.enumerated() {
      if position > 0, (digits.count - position) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// A large number in thousands, millions, …: 694 K, 159 G.
  static func scaled(_ value: Double) -> String {
    var (value, unit) = (value, "")
    for next in ["K", "M", "G", "T", "P"] where value >= 999.5 {
      (value, unit) = (value / 1000, next)
    }
    let text =
      unit.isEmpty || value >= 99.95 ? fixed(value, 0) : fixed(value, value < 9.995 ? 2 : 1)
    return unit.isEmpty ? text : "\(text) \(unit)"
  }

  /// A number of bytes: 2.7 MiB.
  static func bytes(_ count: Int) -> String {
    var (value, unit) = (Double(count), "B")
    for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
      (value, unit) = (value / 1024, next)
    }
    return "\(unit == "B" || value >= 100 ? fixed(value, 0) : fixed(value, 1)) \(unit)"
  }

  /// A time: 0.42 s, 12 s, 3:05, 1:02:03.
  static func duration(_ seconds: Double) -> String {
    if seconds < 9.95 { return "\(fixed(seconds, seconds < 0.995 ? 2 : 1)) s" }
    guard seconds >= 59.5 else { return "\(fixed(seconds, 0)) s" }
    let whole = Int(min(seconds.rounded(), 1e9))
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (hours, minutes) = (whole / 3600, whole / 60 % 60)
    return hours > 0
      ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
  }
}

extension Double {
  /// The power of ten of the first digit, for numbers above 0.
  fileprivate var exponentOfTen: Int {
    var (value, exponent) = (self, 0)
    while value >= 10 { (value, exponent) = (value / 10, exponent + 1) }
    while value < 1 { (value, exponent) = (value * 10, exponent - 1) }
    return exponent
  }
}
