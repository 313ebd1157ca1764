import AviaryFiles
import CImageCodecs

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
    var metadata = ImageMetadata()
    // The profile of inks says nothing about RGB.
    if !stored.isConvertedFromCMYK, let profile = codec.iccProfile {
      metadata.icc = ICCProfile(name: "ICC profile", bytes: profile, color: stored.format.color)
    }
    metadata.density = density
    if !exif.bytes.isEmpty {
      var upright = exif
      upright.resetOrientation()
      metadata.exif = upright.bytes
    }
    metadata.xmp = codec.xmp.map { XMP.upright($0) }
    metadata.text = codec.comments.map {
      ImageText(keyword: "Comment", text: ImageText.decoded($0))
    }
    metadata.limit()
    return metadata
  }

  func rows(_ count: Int) throws(ImageError) -> [UInt8] { try codec.rows(count) }

  /// JFIF's density in pixels per metre. It has 16 bits: no product leaves UInt32.
  private var density: ImageDensity? {
    let (x, y) = (Double(codec.info.density_x), Double(codec.info.density_y))
    guard x > 0, y > 0 else { return nil }
    func density(_ perMetre: (Double) -> Double) -> ImageDensity {
      ImageDensity(
        x: UInt32(perMetre(x).rounded()), y: UInt32(perMetre(y).rounded()), isPerMetre: true)
    }
    switch codec.info.density_unit {
    case 1: return density { $0 / 0.0254 }
    case 2: return density { $0 * 100 }
    default: return nil
    }
  }
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
