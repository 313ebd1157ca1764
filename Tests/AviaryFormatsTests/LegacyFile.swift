/// PyTorch files of the old container around a pickle of the test's own, for pickles that nothing
/// honest writes.
enum LegacyFile {
  /// The file whose object is `pickle` (from behind its protocol header to before its stop) and
  /// which holds no storages.
  static func around(_ pickle: [UInt8]) -> [UInt8] {
    let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let header: [UInt8] = [0x80, 0x02]
    return header + [0x8A, 0x0A] + magic + [0x2E]  // the magic number
      + header + [0x4D, 0xE9, 0x03, 0x2E]  // 1001
      + header + [0x7D, 0x2E]  // an empty dictionary about the machine
      + header + pickle + [0x2E]  // the object
      + header + [0x5D, 0x2E]  // no storages
  }

  /// Text as a pickle has it.
  static func text(_ text: String) -> [UInt8] {
    [0x58] + little(UInt32(text.utf8.count)) + Array(text.utf8)
  }

  /// A number's bytes, the lowest first.
  static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * Number($0))) }
  }
}
