public import AviaryTensor

/// An image in memory, or a band of rows of one: planes of float32.
///
/// Values run from 0 to 1 (8-bit 255 and 16-bit 65535 are 1); what lies outside, as networks and
/// bicubic enlarging produce, is kept until the image is rounded or written. A copy is cheap: the
/// pixels are shared until one of the copies is changed.
public struct Image: Hashable, Sendable {
  /// The largest number of samples (width x height x channels) in one image: 8 GiB of memory.
  public static let maximumSampleCount = 1 << 31

  /// What the channels are.
  public let format: PixelFormat
  /// The samples, float32 of shape [channels, height, width].
  public private(set) var pixels: Tensor

  /// An image of zeros: black, and transparent where it has alpha.
  ///
  /// - Throws: `ImageError.invalidSize` for negative sizes and those beyond `maximumSampleCount`.
  public init(width: Int, height: Int, format: PixelFormat) throws(ImageError) {
    let shape = [format.channels, height, width]
    guard
      width >= 0, height >= 0,
      let count = try? Tensor.count(of: shape), count <= Image.maximumSampleCount,
      let pixels = try? Tensor(zeros: shape)
    else { throw .invalidSize(width: width, height: height, channels: format.channels) }
    self.format = format
    self.pixels = pixels
  }

  /// An image of the given samples.
  ///
  /// - Throws: `ImageError.formatMismatch` unless `pixels` is float32 of shape
  ///   [`format.channels`, height, width].
  public init(pixels: Tensor, format: PixelFormat) throws(ImageError) {
    guard
      pixels.shape.count == 3, pixels.shape[0] == format.channels,
      pixels.elementType == .float32
    else {
      throw .formatMismatch(
        thing: "pixels", expected: "float32 of shape [\(format.channels), height, width]",
        found: "\(pixels.elementType) of shape \(pixels.shape)")
    }
    self.format = format
    self.pixels = pixels
  }

  /// An image whose samples `fill` writes, plane after plane; they start as zeros.
  init(
    width: Int, height: Int, format: PixelFormat,
    fill: (UnsafeMutableBufferPointer<Float>) -> Void
  ) throws(ImageError) {
    try self.init(width: width, height: height, format: format)
    unsafe pixels.withMutableFloats(fill)
  }

  /// Columns.
  public var width: Int { pixels.shape[2] }
  /// Rows.
  public var height: Int { pixels.shape[1] }
  /// Planes, alpha included.
  public var channels: Int { pixels.shape[0] }

  /// One sample; traps outside the image.
  public subscript(channel: Int, row: Int, column: Int) -> Float {
    get {
      let i = offset(channel, row, column)
      return unsafe pixels.withFloats { unsafe $0[i] }
    }
    set {
      let i = offset(channel, row, column)
      unsafe pixels.withMutableFloats { unsafe $0[i] = newValue }
    }
  }

  /// Calls `body` with all samples, plane after plane, each row by row without gaps.
  public func withFloats<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    try unsafe pixels.withFloats(body)
  }

  /// Calls `body` with all samples for writing, plane after plane, each row by row without gaps.
  public mutating func withMutableFloats<R>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    try unsafe pixels.withMutableFloats(body)
  }

  private func offset(_ channel: Int, _ row: Int, _ column: Int) -> Int {
    precondition(
      0..<channels ~= channel && 0..<height ~= row && 0..<width ~= column,
      "sample [\(channel), \(row), \(column)] outside an image of shape \(pixels.shape)")
    return (channel * height + row) * width + column
  }
}
