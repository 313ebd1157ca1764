/// How large a picture may be, checked on its header before anything is allocated.
enum ImageLimits {
  /// Pixels on a side.
  static let side = 1 << 20
  /// Samples (width x height x channels) of a picture that is read row by row.
  static let samples = 1 << 32
  /// Bytes of a picture that must be held whole while it is read.
  static let heldBytes = 1 << 30
  static func check(_ stored: StoredImage, path: String) throws(ImageError) {
    let (width, height, channels) = (stored.width, stored.height, stored.format.channels)
    func tooLarge(_ limit: String) -> ImageError {
      .tooLarge(path: path, width: width, height: height, channels: channels, limit: limit)
    }
    guard 1...side ~= width, 1...side ~= height else {
      throw tooLarge("sides of 1 to \(side) pixels")
    }
    // At most 2^20 * 2^20 * 4: no overflow.
    guard width * height * channels <= samples else { throw tooLarge("at most 2^32 samples") }
    let held = (stored.isHeldWhole ? height * stored.rowBytes : 0) + stored.heldBytes
    guard held <= heldBytes else {
      throw tooLarge("at most 1 GiB in a picture that must be held whole")
    }
  }

  /// What a header is called that promises the moon: it is refused before memory is taken for it.
  static func cannotHold(_ stored: StoredImage, _ count: Int, _ path: String) -> ImageError {
    .damaged(
      path: path,
      reason: "\(count) bytes of image data cannot hold \(stored.width)x\(stored.height) pixels")
  }
}
