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
  /// Whether their profile said how.
  var isConvertedByProfile = false
  /// Bytes that the codec itself keeps while it decodes.
  var heldBytes = 0
  /// What must be done to see the image upright.
  var orientation = Orientation.upright
  /// What the user should know of how it is read.
  var remarks: [String] = []

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

  /// What of the metadata has no place in the file, once it has begun.
  var dropped: [String] { get }
}

extension ImageEncoder {
  var dropped: [String] { [] }
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
  /// What the user states.
  var options = EncodingOptions()
  /// For C libraries that write by themselves.
  var descriptor: CInt = -1
  /// Whether texts have keywords in the format.
  var hasKeywords = true
}

/// A C codec reading one file, and the only place that checks its statuses. It is closed with the
/// last reference.
@safe final class CodecHandle {
  let info: cimg_info
  private let handle: OpaquePointer
  private let path: String
  /// A file in memory, which must stay where it is while the codec reads.
  private let memory: UnsafeMutableBufferPointer<UInt8>?

  /// Reads the header of a file in memory, of which a copy is kept.
  ///
  /// - Parameter open: one of the codecs' functions that open a file in memory.
  /// - Throws: `ImageError.damaged`, `.animation`.
  init(
    path: String, memory bytes: [UInt8],
    _ open: (
      UnsafeBufferPointer<UInt8>, UnsafeMutablePointer<cimg_info>,
      UnsafeMutablePointer<cimg_error>
    ) -> OpaquePointer?
  ) throws(ImageError) {
    let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    _ = unsafe memory.update(fromContentsOf: bytes)
    var info = cimg_info()
    var error = cimg_error()
    guard let opened = unsafe open(UnsafeBufferPointer(memory), &info, &error) else {
      unsafe memory.deallocate()
      throw CodecHandle.failure(path, info, error)
    }
    unsafe handle = unsafe opened
    unsafe self.memory = unsafe memory
    self.info = info
    self.path = path
  }

  /// Why a file cannot be opened.
  private static func failure(
    _ path: String, _ info: cimg_info, _ error: cimg_error
  ) -> ImageError {
    info.pages > 1
      ? .animation(path: path, frames: Int(info.pages))
      : .damaged(path: path, reason: error.message)
  }

  /// Reads the header.
  ///
  /// - Parameter open: one of the codecs' functions that open a file.
  /// - Throws: `ImageError.damaged`, `.animation`.
  init(
    path: String,
    _ open: (UnsafeMutablePointer<cimg_info>, UnsafeMutablePointer<cimg_error>) -> OpaquePointer?
  ) throws(ImageError) {
    var info = cimg_info()
    var error = cimg_error()
    guard let opened = unsafe open(&info, &error) else {
      throw CodecHandle.failure(path, info, error)
    }
    unsafe handle = unsafe opened
    unsafe memory = nil
    self.info = info
    self.path = path
  }

  /// The image that the header describes, upright unless something else says otherwise.
  var stored: StoredImage {
    let leftBehind = unsafe withUnsafeBytes(of: info.left_behind) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return StoredImage(
      width: Int(info.width), height: Int(info.height),
      format: PixelFormat(
        info.channels >= 3 ? .rgb : .gray, hasAlpha: info.channels % 2 == 0,
        bitDepth: BitDepth(rawValue: Int(info.bit_depth)) ?? .eight),
      bitDepth: Int(info.stored_bit_depth), isPalette: info.is_palette != 0,
      isInterlaced: info.is_interlaced != 0, isConvertedFromCMYK: info.is_cmyk != 0,
      isConvertedByProfile: info.is_by_profile != 0,
      // libjpeg keeps two bytes a sample of a progressive image, whose sides have 16 bits.
      heldBytes: info.is_progressive != 0
        ? Int(info.width) * Int(info.height) * Int(info.channels) * 2
        : Int(clamping: info.held_bytes),
      orientation: Orientation(rawValue: Int(info.orientation)) ?? .upright,
      remarks: leftBehind.isEmpty ? [] : ["\(leftBehind) cannot be carried"])
  }

  /// What the codec found besides pixels, EXIF data and XMP aside, which orientations concern.
  func metadata(_ stored: StoredImage) -> ImageMetadata {
    var metadata = ImageMetadata()
    // The profile of inks says nothing about RGB.
    if !stored.isConvertedFromCMYK, let profile = iccProfile {
      metadata.icc = ICCProfile(name: "ICC profile", bytes: profile, color: stored.format.color)
    }
    metadata.density = stored.orientation.exchangesSides ? density?.turned : density
    metadata.text = comments
    metadata.limit()
    return metadata
  }

  /// Refuses a header that promises more pixels than the file's compressed data can hold.
  ///
  /// - Parameter count: the file's bytes: no more are there, whatever the header says.
  /// - Throws: `ImageError.damaged`.
  func checkSize(_ path: String, limitedTo count: Int) throws(ImageError) {
    guard info.largest_ratio > 0 else { return }
    let byteCount = min(Int(clamping: info.compressed_bytes), count)
    let stored = stored
    // Sides of 32 bits: a number of bytes may overflow, as a Double it does not.
    let pixels =
      info.coded_pixels > 0
      ? Double(info.coded_pixels) : Double(stored.width) * Double(stored.height)
    let samples = pixels * Double(max(info.channels, 1))
    let needed = samples * Double(max(info.stored_bit_depth, 1)) / 8
    // A palette's index or an ink's sample is not what is handed over; a factor of 4 covers both.
    guard needed / 4 <= Double(byteCount + 64) * Double(info.largest_ratio) else {
      throw ImageLimits.cannotHold(stored, byteCount, path)
    }
  }

  /// The density in pixels per metre.
  private var density: ImageDensity? {
    let metres = info.density_unit == 1 ? 0.0254 : info.density_unit == 2 ? 0.01 : 0
    let values = [info.density_x, info.density_y].map { ($0 / metres).rounded() }
    // False for NaN and infinity, too.
    guard values.allSatisfy({ $0 >= 1 && $0 < 0x1p31 }) else { return nil }
    return ImageDensity(x: UInt32(values[0]), y: UInt32(values[1]), isPerMetre: true)
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
  /// A JPEG's record of IPTC; nil where there is none.
  var iptc: [UInt8]? { unsafe bytes(cimg_iptc) }
  /// A JPEG's comments, in their order, and the texts of a TIFF's tags.
  private var comments: [ImageText] {
    var comments: [ImageText] = []
    while let comment = unsafe bytes({ unsafe cimg_comment($0, UInt32(comments.count), $1) }) {
      let keyword = unsafe cimg_keyword(handle, UInt32(comments.count)).map {
        unsafe String(cString: $0)
      }
      comments.append(
        ImageText(keyword: keyword ?? "Comment", text: ImageText.decoded(comment)))
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

  deinit {
    unsafe cimg_close(handle)
    unsafe memory?.deallocate()
  }
}

extension cimg_error {
  /// The text up to its end.
  var message: String {
    unsafe withUnsafeBytes(of: text) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
