internal import AviaryFiles

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
  let decoder: (@Sendable (borrowing InputFile) throws(ImageError) -> any ImageDecoder)?
  /// Begins a file; nil where nothing writes it.
  let encoder: (@Sendable (EncodedImage) throws(ImageError) -> any ImageEncoder)?

  /// Bytes at the beginning of a file.
  struct Signature: Sendable {
    var bytes: [UInt8]
    var offset = 0

    func matches(_ beginning: [UInt8]) -> Bool {
      beginning.dropFirst(offset).starts(with: bytes)
    }
  }

  init(
    _ name: String, endings: [String], signatures: [Signature] = [],
    decoder: (@Sendable (borrowing InputFile) throws(ImageError) -> any ImageDecoder)? = nil,
    encoder: (@Sendable (EncodedImage) throws(ImageError) -> any ImageEncoder)? = nil
  ) {
    (self.name, self.endings, self.signatures) = (name, endings, signatures)
    (self.decoder, self.encoder) = (decoder, encoder)
  }
}

// MARK: - The table

extension ImageFormat {
  /// Portable Network Graphics.
  public static let png = ImageFormat(
    "PNG", endings: ["png"], signatures: [Signature(bytes: PNGChunk.signature)],
    decoder: { (file) throws(ImageError) in try PNGDecoder(file) },
    encoder: { (image) throws(ImageError) in PNGEncoder(image) })

  /// JPEG, by JFIF or EXIF.
  public static let jpeg = ImageFormat(
    "JPEG", endings: ["jpg", "jpeg"], signatures: [Signature(bytes: [0xFF, 0xD8, 0xFF])],
    decoder: { (file) throws(ImageError) in try JPEGDecoder(file) })

  /// All formats known: those that are read or written, and those whose files call themselves
  /// images and are not read, so that nobody wonders where they went. Of those written, the first
  /// is the usual one.
  public static let all = [
    png, jpeg, ImageFormat("BMP", endings: ["bmp"]), ImageFormat("GIF", endings: ["gif"]),
    ImageFormat("TIFF", endings: ["tif", "tiff"]), ImageFormat("WebP", endings: ["webp"]),
    ImageFormat("JPEG XL", endings: ["jxl"]), ImageFormat("HEIF", endings: ["heic", "heif"]),
    ImageFormat("AVIF", endings: ["avif"]), ImageFormat("PNM", endings: ["ppm", "pgm", "pnm"]),
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
