import AviaryFiles
import CImageCodecs

/// A codec reading one file: the C handle, and the only place that checks its statuses.
@safe struct Decoder: ~Copyable {
  let info: cimg_info
  private let handle: OpaquePointer
  private let path: String

  /// Reads the header. The file may be closed afterwards.
  ///
  /// - Throws: `ImageError.damaged`.
  init(
    _ container: PictureHeader.Container, _ file: borrowing InputFile
  ) throws(ImageError) {
    var info = cimg_info()
    var error = cimg_error()
    let opened =
      switch container {
      case .png: unsafe cimg_open_png(file.descriptor, &info, &error)
      case .jpeg: unsafe cimg_open_jpeg(file.descriptor, &info, &error)
      }
    guard let opened = unsafe opened else {
      throw .damaged(path: file.path, reason: error.message)
    }
    unsafe handle = unsafe opened
    self.info = info
    path = file.path
  }

  /// Reads the header of a JPEG in memory, which must outlive this.
  ///
  /// - Throws: `ImageError.damaged`.
  @unsafe init(jpeg bytes: UnsafeBufferPointer<UInt8>) throws(ImageError) {
    var info = cimg_info()
    var error = cimg_error()
    let opened = unsafe cimg_open_jpeg_bytes(bytes.baseAddress, bytes.count, &info, &error)
    let path = "JPEG in memory"
    guard let opened = unsafe opened else { throw .damaged(path: path, reason: error.message) }
    unsafe handle = unsafe opened
    self.info = info
    self.path = path
  }

  /// Bytes of a row of interleaved samples.
  var rowByteCount: Int { Int(info.width) * pixelByteCount }

  /// Bytes of a pixel.
  var pixelByteCount: Int { Int(info.channels) * Int(info.bit_depth) / 8 }

  /// The next rows, without gaps between them.
  ///
  /// - Throws: `ImageError.damaged`.
  func rows(_ count: Int) throws(ImageError) -> [UInt8] {
    var error = cimg_error()
    var status: Int32 = 0
    // Not filled with zeros beforehand: a file that breaks off early costs no more than it holds.
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
  var exif: [UInt8]? {
    var length = 0
    guard let bytes = unsafe cimg_exif(handle, &length) else { return nil }
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
  }

  /// A JPEG's ICC profile; nil where there is none.
  var iccProfile: [UInt8]? {
    var length = 0
    guard let bytes = unsafe cimg_icc_profile(handle, &length) else { return nil }
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
