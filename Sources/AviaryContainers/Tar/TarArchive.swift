package import AviaryFiles

/// The members of a tar archive (POSIX ustar): where each lies in the file.
package struct TarArchive {
  /// PyTorch's archives have four members.
  private static let memberLimit = 1024

  /// The members' ranges by name; of a name given twice the first counts.
  package let members: [String: Range<Int>]

  /// Reads the headers, one after the other, up to the two empty blocks at the end.
  package init(_ file: borrowing InputFile) throws(CheckpointError) {
    var members: [String: Range<Int>] = [:]
    var position = 0
    var count = 0
    while position + 512 <= file.byteCount {
      let part = "the tar header at byte \(position)"
      let header = try file.read(at: position, count: 512, part: part)
      if header.allSatisfy({ $0 == 0 }) { break }
      count += 1
      guard count <= Self.memberLimit else {
        throw .tooLarge(path: file.path, part: "members", limit: Self.memberLimit, found: count)
      }
      guard header[257..<262].elementsEqual("ustar".utf8), let size = Self.octal(header[124..<136])
      else {
        throw .damaged(path: file.path, part: part, reason: "expected a member with a size")
      }
      position += 512
      let left = file.byteCount - position
      let name = String(decoding: header[..<100].prefix { $0 != 0 }, as: UTF8.self)
      guard size <= left else {
        throw .truncated(path: file.path, part: name, expected: size, found: left)
      }
      // Folders and extended headers are passed over; links have no content.
      if header[156] == 0 || header[156] == UInt8(ascii: "0"), members[name] == nil {
        members[name] = position..<position + size
      }
      position += (size + 511) / 512 * 512
    }
    self.members = members
  }

  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    // Twelve digits are below 2^36.
    return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 >= 0 ? $0 : nil }
  }
}
