import AviaryFiles
import CImageCodecs

/// A C codec reading one file, and the only place that checks its statuses. It is closed with the
/// last reference.
@safe final class CodecHandle {
  let info: cimg_info
  private let handle: OpaquePointer
  private let path: String

  /// Reads the header.
  ///
  /// - Parameter open: one of the codecs' functions that open a file.
  /// - Throws: `ImageError.damaged`.
  init(
    path: String,
    _ open: (UnsafeMutablePointer<cimg_info>, UnsafeMutablePointer<cimg_error>) -> OpaquePointer?
  ) throws(ImageError) {
    var info = cimg_info()
    var error = cimg_error()
    guard let opened = unsafe open(&info, &error) else {
      throw .damaged(path: path, reason: error.message)
    }
    unsafe handle = unsafe opened
    self.info = info
    self.path = path
  }

  /// The image that the header describes, upright unless something else says otherwise.
  var stored: StoredImage {
    StoredImage(
      width: Int(info.width), height: Int(info.height),
      format: PixelFormat(
        info.channels >= 3 ? .rgb : .gray, hasAlpha: info.channels % 2 == 0,
        bitDepth: info.bit_depth == 16 ? .sixteen : .eight),
      bitDepth: Int(info.stored_bit_depth), isPalette: info.is_palette != 0,
      isInterlaced: info.is_interlaced != 0, isConvertedFromCMYK: info.is_cmyk != 0,
      // libjpeg keeps two bytes a sample of a progressive image, whose sides have 16 bits.
      heldBytes: info.is_progressive != 0
        ? Int(info.width) * Int(info.height) * Int(info.channels) * 2 : 0)
  }

  /// The next rows, without gaps between them.
  ///
  /// - Throws: `ImageError.damaged`.
  func rows(_ count: Int) throws(ImageError) -> [UInt8] {
    var error = cimg_error()
    var status: Int32 = 0
    // Not filled with zeros beforehand: a file that breaks off early costs no more than it holds.
    let rowByteCount = stored.rowBytes
    let byteCount = count * rowByteCount
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
      status = unsafe cimg_read_rows(
        handle, buffer.baseAddress, rowByteCount, UInt32(count), &error)
      filled = status == 0 ? byteCount : 0
    }
    guard status == 0 else { throw .damaged(path: path, reason: error.message) }
    return bytes
  }

  /// A JPEG's EXIF data; nil where there is none.
  var exif: [UInt8]? { unsafe bytes(cimg_exif) }
  /// A JPEG's ICC profile; nil where there is none.
  var iccProfile: [UInt8]? { unsafe bytes(cimg_icc_profile) }
  /// A JPEG's XMP packet; nil where there is none.
  var xmp: [UInt8]? { unsafe bytes(cimg_xmp) }
  /// A JPEG's comments, in their order.
  var comments: [[UInt8]] {
    var comments: [[UInt8]] = []
    while let comment = unsafe bytes({ unsafe cimg_comment($0, UInt32(comments.count), $1) }) {
      comments.append(comment)
    }
    return comments
  }

  /// What the codec lends until it is closed.
  private func bytes(
    _ lend: (OpaquePointer?, UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?
  ) -> [UInt8]? {
    var length = 0
    guard let bytes = unsafe lend(handle, &length) else { return nil }
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
  }

  deinit { unsafe cimg_close(handle) }
}

extension cimg_error {
  /// The text up to its end.
  var message: String {
    unsafe withUnsafeBytes(of: text) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
