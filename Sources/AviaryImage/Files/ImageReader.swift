import AviaryFiles

/// Reads an image file of any format in `ImageFormat.readable` in bands of rows, from top to bottom
/// of the upright image.
///
/// Formats are told by content. PNG is read in every colour type and depth: palettes become RGB, 1, 2 and 4 bits become 8, tRNS
/// becomes alpha, 16 bits stay 16. JPEG is read as gray or RGB; CMYK is converted to sRGB by its
/// profile, and naively without one. The EXIF
/// orientation is applied, and reset to upright in the metadata: not every format that is written
/// has a place for it.
///
/// Only one band is in memory at a time, except where `ImageHeader.isHeldWhole` says otherwise.
/// Limits: sides of 2^20, 2^32 samples, 1 GiB of bytes in an image that must be held whole (a
/// progressive JPEG counts: its decoder keeps two bytes a sample).
public struct ImageReader: ~Copyable {
  /// What the file says.
  public let header: ImageHeader
  /// The rows handed over so far.
  public private(set) var position = 0

  private let decoder: any ImageDecoder
  private let path: String
  /// All rows as stored, once they are needed and where they must be held; else empty.
  private var stored: [UInt8] = []

  /// Opens a file and reads its header.
  ///
  /// - Parameters:
  ///   - path: the file; `-` is standard input.
  ///   - page: which image of a file that has several, from 1; nil for the first.
  /// - Throws: `ImageError.cannotRead`, `.notAnImage`, `.animation`, `.noPages`, `.damaged` or
  ///   `.tooLarge`.
  public init(path: String, page: Int? = nil) throws(ImageError) {
    let file = try InputFile(image: path)
    let beginning = try file.read(at: 0, count: 512)
    guard let format = ImageFormat.reading(beginning), let open = format.decoder else {
      throw .notAnImage(path: file.path, found: FileKind(beginning: beginning).label)
    }
    guard page == nil || format.hasPages else {
      throw .noPages(path: file.path, format: format.name)
    }
    let decoder = try open(file, page)
    let stored = decoder.stored
    try ImageLimits.check(stored, path: file.path)
    let metadata = try decoder.metadata(file)
    let exchangesSides = stored.orientation.exchangesSides
    header = ImageHeader(
      container: format,
      width: exchangesSides ? stored.height : stored.width,
      height: exchangesSides ? stored.width : stored.height,
      format: stored.format, storedBitDepth: stored.bitDepth, isPalette: stored.isPalette,
      isInterlaced: stored.isInterlaced, isConvertedFromCMYK: stored.isConvertedFromCMYK,
      isConvertedByProfile: stored.isConvertedByProfile,
      isHeldWhole: stored.isHeldWhole, remarks: stored.remarks, metadata: metadata)
    self.decoder = decoder
    self.path = file.path
  }

  /// The next rows: as many as asked for, fewer at the end of the image, nil after it.
  ///
  /// Damage to the file shows when it is reached, at the latest with the last rows.
  ///
  /// - Throws: `ImageError.damaged`; `.invalidSize` for a band beyond `Image.maximumSampleCount`.
  public mutating func read(rows count: Int) throws(ImageError) -> Image? {
    let count = min(max(count, 1), header.height - position)
    guard count > 0 else { return nil }
    var image = try Image(width: header.width, height: count, format: header.format)
    let kept = decoder.stored
    if header.isHeldWhole {
      if stored.isEmpty { stored = try decodedRows(kept.height) }
      var layout = kept.layout(height: kept.height)
      layout.origin += position * layout.rowStep
      unsafe stored.withUnsafeBytes {
        unsafe Samples.unpack($0, layout, depth: header.format.bitDepth, into: &image)
      }
      // Bytes that nobody will ask for again.
      if position + count == header.height { stored = [] }
    } else {
      let bytes = try decodedRows(count)
      let layout = kept.layout(height: count)
      unsafe bytes.withUnsafeBytes {
        unsafe Samples.unpack($0, layout, depth: header.format.bitDepth, into: &image)
      }
    }
    position += count
    if header.format.bitDepth == .float { try image.checkRange(path) }
    return image
  }

