/// Colour models converted into each other.
extension Image {
  /// The image in another colour model; alpha stays as it is, and nothing is rounded or limited.
  ///
  /// - `ycbcr`: MATLAB's `rgb2ycbcr` and `ycbcr2rgb` (BT.601, studio range: Y = 16 + 65.481 R +
  ///   128.553 G + 24.966 B of 255), both ways by the full 3x3 matrix.
  /// - `fullRangeYCbCr`: as in JPEG files (JFIF 1.02).
  /// - `luma`: the Y of `ycbcr`. A gray image's values are taken for luma as they are: published
  ///   figures for gray pictures (bridge in Set14) are measured on the gray values, and a network on
  ///   luma takes and gives them so. As a part of `ycbcr`, gray goes by way of equal R, G and B.
  /// - `gray`: of colour pictures, the Y of `fullRangeYCbCr`; of luma, its values as they are.
  ///
  /// - Throws: `ImageError.noConversion` from luma alone to colour.
  public func converted(to color: ColorModel) throws(ImageError) -> Image {
    try converted(to: color, threads: 1)
  }

  /// The same on several threads.
  package func converted(to color: ColorModel, threads: Int) throws(ImageError) -> Image {
    let target = PixelFormat(color, hasAlpha: format.hasAlpha, bitDepth: format.bitDepth)
    switch (format.color, color) {
    case _ where format.color == color:
      return self
    case (.gray, .luma), (.luma, .gray):
      return try labelled(target)
    case (.luma, _):
      throw .noConversion(from: format.color, to: color)
    default:
      // Both steps by way of RGB in one matrix, so that there is one rounding to float32.
      let transform = ColorTransform.toRGB(format.color).then(.fromRGB(color))
      let (count, inputs, outputs) = (width * height, format.color.channels, color.channels)
      let (hasAlpha, last) = (format.hasAlpha, channels - 1)
      return try unsafe Image(width: width, height: height, format: target) { result in
        unsafe withFloats { source in
          guard let source = source.baseAddress, let result = result.baseAddress else { return }
          unsafe transform.apply(
            to: (0..<inputs).map { unsafe source + $0 * count }, count: count, target: result,
            threads: threads)
          guard hasAlpha else { return }
          unsafe (result + outputs * count).update(from: source + last * count, count: count)
        }
      }
    }
  }

  /// RGB of the planes of `ycbcr`, each an image of its own.
  ///
  /// - Throws: `ImageError.sizeMismatch` unless all have one plane of the same size.
  package init(
    luma: Image, blue: Image, red: Image, bitDepth: BitDepth, threads: Int
  ) throws(ImageError) {
    for (name, plane) in [("luma", luma), ("blue", blue), ("red", red)] {
      guard plane.channels == 1, plane.width == luma.width, plane.height == luma.height else {
        throw .sizeMismatch(
          thing: name, expected: "\(luma.width)x\(luma.height) with 1 channel",
          found: "\(plane.width)x\(plane.height) with \(plane.channels)")
      }
    }
    let format = PixelFormat(.rgb, bitDepth: bitDepth)
    let count = luma.width * luma.height
    try unsafe self.init(width: luma.width, height: luma.height, format: format) { result in
      unsafe luma.withFloats { luma in
        unsafe blue.withFloats { blue in
          unsafe red.withFloats { red in
            guard let luma = luma.baseAddress, let blue = blue.baseAddress,
              let red = red.baseAddress, let result = result.baseAddress
            else { return }
            unsafe ColorTransform.toRGB(.ycbcr).apply(
              to: [luma, blue, red], count: count, target: result, threads: threads)
          }
        }
      }
    }
  }
}
