import Testing

@testable import AviaryContainers

/// Snappy's raw format, by its description.
@Suite struct SnappyTests {
  private func unpack(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
    try Snappy.unpack(bytes, limit: limit, path: "x", part: "a block")
  }

  @Test("literals and copies of all kinds, overlapping ones too")
  func elements() throws {
    // "abcd", a copy of 6 from 4 before (which overlaps), one of 5 by two bytes, one of 4 by four.
    let packed: [UInt8] =
      [19, 3 << 2] + Array("abcd".utf8) + [2 << 2 | 1, 4] + [4 << 2 | 2, 3, 0]
      + [3 << 2 | 3, 1, 0, 0, 0]
    #expect(String(decoding: try unpack(packed), as: UTF8.self) == "abcdabcdabdabdaaaaa")
    // A length of two bytes.
    let long = [UInt8](repeating: 7, count: 300)
    #expect(try unpack([0xAC, 0x02, 61 << 2, 0x2B, 0x01] + long) == long)
    #expect(try unpack([0]) == [])
  }

  @Test(
    "what is wrong is said",
    arguments: [
      ([4, 3 << 2, 97], "x: truncated: a block at byte 2: expected 4 bytes, found 1"),
      ([4, 0, 97, 1, 2], "x: damaged: a block: a copy of 4 bytes from 2 before"),
      ([2, 0, 97], "x: truncated: a block: expected 2 bytes, found 1"),
      ([1, 1 << 2, 97, 98], "x: damaged: a block: more bytes than it states"),
      ([0xFF, 0xFF, 0x7F], "x: a block, bytes unpacked: 2097151 exceeds the limit of 192"),
    ] as [([UInt8], String)])
  func refused(_ packed: [UInt8], _ message: String) {
    do {
      _ = try unpack(packed)
      Issue.record("no error")
    } catch {
      #expect("\(error)" == message)
    }
  }
}
