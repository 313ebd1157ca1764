/// Writes PGM and PPM with bytes, PAM where there is alpha, and PFM with floats.
struct PNMEncoder: ImageEncoder {
  /// Which of the formats.
  enum Kind {
    case pnm
    case pam
    case pfm
  }

  private let image: EncodedImage
  private let kind: Kind
  /// Rows of floats: they are written from the bottom up, when all are there.
  private var bands: [[UInt8]] = []

  /// - Throws: `ImageError.formatMismatch` for colour under a name that says gray.
  init(_ image: EncodedImage, _ kind: Kind) throws(ImageError) {
    if image.path.lowercased().hasSuffix(".pgm"), image.format.color != .gray {
      throw .formatMismatch(thing: image.path, expected: "gray (PPM has colour)", found: "rgb")
    }
    (self.image, self.kind) = (image, kind)
  }

  func begin() -> [[UInt8]] {
    let (width, height) = (image.width, image.height)
    let isGray = image.format.color == .gray
    let text =
      switch kind {
      case .pnm: "\(isGray ? "P5" : "P6")\n\(width) \(height)\n\(image.format.bitDepth.maximum)\n"
      case .pam:
        "P7\nWIDTH \(width)\nHEIGHT \(height)\nDEPTH \(image.format.channels)\n"
          + "MAXVAL \(image.format.bitDepth.maximum)\nTUPLTYPE \(isGray ? "GRAYSCALE" : "RGB")"
          + "\(image.format.hasAlpha ? "_ALPHA" : "")\nENDHDR\n"
      // The machine's byte order, which all that this runs on share.
      case .pfm: "\(isGray ? "Pf" : "PF")\n\(width) \(height)\n-1.0\n"
      }
    return [Array(text.utf8)]
  }

  mutating func encode(_ band: Image) -> [[UInt8]] {
    let depth = image.format.bitDepth
    let length = band.width * band.channels * depth.byteCount
    var rows = [UInt8](repeating: 0, count: band.height * length)
    unsafe rows.withUnsafeMutableBytes {
      unsafe Samples.pack(band, rows: 0..<band.height, depth: depth, into: $0)
    }
    guard kind == .pfm else { return [rows] }
    bands += (0..<band.height).map { Array(rows[$0 * length..<($0 + 1) * length]) }
    return []
  }

  mutating func end() -> [[UInt8]] { bands.reversed() }
}
