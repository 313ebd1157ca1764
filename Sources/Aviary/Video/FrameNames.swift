internal import AviaryFiles

/// The names of a sequence of images: `frame%05d.png`.
struct FrameNames: Hashable, Sendable {
  /// The pattern.
  let pattern: String
  private let prefix: String
  private let suffix: String
  /// The fewest digits of a number.
  private let digits: Int

  /// Nil for a path whose last name has no `%d`, or another count of digits than 1 to 9.
  init?(_ path: String) {
    let nameStart = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
    guard let percent = path[nameStart...].firstIndex(of: "%") else { return nil }
    let field = path[path.index(after: percent)...].prefix { $0 != "d" }
    guard field.isEmpty || field.first == "0" && field.count == 2,
      let digits = field.isEmpty ? 1 : Int(field), digits > 0, field.endIndex < path.endIndex
    else { return nil }
    pattern = path
    prefix = String(path[..<percent])
    suffix = String(path[path.index(after: field.endIndex)...])
    self.digits = digits
  }

  /// The path of a frame.
  func path(_ number: Int) -> String {
    let text = String(number)
    return prefix + String(repeating: "0", count: max(digits - text.count, 0)) + text + suffix
  }

  /// The numbers of the frames that are there, in order.
  ///
  /// - Throws: `VideoError.frames` where there is none, or one is missing in between; `FileError`.
  func numbers() throws -> Range<Int> {
    let folder = pattern.folder
    let stem = prefix.hasSuffix("/") ? "" : prefix.fileName
    let ending = suffix
    let numbers = try Folder.names(in: folder).compactMap { name -> Int? in
      guard name.hasPrefix(stem), name.hasSuffix(ending), name.count > stem.count + ending.count
      else { return nil }
      let text = name.dropFirst(stem.count).dropLast(ending.count)
      guard text.utf8.count <= 9, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
        let number = Int(text), path(number).fileName == name
      else { return nil }
      return number
    }.sorted()
    guard let first = numbers.first, let last = numbers.last else {
      throw VideoError.frames(path: pattern, expected: "images of such names", found: "none")
    }
    if let gap = zip(first..., numbers).first(where: { $0 != $1 }) {
      throw VideoError.frames(
        path: pattern, expected: "numbers without a gap from \(first) to \(last)",
        found: "none of number \(gap.0)")
    }
    return first..<last + 1
  }
}
