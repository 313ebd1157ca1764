/// The orientation in EXIF data: found, and reset once it has been applied.
///
/// EXIF data is a TIFF file: byte order, offset of the first directory, entries of twelve bytes.
/// Whatever does not follow that is left as it is and has no orientation.
struct Exif {
  private(set) var bytes: [UInt8]
  private var valueOffset: Int?

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    let isLittle = bytes.starts(with: Array("II*\0".utf8))
    guard isLittle || bytes.starts(with: Array("MM\0*".utf8)) else { return }
    func number(at offset: Int, _ count: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - count else { return nil }
      let part = bytes[offset..<offset + count]
      return isLittle
        ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, 4), let count = number(at: directory, 2) else { return }
    for i in 0..<count {
      let entry = directory + 2 + i * 12
      guard let tag = number(at: entry, 2) else { return }
      // One SHORT, stored in the entry itself.
      if tag == 0x0112, number(at: entry + 2, 2) == 3, number(at: entry + 4, 4) == 1,
        let value = number(at: entry + 8, 2)
      {
        orientation = Orientation(rawValue: value) ?? .upright
        valueOffset = isLittle ? entry + 8 : entry + 9
        return
      }
    }
  }

  /// Upright where there is no such tag, or a value that means nothing.
  private(set) var orientation = Orientation.upright

  /// Says that the picture is upright, leaving all else.
  mutating func resetOrientation() {
    guard let valueOffset else { return }
    orientation = .upright
    // A value that means nothing may have set the other byte too.
    bytes[valueOffset] = 1
  }
}
