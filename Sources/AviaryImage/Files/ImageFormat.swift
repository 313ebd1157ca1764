internal import AviaryFiles
internal import CImageCodecs

/// A format of image files: what it is called, how its files are told, and what reads and writes
/// them. Everything that asks about formats asks `all`.
///
/// A format is added by a file with its decoder or encoder, and a row here.
public struct ImageFormat: Sendable {
  /// What people call it.
  public let name: String
  /// How names of its files end, in lower case and without the dot; the customary one first.
  public let endings: [String]
  /// What its files begin with: any of these. Empty where nothing reads it.
  let signatures: [Signature]
  /// Opens a file whose beginning has a signature; nil where nothing reads it.
  let decoder: Decoder?
  /// Begins a file; nil where nothing writes it.
  let encoder: Encoder?
  /// What a file that is written can hold.
  let capacity: ImageCapacity?
  /// Whether a file may have several images, of which one is read.
  let hasPages: Bool

  /// Opens a file, at a page of it where the user states one.
  typealias Decoder = @Sendable (borrowing InputFile, Int?) throws(ImageError) -> any ImageDecoder
  /// Begins a file.
  typealias Encoder = @Sendable (EncodedImage) throws(ImageError) -> any ImageEncoder

  /// Bytes at the beginning of a file.
  struct Signature: Sendable {
    var bytes: [UInt8]
    var offset = 0
    /// What the file begins with besides.
    var besides: [UInt8] = []

    func matches(_ beginning: [UInt8]) -> Bool {
      beginning.starts(with: besides) && beginning.dropFirst(offset).starts(with: bytes)
    }
  }

  init(
    _ name: String, endings: [String], signatures: [Signature] = [],
    hasPages: Bool = false, decoder: Decoder? = nil, holding capacity: ImageCapacity? = nil,
    encoder: Encoder? = nil
  ) {
    (self.name, self.endings, self.signatures) = (name, endings, signatures)
    (self.decoder, self.encoder) = (decoder, encoder)
    (self.capacity, self.hasPages) = (capacity, hasPages)
  }
}

// MARK: - The table

extension ImageFormat {
  /// Portable Network Graphics.
  public static let png = ImageFormat(
    "PNG", endings: ["png"], signatures: [Signature(bytes: PNGChunk.signature)],
    decoder: { (file, _) throws(ImageError) in try PNGDecoder(file) },
    holding: ImageCapacity(
      depths: [.eight, .sixteen], holdsAlpha: true,
      parts: ImageCapacity.all(ImageCapacity.Part.allCases.filter { $0 != .iptc })),
    encoder: { (image) throws(ImageError) in PNGEncoder(image) })

  /// JPEG, by JFIF or EXIF.
  public static let jpeg = ImageFormat(
    "JPEG", endings: ["jpg", "jpeg"], signatures: [Signature(bytes: [0xFF, 0xD8, 0xFF])],
    decoder: { (file, _) throws(ImageError) in try JPEGDecoder(file) },
    holding: ImageCapacity(
      depths: [.eight], holdsAlpha: false,
      // A marker holds 65533 bytes, its own name among them.
      parts: [
        .icc: 255 * 65519, .exif: 65527, .xmp: 65504, .iptc: 65000, .text: 65450, .density: .max,
      ],
      side: 65500),
    encoder: { (image) throws(ImageError) in
      var image = image
      image.hasKeywords = false
      return try unsafe CodecEncoder(image) { unsafe cimg_create_jpeg($0, $1, $2) }
    })

  /// TIFF and BigTIFF.
  public static let tiff = ImageFormat(
    "TIFF", endings: ["tif", "tiff"],
    signatures: ["II*\0", "MM\0*", "II+\0", "MM\0+"].map { Signature(bytes: Array($0.utf8)) },
    hasPages: true,
    decoder: { (file, page) throws(ImageError) in try TIFFDecoder(file, page: page) },
    holding: ImageCapacity(
      depths: [.eight, .sixteen, .float], holdsAlpha: true,
      parts: ImageCapacity.all([.icc, .xmp, .text, .density])),
    encoder: { (image) throws(ImageError) in
      try unsafe CodecEncoder(image) { unsafe cimg_create_tiff($0, $1, $2) }
    })

  /// WebP, with loss and without.
  public static let webP = ImageFormat(
    "WebP", endings: ["webp"], signatures: [Signature(bytes: Array("WEBP".utf8), offset: 8)],
    decoder: { (file, _) throws(ImageError) in try WebPDecoder(file) },
    holding: ImageCapacity(
      // Gray takes no fewer bytes, and the library takes colour only.
      depths: [.eight], color: .rgb, holdsAlpha: true,
      parts: ImageCapacity.all([.icc, .exif, .xmp]), side: 16383),
    encoder: { (image) throws(ImageError) in
      try unsafe CodecEncoder(image) { unsafe cimg_create_webp($0, $1, $2) }
    })

