/// Unpacks Snappy's raw format: literal bytes, and copies of what was unpacked before ("Snappy
/// compressed format description", github.com/google/snappy).
enum Snappy {
  /// - Parameter limit: how many bytes the result may have.
  /// - Throws: `CheckpointError.truncated`, `.damaged`, `.tooLarge`.
  static func unpack(
    _ bytes: [UInt8], limit: Int, path: String, part: String
  ) throws(CheckpointError) -> [UInt8] {
    var cursor = ByteCursor(bytes, path: path, part: part)
    let count = try cursor.variableSize()
    // Three bytes make 64 at most.
    guard count <= limit, count <= 64 * bytes.count else {
      throw .tooLarge(
        path: path, part: "\(part), bytes unpacked", limit: min(limit, 64 * bytes.count),
        found: count)
    }
    func damaged(_ reason: String) -> CheckpointError {
      .damaged(path: path, part: part, reason: reason)
    }
    var result: [UInt8] = []
    result.reserveCapacity(count)
    while cursor.remaining > 0 {
      let tag = Int(try cursor.byte())
      if tag & 3 == 0 {
        var length = tag >> 2
        if length >= 60 { length = try cursor.size(bytes: length - 59) }
        guard length < count - result.count else { throw damaged("more bytes than it states") }
        result += bytes[try cursor.range(length + 1)]
        continue
      }
      let length = tag & 3 == 1 ? 4 + tag >> 2 & 7 : 1 + tag >> 2
      let offset =
        switch tag & 3 {
        case 1: (tag >> 5) << 8 | Int(try cursor.byte())
        case 2: try cursor.size(bytes: 2)
        default: try cursor.size(bytes: 4)
        }
      guard (1...max(result.count, 1)).contains(offset), offset <= result.count,
        length <= count - result.count
      else { throw damaged("a copy of \(length) bytes from \(offset) before") }
      // What is copied may overlap with what it makes.
      for _ in 0..<length { result.append(result[result.count - offset]) }
    }
    guard result.count == count else {
      throw .truncated(path: path, part: part, expected: count, found: result.count)
    }
    return result
  }
}
