/// Real functions built only from sums, products and quotients.
///
/// Those of the C library differ in the last bit between versions and processors, and then so does
/// every weight of a training. IEEE 754 defines sums, products, quotients and square roots to the
/// last bit, and Swift does not fuse them, so these functions give the same result everywhere.
/// Their errors are a few units in the last place.
enum PortableMath {
  private static let ln2 = 0x1.62e4_2fef_a39efp-1

  /// The natural logarithm of a positive number.
  static func log(_ x: Double) -> Double {
    var (exponent, m) = (Double(x.exponent), x.significand)
    if m > 0x1.6a09_e667_f3bcdp0 {
      m /= 2
      exponent += 1
    }
    // ln m = 2 artanh s, with s² below 0.03: twelve terms reach the last bit.
    let s = (m - 1) / (m + 1)
    let square = s * s
    var sum = 0.0
    for n in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / n }
    return 2 * s * sum + exponent * ln2
  }

  /// The cosine and sine of a fraction of a full turn.
  static func cosineAndSine(ofTurns x: Double) -> (cosine: Double, sine: Double) {
    // Reduce to within an eighth of a turn of the nearest quarter, which is exact.
    let quarters = (4 * x).rounded(.toNearestOrEven)
    let angle = (x - quarters / 4) * (2 * .pi)
    let square = angle * angle
    var (cosine, sine) = (1.0, 1.0)
    for n in stride(from: 18.0, through: 2, by: -2) {
      cosine = 1 - cosine * square / (n * (n - 1))
      sine = 1 - sine * square / (n * (n + 1))
    }
    sine *= angle
    switch Int(quarters) & 3 {
    case 0: return (cosine, sine)
    case 1: return (-sine, cosine)
    case 2: return (-cosine, -sine)
    default: return (sine, -cosine)
    }
  }

  /// A number to an integer power, by squaring.
  static func power(_ x: Double, _ exponent: Int) -> Double {
    var (result, base, left) = (1.0, x, exponent)
    while left > 0 {
      if left & 1 == 1 { result *= base }
      base *= base
      left >>= 1
    }
    return result
  }
}
