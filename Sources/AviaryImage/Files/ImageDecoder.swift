import AviaryFiles
import CImageCodecs

/// Reads one file: the header when it is made, then what is beside the pixels, then rows.
protocol ImageDecoder {
  /// What the header says.
  var stored: StoredImage { get }

  /// What the file says besides pixels. Damage that shows without decoding shows here, and so does
  /// a header that promises more than the file can hold. The file may be closed afterwards.
  ///
  /// - Throws: `ImageError.damaged`.
  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata

  /// The next rows as stored, interleaved and without gaps, 16 bits in the machine's byte order.
  ///
  /// - Throws: `ImageError.damaged`.
  func rows(_ count: Int) throws(ImageError) -> [UInt8]
}

/// An image as it lies in a file: what a decoder hands over, before it is turned upright.
struct StoredImage {
  /// Columns.
  var width: Int
  /// Rows.
  var height: Int
  /// Gray or RGB, with alpha or not, and the depth of the samples handed over.
  var format: PixelFormat
  /// Bits of a sample in the file, or of an index into a palette.
  var bitDepth: Int
  /// Whether the file stores indices into a palette.
  var isPalette = false
  /// Whether all rows must be asked for at once.
  var isInterlaced = false
  /// Whether inks were converted to RGB.
  var isConvertedFromCMYK = false
  /// Bytes that the codec itself keeps while it decodes.
  var heldBytes = 0
  /// What must be done to see the image upright.
  var orientation = Orientation.upright

  /// Bytes of a pixel.
  var pixelBytes: Int { format.channels * format.bitDepth.byteCount }
  /// Bytes of a row.
  var rowBytes: Int { width * pixelBytes }
  /// Whether no band can be handed over before all rows were read.
  var isHeldWhole: Bool { isInterlaced || !orientation.keepsRowOrder }

  /// Where upright pixels are among so many rows as stored.
  func layout(height: Int) -> Samples.Layout {
    orientation.layout(width: width, height: height, rowBytes: rowBytes, pixelBytes: pixelBytes)
  }
}

/// Makes the bytes of one file, which are written as they come.
protocol ImageEncoder {
  /// What stands before the first row.
  mutating func begin() throws(ImageError) -> [[UInt8]]

  /// What the next rows complete. They have the format and width that were stated, and the file has
  /// room for them.
  ///
  /// - Throws: `ImageError.cannotWrite`.
  mutating func encode(_ band: Image) throws(ImageError) -> [[UInt8]]

  /// What stands after the last row.
  mutating func end() throws(ImageError) -> [[UInt8]]
}

/// What an encoder is to make: gray or RGB, of sides that were checked.
struct EncodedImage {
  /// For messages.
  var path: String
  /// Columns.
  var width: Int
  /// Rows.
  var height: Int
  /// The channels and the depth.
  var format: PixelFormat
  /// What to carry.
  var metadata: ImageMetadata
  /// How many threads compress; the file is the same whatever their number.
  var threads: Int
}

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
