import AviaryFiles

extension ZipArchive {
  /// A member may be so many times as large as what is stored of it, once it is larger than `small`
  /// bytes. Weights pack to little less than their size.
  private static let limits = (ratio: 200, small: 16 << 20)

  /// Refuses what no writer of weights does, and what attacks do: members that lie over one another, so
  /// that a small file unpacks to a large one; sizes beyond reason; names that lead elsewhere.
  static func check(
    _ entries: [Entry], in file: borrowing InputFile, directoryOffset: Int
  ) throws(CheckpointError) {
    for entry in entries {
      let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
      guard !entry.name.isEmpty, parts.first != "", !parts.contains(".."),
        !entry.name.contains(where: { $0 == "\\" || $0 == "\0" })
      else {
        throw .damaged(
          path: file.path, part: "the zip directory",
          reason: "a name inside the archive expected, '\(entry.name)' found")
      }
      let (limit, overflow) = entry.storedByteCount.multipliedReportingOverflow(by: limits.ratio)
      guard overflow || entry.byteCount <= max(limit, limits.small) else {
        throw .tooLarge(
          path: file.path, part: "\(entry.name), unpacked bytes", limit: max(limit, limits.small),
          found: entry.byteCount)
      }
    }
    // A member's own header has 30 bytes and the name; its extra field may differ in length from the
    // directory's, so that this is the least that it takes.
    let places = entries.sorted { $0.headerOffset < $1.headerOffset }
    for (place, entry) in places.enumerated() {
      let next = place + 1 < places.count ? places[place + 1].headerOffset : directoryOffset
      let (end, overflow) = entry.headerOffset.addingReportingOverflow(
        30 + entry.name.utf8.count)
      guard !overflow, end <= next, entry.storedByteCount <= next - end else {
        let other = place + 1 < places.count ? places[place + 1].name : "the directory"
        throw .damaged(
          path: file.path, part: "the zip directory", reason: "\(entry.name) lies over \(other)")
      }
    }
  }
}
