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
      return try applying(ColorTransform.toRGB(format.color).then(.fromRGB(color)), target)
    }
  }

  private func applying(
    _ transform: ColorTransform, _ target: PixelFormat
  ) throws(ImageError) -> Image {
    let count = width * height
    let inputs = format.color.channels
    let (hasAlpha, alphaPlane) = (format.hasAlpha, channels - 1)
    return try unsafe Image(width: width, height: height, format: target) { result in
      unsafe withFloats { source in
        for row in 0..<target.color.channels {
          let weights = transform.matrix[row]
          for i in 0..<count {
            var sum = transform.offset[row]
            for c in 0..<inputs { unsafe sum += weights[c] * Double(source[c * count + i]) }
            unsafe result[row * count + i] = Float(sum)
          }
        }
        guard hasAlpha else { return }
        for i in 0..<count {
          unsafe result[target.color.channels * count + i] = unsafe source[alphaPlane * count + i]
        }
      }
    }
  }
}
