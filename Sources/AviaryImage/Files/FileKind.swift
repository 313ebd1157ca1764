/// What a file is, by its first bytes; names and extensions are not asked.
enum FileKind: Hashable {
  case png
  case jpeg
  /// Something that is not read, in words for an error.
  case other(String)

  init(beginning bytes: [UInt8]) {
    func begins(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
      bytes.dropFirst(offset).starts(with: prefix)
    }
    func begins(_ text: String, at offset: Int = 0) -> Bool {
      begins(Array(text.utf8), at: offset)
    }
    /// The first visible characters in lower case, for text formats.
    let text = String(
      decoding: bytes.drop { $0 <= 0x20 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }.prefix(64),
      as: UTF8.self
    ).lowercased()

    if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if begins([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.isEmpty {
      self = .other("an empty file")
    } else if begins("version https://git-lfs") {
      self = .other("a Git LFS pointer (`git lfs pull` fetches the file itself)")
    } else if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
      self = .other("an HTML page")
    } else if text.hasPrefix("<svg") || text.hasPrefix("<?xml") {
      self = .other("an XML or SVG file")
    } else if begins("GIF8") {
      self = .other("a GIF picture")
    } else if begins("RIFF"), begins("WEBP", at: 8) {
      self = .other("a WebP picture")
    } else if begins("II*\0") || begins("MM\0*") {
      self = .other("a TIFF picture")
    } else if begins("BM") {
      self = .other("a BMP picture")
    } else if begins("ftyp", at: 4) {
      self = .other("a HEIF, AVIF or video file")
    } else if begins("P5") || begins("P6") {
      self = .other("a PNM picture")
    } else if begins([0xFF, 0x0A]) || begins("JXL ", at: 4) {
      self = .other("a JPEG XL picture")
    } else if begins("%PDF") {
      self = .other("a PDF file")
    } else if begins("\u{89}HDF") || begins([0x89, 0x48, 0x44, 0x46]) {
      self = .other("an HDF5 file")
    } else if begins("PK\u{3}\u{4}") {
      self = .other("a zip archive")
    } else if begins([0x89, 0x50, 0x4E, 0x47]) {
      // The signature's line ends are there to betray a transfer as text.
      self = .other("a PNG spoilt by a transfer as text")
    } else {
      self = .other("a file of another kind")
    }
  }
}
