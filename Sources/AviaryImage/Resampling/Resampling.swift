/// Enlarging and reducing as MATLAB's `imresize` does it, to the bit.
///
/// Columns are filtered first (each new row is made of rows), then rows, in double precision. With
/// `rounding`, values are limited and rounded after each of the two passes, as MATLAB does with
/// pictures of 8 or 16 bits; without, nothing is limited, as with MATLAB's doubles. (MATLAB takes
/// the side with the smaller factor first; the order shows only if the sides' factors differ and
/// values are rounded.)
public struct Resampling: Hashable, Sendable {
  /// The kernel.
  public var kernel: ResamplingKernel
  /// Whether the kernel is stretched when it reduces, so that it takes in all pixels.
  public var antialias: Bool
  /// What stands beyond the borders.
  public var border: ResamplingBorder
  /// The depth to round to after each pass; nil for none.
  public var rounding: BitDepth?

  /// MATLAB's defaults: bicubic, antialiased, symmetric borders; nothing rounded.
  public init(
    _ kernel: ResamplingKernel = .bicubic, antialias: Bool = true,
    border: ResamplingBorder = .symmetric, rounding: BitDepth? = nil
  ) {
    self.kernel = kernel
    self.antialias = antialias
    self.border = border
    self.rounding = rounding
  }

  /// The image enlarged or reduced; sides become side x factor, rounded up.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.invalidSize` if the result would be too large, or the
  ///   image has no pixels.
  public func resize(_ image: Image, by factor: ScaleFactor) throws(ImageError) -> Image {
    var resampler = try BandResampler(
      self, width: image.width, height: image.height, format: image.format, by: factor)
    return try resampler.push(image)
  }

  /// The image with other sides; the factors are the quotients of the sides.
  ///
  /// - Throws: `ImageError.sizeMismatch` or `.invalidSize` if a side is below 1, or too large.
  public func resize(
    _ image: Image, toWidth width: Int, height: Int
  ) throws(ImageError) -> Image {
    var resampler = try BandResampler(
      self, width: image.width, height: image.height, format: image.format,
      toWidth: width, height: height)
    return try resampler.push(image)
  }

  /// MATLAB never antialiases the nearest pixel.
  var isAntialiased: Bool { antialias && kernel != .nearest }
}
