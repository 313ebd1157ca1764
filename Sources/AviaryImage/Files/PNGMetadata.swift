import CImageCodecs
import Glibc

/// What PNG says besides pixels, from its chunks and back.
enum PNGMetadata {
  /// Chunks of which a file has one, and how long they must be where that is fixed. They say how
  /// colours are meant, how large the image is on paper, and how it was taken; times of change are
  /// left behind.
  private static let single: [String: Int?] = [
    "gAMA": 4, "cHRM": 32, "sRGB": 1, "cICP": 4, "pHYs": 9, "iCCP": nil, "eXIf": nil,
  ]
  /// Chunks of which a file may have many.
  private static let texts: Set<String> = ["tEXt", "zTXt", "iTXt"]
  /// Beyond this number texts are left behind.
  private static let mostTexts = 256
  /// The keyword under which XMP stands (XMP specification, part 3).
  private static let xmpKeyword = "XML:com.adobe.xmp"

  /// Whether a chunk is to be read, after these.
  static func carries(_ type: String, length: Int, after chunks: [PNGChunk]) -> Bool {
    guard length <= ImageMetadata.mostBytes else { return false }
    if texts.contains(type) {
      return chunks.count { texts.contains($0.type) } < mostTexts
    }
    guard let expected = single[type] else { return false }
    return length == expected ?? length && !chunks.contains { $0.type == type }
  }

  /// What chunks say; those that cannot be understood are left out.
  ///
  /// - Parameter color: of the image that they stand in.
  static func metadata(_ chunks: [PNGChunk], color: ColorModel) -> ImageMetadata {
    var metadata = ImageMetadata()
    // Of all texts together: each may be a small chunk that inflates to a large one.
    var left = ImageMetadata.mostBytes
    for chunk in chunks {
      let data = chunk.data
      switch chunk.type {
      case "gAMA": metadata.gamma = PNGChunk.number(data[...])
      case "cHRM":
        metadata.chromaticities = (0..<8).map { PNGChunk.number(data[4 * $0..<4 * $0 + 4]) }
      case "sRGB": metadata.srgbIntent = data[0]
      case "cICP":
        metadata.cicp = CodePoints(
          primaries: data[0], transfer: data[1], matrix: data[2], fullRange: data[3])
      case "pHYs":
        metadata.density = ImageDensity(
          x: PNGChunk.number(data[0..<4]), y: PNGChunk.number(data[4..<8]),
          isPerMetre: data[8] == 1)
      case "eXIf": metadata.exif = data
      case "iCCP":
        // Name, its end, method 0, a zlib stream.
        guard let (name, rest) = split(data[...]), rest.first == 0,
          let bytes = inflated(rest.dropFirst(), ImageMetadata.mostBytes)
        else { continue }
        metadata.icc = ICCProfile(name: String(latin1: name), bytes: bytes, color: color)
      default:
        guard let text = text(chunk, atMost: left) else {
          // What inflated in vain took its time, too.
          left -= min(ImageMetadata.mostBytes / 16, left)
          continue
        }
        left -= min(text.text.utf8.count, left)
        if text.keyword == xmpKeyword {
          metadata.xmp = metadata.xmp ?? Array(text.text.utf8)
        } else {
          metadata.text.append(text)
        }
      }
    }
    metadata.limit()
    return metadata
  }

  /// The chunks that say it, in the order in which they stand in a file.
  static func chunks(_ metadata: ImageMetadata) -> [PNGChunk] {
    var chunks: [PNGChunk] = []
    func add(_ type: String, _ data: [UInt8]?) {
      if let data { chunks.append(PNGChunk(type: type, data: data)) }
    }
    add("gAMA", metadata.gamma.map(PNGChunk.bigEndian))
    add("cHRM", metadata.chromaticities?.flatMap(PNGChunk.bigEndian))
    add("sRGB", metadata.srgbIntent.map { [$0] })
    if let profile = metadata.icc, let bytes = deflated(profile.bytes) {
      let name = keyword(profile.name) ?? Array("ICC profile".utf8)
      add("iCCP", name + [0, 0] + bytes)
    }
    add("cICP", metadata.cicp.map { [$0.primaries, $0.transfer, $0.matrix, $0.fullRange] })
    add(
      "pHYs",
      metadata.density.map {
        PNGChunk.bigEndian($0.x) + PNGChunk.bigEndian($0.y) + [$0.isPerMetre ? 1 : 0]
      })
    add("eXIf", metadata.exif)
    if let xmp = metadata.xmp {
      // Not compressed, no language, no translated keyword.
      add("iTXt", Array(xmpKeyword.utf8) + [0, 0, 0, 0, 0] + xmp)
    }
    chunks += metadata.text.compactMap(chunk)
    return chunks
  }

