/// Files that begin as sound ones and were changed at random: bits and bytes, lengths, numbers in
/// text, ends, blocks. The same for one seed on every machine.
package struct Mutations {
  private let originals: [[UInt8]]
  private var random: SplitMix64

  /// Changes of some files.
  package init(of originals: [[UInt8]], seed: UInt64) {
    self.originals = originals
    random = SplitMix64(seed: seed)
  }

  /// The next file: an original with one to four changes.
  package mutating func next() -> [UInt8] {
    var file = originals[below(originals.count)]
    for _ in 0...below(4) where !file.isEmpty { change(&file) }
    return file
  }

  private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(max(count, 1))) }

  private mutating func change(_ file: inout [UInt8]) {
    // Half of all changes are near the beginning, where headers are.
    let reach = below(2) == 0 ? min(file.count, 512) : file.count
    let place = below(reach)
    switch below(9) {
    case 0, 1: file[place] ^= 1 << UInt8(below(8))
    case 2: file[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(below(256))][below(6)]
    case 3: file.removeLast(below(file.count))
    case 4: file.removeSubrange(place..<min(place + 1 + below(64), file.count))
    case 5:
      let other = originals[below(originals.count)]
      let from = below(other.count)
      file.insert(contentsOf: other[from..<min(from + below(256), other.count)], at: place)
    case 6: number(&file, at: place)
    case 7: digits(&file, near: place)
    default:
      let other = originals[below(originals.count)]
      file = Array(file[..<place]) + other.dropFirst(below(other.count))
    }
  }

  /// A length, count or offset of two, four or eight bytes, the lowest first.
  private mutating func number(_ file: inout [UInt8], at place: Int) {
    let values: [UInt64] = [
      0, 1, 2, UInt64(file.count), UInt64(file.count) &- UInt64(place), 0xFFFF, 0x7FFF_FFFF,
      0xFFFF_FFFF, 1 << 40, 1 << 62, .max >> 1, .max, random.next(),
    ]
    let value = values[below(values.count)]
    for i in 0..<[2, 4, 8][below(3)] where place + i < file.count {
      file[place + i] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(i)))
    }
  }

  /// A number in text: the next digits behind a place.
  private mutating func digits(_ file: inout [UInt8], near place: Int) {
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    guard let start = file[place...].prefix(4096).firstIndex(where: isDigit) else { return }
    let end = file[start...].firstIndex { !isDigit($0) } ?? file.count
    let texts = [
      "0", "-1", "1", "65536", "2147483648", "4294967295", "4611686018427387904",
      "9223372036854775807", "18446744073709551616", "1e308", "0.5", "", "99999999999999999999999",
    ]
    file.replaceSubrange(start..<end, with: Array(texts[below(texts.count)].utf8))
  }
}
