/// Some successive rows of a picture that passes by in bands: grows below, shrinks above.
public struct RowWindow: Sendable {
  /// Which rows of the picture are here.
  public private(set) var range: Range<Int>
  private var image: Image

  /// A window at the top of a picture, without rows yet.
  ///
  /// - Throws: `ImageError.invalidSize` if `width` is negative or too large.
  public init(width: Int, format: PixelFormat) throws(ImageError) {
    range = 0..<0
    image = try Image(width: width, height: 0, format: format)
  }

  /// Adds the rows that follow.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.formatMismatch` if the band does not fit.
  public mutating func append(_ band: Image) throws(ImageError) {
    guard band.width == image.width else {
      throw .sizeMismatch(thing: "band", expected: "width \(image.width)", found: "\(band.width)")
    }
    // An empty window takes the band as it is: a whole picture is not copied.
    image = image.height == 0 && band.format == image.format ? band : try .stacked([image, band])
    range = range.lowerBound..<range.upperBound + band.height
  }

  /// Forgets the rows above `row`; those that are not here yet are not affected.
  public mutating func discard(before row: Int) throws(ImageError) {
    let first = min(max(row, range.lowerBound), range.upperBound)
    guard first > range.lowerBound else { return }
    image = try image.rows(first - range.lowerBound..<image.height)
    range = first..<range.upperBound
  }

  /// The given rows of the picture.
  ///
  /// - Throws: `ImageError.sizeMismatch` if they are not all here.
  public func rows(_ rows: Range<Int>) throws(ImageError) -> Image {
    guard rows.lowerBound >= range.lowerBound, rows.upperBound <= range.upperBound else {
      throw .sizeMismatch(thing: "window", expected: "rows \(rows)", found: "rows \(range)")
    }
    if rows == range { return image }
    return try image.rows(
      rows.lowerBound - range.lowerBound..<rows.upperBound - range.lowerBound)
  }
}
