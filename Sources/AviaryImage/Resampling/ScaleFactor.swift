/// By how much a picture is enlarged or reduced: an exact fraction.
public struct ScaleFactor: Hashable, Sendable {
  /// Pixels of the result for each `denominator` pixels given.
  public let numerator: Int
  /// Pixels given for each `numerator` pixels of the result.
  public let denominator: Int

  /// A fraction, such as 3/2; the denominator is 1 where it is left out.
  ///
  /// - Throws: `ImageError.invalidScale` unless both lie from 1 to 2^20.
  public init(_ numerator: Int, over denominator: Int = 1) throws(ImageError) {
    guard 1...1 << 20 ~= numerator, 1...1 << 20 ~= denominator else {
      throw .invalidScale(numerator: numerator, denominator: denominator)
    }
    self.numerator = numerator
    self.denominator = denominator
  }

  /// The length that so many pixels get: rounded up, as MATLAB does.
  ///
  /// - Throws: `ImageError.sizeMismatch` if it is beyond 2^40.
  public func length(of count: Int) throws(ImageError) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: numerator)
    guard count >= 0, !overflow, product < 1 << 60, product / denominator < 1 << 40 else {
      throw .sizeMismatch(
        thing: "scaled side", expected: "at most 2^40 pixels",
        found: "\(count) by \(numerator)/\(denominator)")
    }
    return (product + denominator - 1) / denominator
  }

  /// The fraction as a number.
  var value: Double { Double(numerator) / Double(denominator) }
}
