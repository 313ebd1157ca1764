/// Planes and alpha of images.
extension Image {
  /// One plane as a gray image.
  ///
  /// - Throws: `ImageError.formatMismatch` if there is no such plane.
  public func plane(_ index: Int) throws(ImageError) -> Image {
    try planes(index..<index + 1, as: PixelFormat(.gray, bitDepth: format.bitDepth))
  }

  /// Puts a one-channel image in the place of a plane.
  ///
  /// - Throws: `ImageError.formatMismatch` if there is no such plane or `image` has several;
  ///   `ImageError.sizeMismatch` if `image` has another size.
  public mutating func replacePlane(_ index: Int, with image: Image) throws(ImageError) {
    guard 0..<channels ~= index, image.channels == 1 else {
      throw .formatMismatch(
        thing: "plane \(index)", expected: "1 channel in place of one of \(channels)",
        found: "\(image.channels)")
    }
    guard image.width == width, image.height == height else {
      throw .sizeMismatch(
        thing: "plane \(index)", expected: "\(width)x\(height)",
        found: "\(image.width)x\(image.height)")
    }
    let count = width * height
    unsafe withMutableFloats { target in
      unsafe image.withFloats { source in
        for i in 0..<count { unsafe target[index * count + i] = unsafe source[i] }
      }
    }
  }

  /// The alpha channel as a gray image, or nil where there is none.
  public var alpha: Image? {
    get throws(ImageError) { format.hasAlpha ? try plane(channels - 1) : nil }
  }

  /// The colour without alpha.
  public var opaque: Image {
    get throws(ImageError) {
      guard format.hasAlpha else { return self }
      return try planes(
        0..<channels - 1, as: PixelFormat(format.color, bitDepth: format.bitDepth))
    }
  }

  /// The colour of this image with the alpha of another, in place of its own if it has one.
  ///
  /// - Throws: `ImageError.formatMismatch` if `alpha` has several channels;
  ///   `ImageError.sizeMismatch` if it has another size.
  public func withAlpha(_ alpha: Image) throws(ImageError) -> Image {
    var result = try Image(
      width: width, height: height,
      format: PixelFormat(format.color, hasAlpha: true, bitDepth: format.bitDepth))
    let count = width * height * format.color.channels
    unsafe result.withMutableFloats { target in
      unsafe withFloats { source in
        for i in 0..<count { unsafe target[i] = unsafe source[i] }
      }
    }
    try result.replacePlane(format.color.channels, with: alpha)
    return result
  }

  /// The same samples under another name or depth, as when a network's output is said to be luma.
  ///
  /// - Throws: `ImageError.formatMismatch` if the number of channels differs.
  public func labelled(_ format: PixelFormat) throws(ImageError) -> Image {
    try Image(pixels: pixels, format: format)
  }

  /// Each value limited to 0...1 and rounded to the nearest that an integer of `depth` bits can
  /// hold, halves upwards (as MATLAB rounds them); NaN becomes 0. Floats stay as they are.
  public func rounded(to depth: BitDepth) -> Image {
    if depth == .float { return self }
    var result = self
    let maximum = Float(depth.maximum)
    unsafe result.withMutableFloats { values in
      for i in values.indices {
        unsafe values[i] = Float(Samples.level(values[i], maximum: maximum)) / maximum
      }
    }
    return result
  }

  private func planes(_ range: Range<Int>, as format: PixelFormat) throws(ImageError) -> Image {
    guard range.lowerBound >= 0, range.upperBound <= channels else {
      throw .formatMismatch(
        thing: "plane \(range.lowerBound)", expected: "one of \(channels) planes", found: "none")
    }
    let count = width * height
    return try unsafe Image(width: width, height: height, format: format) { target in
      unsafe withFloats { source in
        let first = range.lowerBound * count
        for i in 0..<range.count * count { unsafe target[i] = unsafe source[first + i] }
      }
    }
  }
}
