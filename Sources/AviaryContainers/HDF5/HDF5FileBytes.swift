import AviaryFiles

/// Blocks of an HDF5 file. In an honest file each belongs to one thing, so that all of them together
/// are no more than the file: who asks for more goes in circles.
final class HDF5FileBytes {
  /// The file's size.
  let byteCount: Int
  private let reader: HDF5Reader
  private var left: Int

  init(_ reader: HDF5Reader) {
    self.reader = reader
    byteCount = reader.range.byteCount
    left = byteCount
  }

  /// The `count` bytes at `offset`.
  func block(
    at offset: Int, count: Int
  ) throws(HDF5Outline.Uncommon) -> HDF5Block {
    guard offset >= 0, count >= 0, count <= left, offset <= byteCount - count,
      let bytes = try? reader.range.file.bytes(at: reader.range.start + offset, count: count),
      bytes.count == count
    else { throw HDF5Outline.Uncommon() }
    left -= count
    return HDF5Block(bytes: bytes[...])
  }
}

/// Some bytes of an HDF5 file, with numbers at known places. All numbers are little-endian.
struct HDF5Block {
  let bytes: ArraySlice<UInt8>

  /// The unsigned number of `count` bytes at `offset`; one beyond `Int` is none that a file has.
  func number(_ offset: Int, _ count: Int) throws(HDF5Outline.Uncommon) -> Int {
    let part = try self.part(offset, count)
    var value: UInt64 = 0
    for byte in part.bytes.reversed() { value = value << 8 | UInt64(byte) }
    guard let number = Int(exactly: value) else { throw HDF5Outline.Uncommon() }
    return number
  }

  /// The 8 bytes at `offset` are the mark for no place in the file.
  func isUndefined(_ offset: Int) -> Bool {
    (try? part(offset, 8))?.bytes.allSatisfy { $0 == 0xFF } ?? false
  }

  /// The `count` bytes at `offset`.
  func part(_ offset: Int, _ count: Int) throws(HDF5Outline.Uncommon) -> HDF5Block {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw HDF5Outline.Uncommon()
    }
    let start = bytes.startIndex + offset
    return HDF5Block(bytes: bytes[start..<start + count])
  }

  /// The text at `offset` up to its zero, which must be there.
  func text(_ offset: Int) throws(HDF5Outline.Uncommon) -> String {
    guard offset >= 0, offset < bytes.count,
      let end = bytes[(bytes.startIndex + offset)...].firstIndex(of: 0),
      let text = String(validating: bytes[(bytes.startIndex + offset)..<end], as: UTF8.self)
    else { throw HDF5Outline.Uncommon() }
    return text
  }
}
