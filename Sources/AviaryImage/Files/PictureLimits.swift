import CImageCodecs

/// How large a picture may be, checked on its header before anything is allocated.
enum PictureLimits {
  /// Pixels on a side.
  static let side = 1 << 20
  /// Samples (width x height x channels) of a picture that is read row by row.
  static let samples = 1 << 32
  /// Bytes of a picture that must be held whole while it is read.
  static let heldBytes = 1 << 30
  /// Deflate cannot do better than this many bytes from one.
  private static let deflateRatio = 1032
  /// Huffman coding takes at least one bit for a block of 64 samples; 16 times fewer leaves room
  /// for subsampled channels.
  private static let pixelsPerJPEGByte = 64 * 8 * 16

  static func check(
    _ decoder: borrowing Decoder, isHeldWhole: Bool, path: String
  ) throws(ImageError) {
    let info = decoder.info
    let (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
    func tooLarge(_ limit: String) -> ImageError {
      .tooLarge(path: path, width: width, height: height, channels: channels, limit: limit)
    }
    guard 1...side ~= width, 1...side ~= height else {
      throw tooLarge("sides of 1 to \(side) pixels")
    }
    // At most 2^20 * 2^20 * 4: no overflow.
    guard width * height * channels <= samples else { throw tooLarge("at most 2^32 samples") }
    // The library keeps two bytes a sample of a progressive picture.
    let held =
      (isHeldWhole ? height * decoder.rowByteCount : 0)
      + (info.is_progressive != 0 ? width * height * channels * 2 : 0)
    guard held <= heldBytes else {
      throw tooLarge("at most 1 GiB in a picture that must be held whole")
    }
  }

  /// Whether so much image data can hold such a picture at all, so that a header that promises
  /// the moon is refused before memory is taken for it.
  static func checkPNG(
    _ info: cimg_info, compressedCount: Int, path: String
  ) throws(ImageError) {
    let rowByteCount = (Int(info.width) * Int(info.stored_bit_depth) + 7) / 8
    guard rowByteCount * Int(info.height) <= (compressedCount + 1) * deflateRatio else {
      throw cannotHold(info, compressedCount, path)
    }
  }

  static func checkJPEG(_ info: cimg_info, byteCount: Int, path: String) throws(ImageError) {
    guard info.is_huffman != 0 else { return }
    guard Int(info.width) * Int(info.height) / pixelsPerJPEGByte <= byteCount else {
      throw cannotHold(info, byteCount, path)
    }
  }

  private static func cannotHold(_ info: cimg_info, _ count: Int, _ path: String) -> ImageError {
    .damaged(
      path: path,
      reason: "\(count) bytes of image data cannot hold \(info.width)x\(info.height) pixels")
  }
}
