/// Parts of images, and images put together from parts.
extension Image {
  /// The rectangle whose upper left corner is (`x`, `y`).
  ///
  /// - Throws: `ImageError.sizeMismatch` if it does not lie within the image.
  public func cropped(x: Int, y: Int, width: Int, height: Int) throws(ImageError) -> Image {
    // Compared so that no sum of outside numbers can overflow.
    guard
      x >= 0, y >= 0, width >= 0, height >= 0, x <= self.width, y <= self.height,
      width <= self.width - x, height <= self.height - y
    else {
      throw .sizeMismatch(
        thing: "crop", expected: "a part of \(self.width)x\(self.height)",
        found: "\(width)x\(height) at (\(x), \(y))")
    }
    let (stride, rows) = (self.width, self.height)
    return try unsafe Image(width: width, height: height, format: format) { target in
      unsafe withFloats { source in
        for c in 0..<channels {
          for row in 0..<height {
            let from = (c * rows + y + row) * stride + x
            let to = (c * height + row) * width
            unsafe Image.copy(source, from, to: target, to, count: width)
          }
        }
      }
    }
  }

  /// The given rows.
  ///
  /// - Throws: `ImageError.sizeMismatch` if there are no such rows.
  public func rows(_ range: Range<Int>) throws(ImageError) -> Image {
    try cropped(x: 0, y: range.lowerBound, width: width, height: range.count)
  }

  /// The image without what is left over on the right and below when its sides are divided by
  /// `multiple`, as the evaluation protocol asks for.
  ///
  /// - Throws: `ImageError.sizeMismatch` if `multiple` is below 1.
  public func cropped(toMultipleOf multiple: Int) throws(ImageError) -> Image {
    guard multiple >= 1 else {
      throw .sizeMismatch(thing: "multiple", expected: "1 or more", found: "\(multiple)")
    }
    return try cropped(
      x: 0, y: 0, width: width / multiple * multiple, height: height / multiple * multiple)
  }

  /// Copies an image of the same channels over this one, its upper left corner at (`x`, `y`), which
  /// may lie outside; what does not fit is left out.
  ///
  /// - Throws: `ImageError.formatMismatch` if the colour model or alpha differs.
  public mutating func paste(_ image: Image, x: Int, y: Int) throws(ImageError) {
    guard image.format.color == format.color, image.format.hasAlpha == format.hasAlpha else {
      throw .formatMismatch(thing: "paste", expected: "\(format)", found: "\(image.format)")
    }
    // Clamped first: a corner anywhere in Int must not overflow.
    let left = min(max(x, -image.width), width)
    let top = min(max(y, -image.height), height)
    let columns = max(0, -left)..<max(max(0, -left), min(image.width, width - left))
    let rows = max(0, -top)..<max(max(0, -top), min(image.height, height - top))
    let (stride, planeHeight, planes) = (width, height, channels)
    unsafe withMutableFloats { target in
      unsafe image.withFloats { source in
        for c in 0..<planes {
          for row in rows {
            let from = (c * image.height + row) * image.width
            let to = (c * planeHeight + top + row) * stride + left
            unsafe Image.copy(
              source, from + columns.lowerBound, to: target, to + columns.lowerBound,
              count: columns.count)
          }
        }
      }
    }
  }

  /// Copies samples that lie together.
  private static func copy(
    _ source: UnsafeBufferPointer<Float>, _ from: Int, to target: UnsafeMutableBufferPointer<Float>,
    _ to: Int, count: Int
  ) {
    guard count > 0, let source = source.baseAddress, let target = target.baseAddress else {
      return
    }
    unsafe (target + to).update(from: source + from, count: count)
  }

  /// Images of the same width and channels, one below the other.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.formatMismatch` where one differs from the first, or
  ///   where there is none.
  public static func stacked(_ bands: [Image]) throws(ImageError) -> Image {
    guard let first = bands.first else {
      throw .sizeMismatch(thing: "stack", expected: "at least one band", found: "none")
    }
    var height = 0
    for band in bands {
      guard band.width == first.width else {
        throw .sizeMismatch(
          thing: "stack", expected: "width \(first.width)", found: "\(band.width)")
      }
      height += band.height
    }
    var result = try Image(width: first.width, height: height, format: first.format)
    var y = 0
    for band in bands {
      try result.paste(band, x: 0, y: y)
      y += band.height
    }
    return result
  }
}

/// Some successive rows of an image that passes by in bands: grows below, shrinks above.
public struct RowWindow: Sendable {
  /// Which rows of the image are here.
  public private(set) var range: Range<Int>
  private let width: Int
  private let format: PixelFormat
  /// As they came; the first may begin above `range`.
  private var bands: [Image] = []

  /// A window at the top of an image, without rows yet.
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

  /// The given rows of the image.
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

  /// The row of the image at which the first band begins.
  private var top: Int { range.upperBound - bands.reduce(0) { $0 + $1.height } }
}