  /// The next rows as stored. What is made of them counts on their length, so no decoder is trusted
  /// with it.
  private func decodedRows(_ count: Int) throws(ImageError) -> [UInt8] {
    let (bytes, expected) = (try decoder.rows(count), count * decoder.stored.rowBytes)
    guard bytes.count == expected else {
      throw .damaged(
        path: path, reason: "\(count) rows: expected \(expected) bytes, found \(bytes.count)")
    }
    return bytes
  }

  /// All rows that are left, as one image; without rows at the end of the image.
  ///
  /// - Throws: `ImageError.damaged`; `.invalidSize` beyond `Image.maximumSampleCount`.
  public mutating func readAll() throws(ImageError) -> Image {
    let empty = try Image(width: header.width, height: 0, format: header.format)
    return try read(rows: header.height - position) ?? empty
  }
}

extension Image {
  /// Throws `ImageError.range` for values beyond 0...1: a network would be given what it does not
  /// know, and its result is limited to them.
  fileprivate func checkRange(_ path: String) throws(ImageError) {
    let range = unsafe withFloats { values in
      unsafe values.reduce(into: (least: Float(0), most: Float(1))) { range, value in
        // A NaN stays, for nothing is less than it.
        if value.isNaN || value < range.least { range.least = value }
        if value > range.most { range.most = value }
      }
    }
    guard range.least == 0, range.most == 1 else {
      throw .range(path: path, least: range.least, most: range.most)
    }
  }

  /// Reads a whole image file; see `ImageReader`.
  ///
  /// - Throws: `ImageError.cannotRead`, `.notAnImage`, `.damaged`, `.tooLarge` or `.invalidSize`.
  public init(contentsOf path: String) throws(ImageError) {
    var reader = try ImageReader(path: path)
    self = try reader.readAll()
  }
}

/// What is known of an image file once it is open.
public struct ImageHeader: Hashable, Sendable {
  /// The format, told by content.
  public let container: ImageFormat
  /// Columns of the upright image.
  public let width: Int
  /// Rows of the upright image.
  public let height: Int
  /// The channels handed over (palettes expanded, tRNS as alpha, CMYK as RGB), and the depth to
  /// write with: 16 where the file has more than 8, floats where it has those, else 8.
  public let format: PixelFormat
  /// Bits of a stored sample, or of a palette index: 1 to 64.
  public let storedBitDepth: Int
  /// Whether the file stores indices into a palette.
  public let isPalette: Bool
  /// Whether the rows of the file are interlaced (Adam7).
  public let isInterlaced: Bool
  /// Whether the inks of a CMYK file were converted to RGB.
  public let isConvertedFromCMYK: Bool
  /// Whether that was done by its profile; without one it is naive.
  public let isConvertedByProfile: Bool
  /// Whether the stored image is held in memory as a whole while it is read, as bytes: for
  /// interlaced PNG, and where an orientation turns the image or exchanges its rows.
  public let isHeldWhole: Bool
  /// What the user should know of how the file is read, such as which of its pages.
  public let remarks: [String]
  /// What is carried to the file that is written.
  public let metadata: ImageMetadata
}

/// How large an image may be, checked on its header before anything is allocated.
enum ImageLimits {
  /// Pixels on a side.
  static let side = 1 << 20
  /// Samples (width x height x channels) of an image that is read row by row.
  static let samples = 1 << 32
  /// Bytes of an image that must be held whole while it is read.
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
      throw tooLarge("at most 1 GiB in an image that must be held whole")
    }
  }

  /// What a header is called that promises the moon: it is refused before memory is taken for it.
  static func cannotHold(_ stored: StoredImage, _ count: Int, _ path: String) -> ImageError {
    .damaged(
      path: path,
      reason: "\(count) bytes of image data cannot hold \(stored.width)x\(stored.height) pixels")
  }
}

extension InputFile {
  /// Opens an image: `init(_:)` with this module's error; `-` is standard input.
  init(image path: String) throws(ImageError) {
    do {
      self = path == "-" ? try .standardInput() : try InputFile(path)
    } catch {
      throw ImageError(error)
    }
  }

  /// The `count` bytes from `offset` on; fewer where the file ends before.
  func read(at offset: Int, count: Int) throws(ImageError) -> [UInt8] {
    do {
      return try bytes(at: offset, count: count)
    } catch {
      throw ImageError(error)
    }
  }

  /// The same open file, for a decoder that reads by itself.
  func copyForDecoder() throws(ImageError) -> InputFile {
    do {
      return try duplicated()
    } catch {
      throw ImageError(error)
    }
  }
}
