import AviaryFiles
import CImageCodecs
import Glibc

/// Reads JPEG as gray or RGB, by libjpeg; the EXIF orientation is to be applied.
struct JPEGDecoder: ImageDecoder {
  let stored: StoredImage
  private let codec: CodecHandle
  private let exif: Exif

  init(_ file: borrowing InputFile) throws(ImageError) {
    let descriptor = file.descriptor
    let codec = try unsafe CodecHandle(path: file.path) { info, error in
      unsafe cimg_open_jpeg(descriptor, info, error)
    }
    self.init(codec)
  }

  /// Reads the header of a file in memory, which must outlive this.
  @unsafe init(bytes: UnsafeBufferPointer<UInt8>) throws(ImageError) {
    let codec = try unsafe CodecHandle(path: "JPEG in memory") { info, error in
      unsafe cimg_open_jpeg_bytes(bytes.baseAddress, bytes.count, info, error)
    }
    self.init(codec)
  }

  private init(_ codec: CodecHandle) {
    self.codec = codec
    exif = Exif(codec.exif ?? [])
    var stored = codec.stored
    stored.orientation = exif.orientation
    self.stored = stored
  }

  /// Huffman coding takes at least one bit for a block of 64 samples; 16 times fewer leaves room
  /// for subsampled channels.
  private static let pixelsPerByte = 64 * 8 * 16

  /// Refuses a header that promises more pixels than so many bytes can hold.
  ///
  /// - Throws: `ImageError.damaged`.
  func checkSize(byteCount: Int, path: String) throws(ImageError) {
    guard codec.info.is_huffman != 0 else { return }
    guard stored.width * stored.height / JPEGDecoder.pixelsPerByte <= byteCount else {
      throw ImageLimits.cannotHold(stored, byteCount, path)
    }
  }

  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata {
    try checkSize(byteCount: file.byteCount, path: file.path)
    var metadata = codec.metadata(stored)
    if !exif.bytes.isEmpty {
      var upright = exif
      upright.resetOrientation()
      metadata.exif = upright.bytes
    }
    metadata.xmp = codec.xmp.map { XMP.upright($0) }
    metadata.iptc = codec.iptc
    metadata.limit()
    return metadata
  }

  func rows(_ count: Int) throws(ImageError) -> [UInt8] { try codec.rows(count) }
}

/// XMP packets: RDF in XML.
enum XMP {
  /// The packet with its TIFF orientation reset, which it repeats from EXIF data: the image is
  /// upright when it is written.
  static func upright(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    let name = Array("tiff:Orientation".utf8)
    // As an attribute (="6") or as an element (>6<).
    for start in packet.indices.dropLast(name.count + 2)
    where packet[start] == name[0] && packet[start..<start + name.count].elementsEqual(name) {
      var place = start + name.count
      while place < packet.count - 1, [0x3D, 0x22, 0x27, 0x3E, 0x20].contains(packet[place]) {
        place += 1
      }
      if (0x31...0x38).contains(packet[place]) { packet[place] = 0x31 }
    }
    return packet
  }
}

/// The orientation in EXIF data: found, and reset once it has been applied.
///
/// EXIF data is a TIFF file: byte order, offset of the first directory, entries of twelve bytes.
/// Whatever does not follow that is left as it is and has no orientation.
struct Exif {
  private(set) var bytes: [UInt8]
  private var valueOffset: Int?

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    let isLittle = bytes.starts(with: Array("II*\0".utf8))
    guard isLittle || bytes.starts(with: Array("MM\0*".utf8)) else { return }
    func number(at offset: Int, _ count: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - count else { return nil }
      let part = bytes[offset..<offset + count]
      return isLittle
        ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, 4), let count = number(at: directory, 2) else { return }
    for i in 0..<count {
      let entry = directory + 2 + i * 12
      guard let tag = number(at: entry, 2) else { return }
      // One SHORT, stored in the entry itself.
      if tag == 0x0112, number(at: entry + 2, 2) == 3, number(at: entry + 4, 4) == 1,
        let value = number(at: entry + 8, 2)
      {
        orientation = Orientation(rawValue: value) ?? .upright
        valueOffset = isLittle ? entry + 8 : entry + 9
        return
      }
    }
  }

  /// Upright where there is no such tag, or a value that means nothing.
  private(set) var orientation = Orientation.upright

  /// Says that the image is upright, leaving all else.
  mutating func resetOrientation() {
    guard let valueOffset else { return }
    orientation = .upright
    // A value that means nothing may have set the other byte too.
    bytes[valueOffset] = 1
  }
}

/// How the camera was held: what must be done to the stored image to see it upright
/// (EXIF 2.3, tag 0x0112).
enum Orientation: Int, CaseIterable, Sendable {
  case upright = 1
  case mirrored
  case turned
  case flipped
  case transposed
  case clockwise
  case transversed
  case counterclockwise

  /// Whether width and height change places.
  var exchangesSides: Bool { rawValue >= 5 }

  /// Whether the upright image can be handed over while the stored one is read.
  var keepsRowOrder: Bool { self == .upright || self == .mirrored }

  /// Where upright pixels are in the stored image, whose sides are given.
  func layout(width: Int, height: Int, rowBytes: Int, pixelBytes: Int) -> Samples.Layout {
    let lastRow = (height - 1) * rowBytes
    let lastColumn = (width - 1) * pixelBytes
    return switch self {
    case .upright: .init(origin: 0, rowStep: rowBytes, columnStep: pixelBytes)
    case .mirrored: .init(origin: lastColumn, rowStep: rowBytes, columnStep: -pixelBytes)
    case .turned:
      .init(origin: lastRow + lastColumn, rowStep: -rowBytes, columnStep: -pixelBytes)
    case .flipped: .init(origin: lastRow, rowStep: -rowBytes, columnStep: pixelBytes)
    case .transposed: .init(origin: 0, rowStep: pixelBytes, columnStep: rowBytes)
    case .clockwise: .init(origin: lastRow, rowStep: pixelBytes, columnStep: -rowBytes)
    case .transversed:
      .init(origin: lastRow + lastColumn, rowStep: -pixelBytes, columnStep: -rowBytes)
    case .counterclockwise:
      .init(origin: lastColumn, rowStep: -pixelBytes, columnStep: rowBytes)
    }
  }
}

/// JPEG in memory: what compression does to an image, as networks learn to undo it.
extension Image {
  /// The image as a JPEG file: limited to 0...1, rounded to 8 bits, chroma at half resolution.
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
