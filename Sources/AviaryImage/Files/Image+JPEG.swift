import CImageCodecs
import Glibc

/// JPEG in memory: what compression does to a picture, as networks learn to undo it.
extension Image {
  /// The picture as a JPEG file: limited to 0...1, rounded to 8 bits, chroma at half resolution.
  ///
  /// - Parameter quality: 1 to 100, as libjpeg counts it.
  /// - Throws: `ImageError.formatMismatch` unless it is gray or RGB without alpha, or for another
  ///   quality; `.invalidSize` without pixels; `.cannotWrite` with the library's reason, such as
  ///   sides beyond 65500.
  public func jpeg(quality: Int) throws(ImageError) -> [UInt8] {
    guard format.color == .gray || format.color == .rgb, !format.hasAlpha else {
      throw .formatMismatch(thing: "JPEG", expected: "gray or rgb", found: "\(format)")
    }
    guard 1...100 ~= quality else {
      throw .formatMismatch(thing: "JPEG's quality", expected: "1 to 100", found: "\(quality)")
    }
    guard width > 0, height > 0 else {
      throw .invalidSize(width: width, height: height, channels: channels)
    }
    var rows = [UInt8](repeating: 0, count: width * height * channels)
    unsafe rows.withUnsafeMutableBytes {
      unsafe Samples.pack(self, rows: 0..<height, depth: .eight, into: $0)
    }
    var length = 0
    var error = cimg_error()
    let bytes = unsafe cimg_encode_jpeg(
      rows, UInt32(width), UInt32(height), Int32(channels), Int32(quality), &length, &error)
    guard let bytes = unsafe bytes else {
      throw .cannotWrite(path: "JPEG in memory", reason: error.message)
    }
    defer { unsafe free(bytes) }
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
  }

  /// Reads a JPEG file in memory, as stored: an EXIF orientation is not applied.
  ///
  /// - Throws: `ImageError.damaged`, `.tooLarge` or `.invalidSize`.
  public init(jpeg bytes: [UInt8]) throws(ImageError) {
    self = try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(ImageError) in
      let decoder = try unsafe JPEGDecoder(bytes: bytes)
      var stored = decoder.stored
      stored.orientation = .upright
      try ImageLimits.check(stored, path: "JPEG in memory")
      try decoder.checkSize(byteCount: bytes.count, path: "JPEG in memory")
      var image = try Image(width: stored.width, height: stored.height, format: stored.format)
      let rows = try decoder.rows(image.height)
      let layout = stored.layout(height: image.height)
      unsafe rows.withUnsafeBytes {
        unsafe Samples.unpack($0, layout, depth: .eight, into: &image)
      }
      return image
    }
  }
}
