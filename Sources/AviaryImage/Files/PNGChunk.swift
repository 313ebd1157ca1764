import CImageCodecs

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
