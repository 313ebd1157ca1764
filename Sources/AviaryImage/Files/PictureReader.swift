import AviaryFiles
import CImageCodecs

/// Reads a PNG or JPEG file in bands of rows, from top to bottom of the upright picture.
///
/// PNG is read in every colour type and depth: palettes become RGB, 1, 2 and 4 bits become 8, tRNS
/// becomes alpha, 16 bits stay 16. JPEG is read as gray or RGB; CMYK is converted naively. The EXIF
/// orientation of a JPEG is applied, and reset to upright in the metadata; that of a PNG is carried
/// along untouched, since the file written is a PNG too and viewers treat both alike.
///
/// Only one band is in memory at a time, except where `PictureHeader.isHeldWhole` says otherwise.
/// Limits: sides of 2^20, 2^32 samples, 1 GiB of bytes in a picture that must be held whole (a
/// progressive JPEG counts: its decoder keeps two bytes a sample).
public struct PictureReader: ~Copyable {
  /// What the file says.
  public let header: PictureHeader
  /// The rows handed over so far.
  public private(set) var position = 0

  private let decoder: Decoder
  private let orientation: Orientation
  /// All rows as stored, once they are needed and where they must be held; else empty.
  private var stored: [UInt8] = []

  /// Opens a file and reads its header.
  ///
  /// - Throws: `ImageError.cannotRead`, `.notAPicture`, `.damaged` or `.tooLarge`.
  public init(path: String) throws(ImageError) {
    let file = try InputFile(picture: path)
    let container: PictureHeader.Container
    switch FileKind(beginning: try file.read(at: 0, count: 512)) {
    case .png: container = .png
    case .jpeg: container = .jpeg
    case let other: throw .notAPicture(path: path, found: other.label)
    }
    let decoder = try Decoder(container, file)
    let info = decoder.info

    var chunks: [PNGChunk]
    var exif = Exif(decoder.exif ?? [])
    let orientation = exif.orientation
    let isHeldWhole = info.is_interlaced != 0 || !orientation.keepsRowOrder
    try PictureLimits.check(decoder, isHeldWhole: isHeldWhole, path: path)
    switch container {
    case .png:
      let scan = try PNGScan(file)
      try PictureLimits.checkPNG(info, compressedCount: scan.compressedCount, path: path)
      chunks = scan.chunks
    case .jpeg:
      try PictureLimits.checkJPEG(info, byteCount: file.byteCount, path: path)
      chunks = JPEGMetadata.chunks(decoder)
      if !exif.bytes.isEmpty {
        exif.resetOrientation()
        chunks.append(PNGChunk(type: "eXIf", data: exif.bytes))
      }
    }

    let color: ColorModel = info.channels >= 3 ? .rgb : .gray
    header = PictureHeader(
      container: container,
      width: Int(orientation.exchangesSides ? info.height : info.width),
      height: Int(orientation.exchangesSides ? info.width : info.height),
      format: PixelFormat(
        color, hasAlpha: info.channels % 2 == 0, bitDepth: info.bit_depth == 16 ? .sixteen : .eight),
      storedBitDepth: Int(info.stored_bit_depth), isPalette: info.is_palette != 0,
      isInterlaced: info.is_interlaced != 0, isConvertedFromCMYK: info.is_cmyk != 0,
      isHeldWhole: isHeldWhole,
      metadata: PictureMetadata(chunks: chunks, profileColor: color))
    self.orientation = orientation
    self.decoder = decoder
  }

  /// The next rows: as many as asked for, fewer at the end of the picture, nil after it.
  ///
  /// Damage to the file shows when it is reached, at the latest with the last rows.
  ///
  /// - Throws: `ImageError.damaged`; `.invalidSize` for a band beyond `Image.maximumSampleCount`.
  public mutating func read(rows count: Int) throws(ImageError) -> Image? {
    let count = min(max(count, 1), header.height - position)
    guard count > 0 else { return nil }
    var image = try Image(width: header.width, height: count, format: header.format)
    let (rowBytes, pixelBytes) = (decoder.rowByteCount, decoder.pixelByteCount)
    if header.isHeldWhole {
      if stored.isEmpty { stored = try decoder.rows(Int(decoder.info.height)) }
      var layout = orientation.layout(
        width: Int(decoder.info.width), height: Int(decoder.info.height),
        rowBytes: rowBytes, pixelBytes: pixelBytes)
      layout.origin += position * layout.rowStep
      unsafe stored.withUnsafeBytes {
        unsafe Samples.unpack($0, layout, depth: header.format.bitDepth, into: &image)
      }
      // Bytes that nobody will ask for again.
      if position + count == header.height { stored = [] }
    } else {
      let bytes = try decoder.rows(count)
      let layout = orientation.layout(
        width: header.width, height: count, rowBytes: rowBytes, pixelBytes: pixelBytes)
      unsafe bytes.withUnsafeBytes {
        unsafe Samples.unpack($0, layout, depth: header.format.bitDepth, into: &image)
      }
    }
    position += count
    return image
  }

  /// All rows that are left, as one image; without rows at the end of the picture.
  ///
  /// - Throws: `ImageError.damaged`; `.invalidSize` beyond `Image.maximumSampleCount`.
  public mutating func readAll() throws(ImageError) -> Image {
    let empty = try Image(width: header.width, height: 0, format: header.format)
    return try read(rows: header.height - position) ?? empty
  }
}

extension Image {
  /// Reads a whole PNG or JPEG file; see `PictureReader`.
  ///
  /// - Throws: `ImageError.cannotRead`, `.notAPicture`, `.damaged`, `.tooLarge` or `.invalidSize`.
  public init(contentsOf path: String) throws(ImageError) {
    var reader = try PictureReader(path: path)
    self = try reader.readAll()
  }
}