  /// GIF of one image.
  static let gif = ImageFormat(
    "GIF", endings: ["gif"], signatures: [Signature(bytes: Array("GIF8".utf8))],
    decoder: { (file, _) throws(ImageError) in try GIFDecoder(file) })

  /// Windows bitmaps.
  static let bmp = ImageFormat(
    "BMP", endings: ["bmp", "dib"],
    signatures: [12, 40, 52, 56, 64, 108, 124].map {
      Signature(bytes: [$0, 0, 0, 0], offset: 14, besides: Array("BM".utf8))
    },
    decoder: { (file, _) throws(ImageError) in try BMPDecoder(file) })

  private static func netpbm(
    _ name: String, _ endings: [String], _ letters: String, _ capacity: ImageCapacity? = nil,
    encoder: Encoder? = nil
  ) -> ImageFormat {
    ImageFormat(
      name, endings: endings,
      signatures: letters.utf8.flatMap { letter in
        [0x09, 0x0A, 0x0D, 0x20, 0x23].map { Signature(bytes: [0x50, letter, $0]) }
      },
      decoder: { (file, _) throws(ImageError) in try PNMDecoder(file) }, holding: capacity,
      encoder: encoder)
  }

  /// Netpbm's images of one bit.
  static let pbm = netpbm("PBM", ["pbm"], "14")

  /// Netpbm's PGM and PPM.
  static let pnm = netpbm(
    "PNM", ["ppm", "pgm", "pnm"], "2356",
    ImageCapacity(depths: [.eight, .sixteen], holdsAlpha: false, parts: [:]),
    encoder: { (image) throws(ImageError) in try PNMEncoder(image, .pnm) })

  /// Netpbm's PAM, which has alpha.
  static let pam = netpbm(
    "PAM", ["pam"], "7",
    ImageCapacity(depths: [.eight, .sixteen], holdsAlpha: true, parts: [:]),
    encoder: { (image) throws(ImageError) in try PNMEncoder(image, .pam) })

  /// Floats.
  static let pfm = netpbm(
    "PFM", ["pfm"], "Ff", ImageCapacity(depths: [.float], holdsAlpha: false, parts: [:]),
    encoder: { (image) throws(ImageError) in try PNMEncoder(image, .pfm) })

  /// All formats known: those that are read or written, and those whose files call themselves
  /// images and are not read, so that nobody wonders where they went. Of those written, the first
  /// is the usual one.
  public static let all = [
    png, jpeg, webP, tiff, bmp, gif, pnm, pam, pfm, pbm,
    ImageFormat("JPEG XL", endings: ["jxl"]), ImageFormat("HEIF", endings: ["heic", "heif"]),
    ImageFormat("AVIF", endings: ["avif"]), ImageFormat("OpenEXR", endings: ["exr"]),
    ImageFormat(
      "camera raw", endings: ["dng", "nef", "cr2", "cr3", "arw", "orf", "rw2", "raf", "pef"]),
  ]
}

// MARK: - Questions

extension ImageFormat {
  /// The formats that are read.
  public static let readable = all.filter { $0.decoder != nil }
  /// The formats that are written; the first where no name says which.
  public static let writable = all.filter { $0.encoder != nil }

  /// The format of a file that begins with these bytes, among those that are read.
  package static func reading(_ beginning: [UInt8]) -> ImageFormat? {
    readable.first { $0.signatures.contains { $0.matches(beginning) } }
  }

  /// The format that a file's name says, whatever the file holds; nil for none that is known.
  public static func named(_ path: String) -> ImageFormat? { all.first { $0.names(path) } }

  /// The format in which a file of this name is written; nil where there is none.
  public static func writing(_ path: String) -> ImageFormat? {
    writable.first { $0.names(path) }
  }

  /// Whether a name ends as files of this format do.
  public func names(_ path: String) -> Bool {
    guard let dot = path.lastIndex(of: ".") else { return false }
    return endings.contains(path[path.index(after: dot)...].lowercased())
  }

  /// The depths of samples that are written, the least first; none where nothing is.
  public var writtenDepths: [BitDepth] { capacity?.depths ?? [] }

  /// What files that are written hold beside colours, in words.
  public var writtenParts: [String] {
    guard let capacity else { return [] }
    return (capacity.holdsAlpha ? ["alpha"] : [])
      + ImageCapacity.Part.allCases.filter { capacity.parts[$0] != nil }.map(\.name)
  }

  /// The names of formats as a sentence has them: `PNG or JPEG`.
  public static func list(_ formats: [ImageFormat], joinedBy word: String = "or") -> String {
    let names = formats.map(\.name)
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return "\(names.dropLast().joined(separator: ", ")) \(word) \(last)"
  }
}

extension ImageFormat: Hashable, CustomStringConvertible {
  /// Names are unique in the table.
  public static func == (a: ImageFormat, b: ImageFormat) -> Bool { a.name == b.name }
  /// As `==`.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
  /// The name.
  public var description: String { name }
}
