/// How large the result of enlarging is to be, where that is not what the network makes.
public enum TargetSize: Hashable, Sendable {
  /// So many times as high and wide, rounded to the nearest pixel.
  case scale(Double)
  /// So many columns, and rows in proportion.
  case width(Int)
  /// So many rows, and columns in proportion.
  case height(Int)
  /// Exactly so many columns and rows, whatever the image's proportions are.
  case exact(width: Int, height: Int)
  /// As large as fits into so many columns and rows, in proportion.
  case fit(width: Int, height: Int)

  /// The result's columns and rows, each at least 1.
  ///
  /// - Parameters:
  ///   - width: the image's columns.
  ///   - height: the image's rows.
  /// - Throws: `AviaryError.imageSize` beyond 2^20 pixels on a side.
  public func size(width: Int, height: Int) throws(AviaryError) -> (width: Int, height: Int) {
    func scaled(by factor: Double) throws(AviaryError) -> (width: Int, height: Int) {
      let sides = [width, height].map { (Double($0) * factor).rounded() }
      guard let largest = sides.max(), largest <= 0x1p20 else {
        throw .imageSize(
          "result", expected: "sides of at most \(1 << 20) pixels",
          found: "\(width)x\(height) by \(factor)")
      }
      return (max(Int(sides[0]), 1), max(Int(sides[1]), 1))
    }
    let (across, down) = (Double(max(width, 1)), Double(max(height, 1)))
    switch self {
    case .scale(let factor): return try scaled(by: factor)
    case .width(let columns):
      return (columns, try scaled(by: Double(columns) / across).height)
    case .height(let rows):
      return (try scaled(by: Double(rows) / down).width, rows)
    case .exact(let columns, let rows): return (columns, rows)
    case .fit(let columns, let rows):
      let size = try scaled(by: min(Double(columns) / across, Double(rows) / down))
      return (min(size.width, columns), min(size.height, rows))
    }
  }
}