  // MARK: - Texts

  private static func text(_ chunk: PNGChunk, atMost limit: Int) -> ImageText? {
    guard let (name, rest) = split(chunk.data[...]) else { return nil }
    let keyword = String(latin1: name)
    switch chunk.type {
    case "tEXt": return ImageText(keyword: keyword, text: String(latin1: rest))
    case "zTXt":
      guard rest.first == 0, let bytes = inflated(rest.dropFirst(), limit) else { return nil }
      return ImageText(keyword: keyword, text: String(latin1: bytes[...]))
    default:
      // Whether compressed, method, language, its end, translated keyword, its end, text.
      guard rest.count >= 2, let compression = rest.first,
        let (language, other) = split(rest.dropFirst(2), upTo: .max),
        let (translated, last) = split(other, upTo: .max),
        let bytes = compression == 1 ? inflated(last, limit) : Array(last),
        let text = String(validating: bytes, as: UTF8.self),
        let translatedKeyword = String(validating: translated, as: UTF8.self)
      else { return nil }
      return ImageText(
        keyword: keyword, text: text, language: String(latin1: language),
        translatedKeyword: translatedKeyword)
    }
  }

  /// A text as a chunk: Latin-1 where that suffices.
  private static func chunk(_ text: ImageText) -> PNGChunk? {
    guard let name = keyword(text.keyword), !text.text.utf8.contains(0) else { return nil }
    if text.language.isEmpty, text.translatedKeyword.isEmpty, let bytes = text.text.latin1 {
      return PNGChunk(type: "tEXt", data: name + [0] + bytes)
    }
    let language = text.language.latin1 ?? []
    return PNGChunk(
      type: "iTXt",
      data: name + [0, 0, 0] + language + [0] + Array(text.translatedKeyword.utf8) + [0]
        + Array(text.text.utf8))
  }

  /// A keyword's bytes, if it is one.
  private static func keyword(_ text: String) -> [UInt8]? {
    text.latin1.flatMap { (1...79).contains($0.count) && !$0.contains(0) ? $0 : nil }
  }

  /// What stands before and after the first NUL.
  private static func split(
    _ bytes: ArraySlice<UInt8>, upTo longest: Int = 79
  ) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
    guard let end = bytes.firstIndex(of: 0), end - bytes.startIndex <= longest else { return nil }
    return (bytes[..<end], bytes[(end + 1)...])
  }

  // MARK: - Compression

  /// What a zlib stream holds; nil for damage, and beyond the limit.
  private static func inflated(_ bytes: ArraySlice<UInt8>, _ limit: Int) -> [UInt8]? {
    unsafe taken { unsafe cimg_inflate(Array(bytes), bytes.count, limit, $0) }
  }

  private static func deflated(_ bytes: [UInt8]) -> [UInt8]? {
    unsafe taken { unsafe cimg_deflate(bytes, bytes.count, $0) }
  }

  /// The bytes that a C function gives, to be freed here.
  private static func taken(
    _ make: (UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<UInt8>?
  ) -> [UInt8]? {
    var length = 0
    guard let bytes = unsafe make(&length) else { return nil }
    defer { unsafe free(bytes) }
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
  }
}

/// A chunk of a PNG file.
struct PNGChunk: Hashable, Sendable {
  /// Four ASCII letters.
  let type: String
  var data: [UInt8]

  /// The first chunk of a file: 8 or 16 bits, not interlaced.
  static func header(width: Int, height: Int, format: PixelFormat) -> PNGChunk {
    let color: UInt8 = (format.color == .gray ? 0 : 2) + (format.hasAlpha ? 4 : 0)
    return PNGChunk(
      type: "IHDR",
      data: bigEndian(UInt32(width)) + bigEndian(UInt32(height))
        + [UInt8(format.bitDepth.rawValue), color, 0, 0, 0])
  }

  /// The chunk as it stands in a file: length, type, data, checksum.
  var fileBytes: [UInt8] {
    let content = Array(type.utf8) + data
    let sum = unsafe content.withUnsafeBufferPointer {
      unsafe cimg_crc(0, $0.baseAddress, $0.count)
    }
    return PNGChunk.bigEndian(UInt32(data.count)) + content + PNGChunk.bigEndian(sum)
  }

  /// What every PNG file begins with.
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Four bytes, the highest first.
  static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// The number that four bytes are, the highest first.
  static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }
}
