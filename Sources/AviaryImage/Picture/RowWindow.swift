/// Some successive rows of a picture that passes by in bands: grows below, shrinks above.
public struct RowWindow: Sendable {
  /// Which rows of the picture are here.
  public private(set) var range: Range<Int>
  private let width: Int
  private let format: PixelFormat
  /// As they came; the first may begin above `range`.
  private var bands: [Image] = []

  /// A window at the top of a picture, without rows yet.
  ///
  /// - Throws: `ImageError.invalidSize` if `width` is negative.
  public init(width: Int, format: PixelFormat) throws(ImageError) {
    guard width >= 0 else {
      throw .invalidSize(width: width, height: 0, channels: format.channels)
    }
    range = 0..<0
    (self.width, self.format) = (width, format)
  }

  /// Adds the rows that follow.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.formatMismatch` if the band does not fit.
  public mutating func append(_ band: Image) throws(ImageError) {
    guard band.width == width else {
      throw .sizeMismatch(thing: "band", expected: "width \(width)", found: "\(band.width)")
    }
    guard band.format.color == format.color, band.format.hasAlpha == format.hasAlpha else {
      throw .formatMismatch(thing: "band", expected: "\(format)", found: "\(band.format)")
    }
    if band.height > 0 { bands.append(band) }
    range = range.lowerBound..<range.upperBound + band.height
  }

  /// Forgets the rows above `row`; those that are not here yet are not affected.
  public mutating func discard(before row: Int) throws(ImageError) {
    let first = min(max(row, range.lowerBound), range.upperBound)
    var top = self.top
    while let band = bands.first, top + band.height <= first {
      bands.removeFirst()
      top += band.height
    }
    range = first..<range.upperBound
  }

  /// The given rows of the picture.
  ///
  /// - Throws: `ImageError.sizeMismatch` if they are not all here.
  public func rows(_ rows: Range<Int>) throws(ImageError) -> Image {
    guard rows.lowerBound >= range.lowerBound, rows.upperBound <= range.upperBound else {
      throw .sizeMismatch(thing: "window", expected: "rows \(rows)", found: "rows \(range)")
    }
    var parts: [Image] = []
    var position = top
    for band in bands {
      let part = rows.clamped(to: position..<position + band.height)
      // A band that is wanted whole is not copied.
      if part.count == band.height {
        parts.append(band)
      } else if !part.isEmpty {
        parts.append(try band.rows(part.lowerBound - position..<part.upperBound - position))
      }
      position += band.height
    }
    if parts.count == 1 { return parts[0] }
    return parts.isEmpty ? try Image(width: width, height: 0, format: format) : try .stacked(parts)
  }

  /// The row of the picture at which the first band begins.
  private var top: Int { range.upperBound - bands.reduce(0) { $0 + $1.height } }
}
