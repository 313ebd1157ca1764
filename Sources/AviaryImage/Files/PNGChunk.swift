import CImageCodecs

/// A chunk of a PNG file: an ancillary one, carried from the picture read to the one written, or one
/// that makes up the file.
struct PNGChunk: Hashable, Sendable {
  /// Four ASCII letters.
  let type: String
  var data: [UInt8]

  /// The chunks that are carried, and how long they must be where that is fixed. They say how
  /// colours are meant, how large the picture is on paper, and how it was taken; comments and
  /// times of change are left behind.
  static let carried: [String: Int?] = [
    "gAMA": 4, "cHRM": 32, "sRGB": 1, "cICP": 4, "pHYs": 9, "iCCP": nil, "eXIf": nil,
  ]

  /// Beyond this length a chunk is not carried.
  static let maximumLength = 1 << 24

  /// An iCCP chunk of an ICC profile, deflated by storing it: profiles are small.
  static func iccProfile(_ profile: [UInt8]) -> PNGChunk {
    // Name, its end, method 0; then a zlib stream (RFC 1950) of stored blocks (RFC 1951).
    var data = Array("ICC profile".utf8) + [0, 0, 0x78, 0x01]
    var rest = profile[...]
    repeat {
      let block = rest.prefix(0xFFFF)
      rest = rest.dropFirst(block.count)
      let length = UInt16(block.count)
      data.append(rest.isEmpty ? 1 : 0)
      for half in [length, ~length] {
        data += [UInt8(truncatingIfNeeded: half), UInt8(truncatingIfNeeded: half >> 8)]
      }
      data += block
    } while !rest.isEmpty
    // Adler-32.
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in profile {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    data += bigEndian(b << 16 | a)
    return PNGChunk(type: "iCCP", data: data)
  }

  /// A pHYs chunk: pixels per metre.
  static func density(x: UInt32, y: UInt32) -> PNGChunk {
    PNGChunk(type: "pHYs", data: bigEndian(x) + bigEndian(y) + [1])
  }

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
}
