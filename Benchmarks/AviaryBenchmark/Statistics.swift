extension [Double] {
  /// The middle value, the upper one of two as the peers take it; not a number where there is none.
  var median: Double { isEmpty ? .nan : sorted()[count / 2] }
}

extension Double {
  /// The nearest number with so many decimal places.
  func rounded(to places: Int) -> Double {
    var factor = 1.0
    for _ in 0..<places { factor *= 10 }
    return (self * factor).rounded() / factor
  }

  /// The number with exactly so many decimal places, as text.
  func text(_ places: Int) -> String {
    guard isFinite else { return "\(self)" }
    let parts = "\(rounded(to: places))".split(separator: ".")
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    guard places > 0 else { return String(parts[0]) }
    return "\(parts[0])."
      + (fraction + String(repeating: "0", count: max(places - fraction.count, 0)))
  }
}
