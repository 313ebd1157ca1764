import Glibc

/// What a file is, by its first bytes, among the kinds that reach a program by mistake or by a
/// failed download; names and extensions are not asked.
///
/// Formats of weights are told apart by AviaryFormats, which asks here about everything else.
package enum FileKind: CaseIterable, Hashable, Sendable {
  case empty
  case png
  /// A PNG whose line ends were changed on the way.
  case spoiltPNG
  case jpeg
  case jpegXL
  case gif
  case webP
  case tiff
  case bmp
  case pnm
  /// The ISO base media format: HEIF, AVIF, MP4.
  case heif
  case pdf
  case hdf5
  case zip
  case gzip
  case elf
  /// Three lines of text in place of the file.
  case gitLFSPointer
  case webPage
  /// SVG, and XML of any kind.
  case xml
  case json
  case text
  case unknown

  /// - Parameter bytes: the file's beginning; 512 bytes are enough, and fewer are taken for all
  ///   there is.
  package init(beginning bytes: [UInt8]) {
    self =
      bytes.isEmpty ? .empty : FileKind.binary(bytes) ?? FileKind.textual(bytes) ?? .unknown
  }

  /// What has a signature of its own.
  private static func binary(_ bytes: [UInt8]) -> FileKind? {
    func has(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      bytes.dropFirst(offset).starts(with: signature)
    }
    func has(_ text: String, at offset: Int = 0) -> Bool { has(Array(text.utf8), at: offset) }

    if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    // The signature's line ends are there to betray a transfer as text.
    if has([0x89, 0x50, 0x4E, 0x47]) { return .spoiltPNG }
    if has([0xFF, 0xD8, 0xFF]) { return .jpeg }
    if has([0xFF, 0x0A]) || has("JXL ", at: 4) { return .jpegXL }
    if has("GIF8") { return .gif }
    if has("RIFF"), has("WEBP", at: 8) { return .webP }
    if has("II*\0") || has("MM\0*") { return .tiff }
    // Two letters are too few to go by; the reserved fields after the size are zero.
    if has("BM"), has([0, 0, 0, 0], at: 6) { return .bmp }
    if has("P5") || has("P6"), bytes.count > 2, [0x09, 0x0A, 0x0D, 0x20].contains(bytes[2]) {
      return .pnm
    }
    if has("ftyp", at: 4) { return .heif }
    if has("%PDF") { return .pdf }
    if has([0x89, 0x48, 0x44, 0x46]) { return .hdf5 }
    if has([0x50, 0x4B, 0x03, 0x04]) { return .zip }
    if has([0x1F, 0x8B]) { return .gzip }
    if has([0x7F, 0x45, 0x4C, 0x46]) { return .elf }
    return nil
  }

  /// What consists of lines and can be read.
  private static func textual(_ bytes: [UInt8]) -> FileKind? {
    let isText = bytes.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    guard isText else { return nil }
    // A byte order mark may come first.
    let visible = bytes.drop { $0 <= 0x20 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }
    let start = String(decoding: visible.prefix(64), as: UTF8.self).lowercased()
    if start.hasPrefix("version https://git-lfs") { return .gitLFSPointer }
    if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") { return .webPage }
    if start.hasPrefix("<svg") || start.hasPrefix("<?xml") { return .xml }
    return start.hasPrefix("{") ? .json : .text
  }

  /// What the file is, with its article, as it stands in messages.
  package var label: String {
    switch self {
    case .empty: "an empty file"
    case .png: "a PNG image"
    case .spoiltPNG: "a PNG spoilt by a transfer as text"
    case .jpeg: "a JPEG image"
    case .jpegXL: "a JPEG XL image"
    case .gif: "a GIF image"
    case .webP: "a WebP image"
    case .tiff: "a TIFF image"
    case .bmp: "a BMP image"
    case .pnm: "a PNM image"
    case .heif: "a HEIF, AVIF or video file"
    case .pdf: "a PDF file"
    case .hdf5: "an HDF5 file"
    case .zip: "a zip archive"
    case .gzip: "a gzip archive"
    case .elf: "an executable or library"
    case .gitLFSPointer: "a Git LFS pointer (the file itself comes with `git lfs pull`)"
    case .webPage: "a saved web page (was the download's address right?)"
    case .xml: "an XML or SVG file"
    case .json: "a JSON file"
    case .text: "a text file"
    case .unknown: "a file of another kind"
    }
  }
}

/// A folder that one process at a time works in. Held until this value is gone, or the process.
package struct FolderLock: ~Copyable {
  private let descriptor: CInt

  /// Takes the folder.
  ///
  /// - Throws: `FileError.cannotWrite` where another process has it; `.cannotRead` where it cannot
  ///   be opened.
  package init(_ path: String) throws(FileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: SystemReason.last) }
    // The folder itself is locked: a file for it would stay behind.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isTaken = errno == EWOULDBLOCK
      let reason = SystemReason.last
      close(descriptor)
      throw .cannotWrite(
        path: path, reason: isTaken ? "another process is at work in it" : reason)
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
