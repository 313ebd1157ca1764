/// An ancillary chunk of a PNG file, carried from the picture read to the one written.
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

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
