internal import AviaryFiles
internal import AviaryGraph
internal import FoundationEssentials
internal import Glibc

/// What is done of a long work on one result, in a folder beside it, so that it goes on where it was
/// ended: whole segments of the result, and what they were made of.
struct VideoJournal: ~Copyable {
  /// Some frames of the result that are finished.
  struct Segment: Codable, Hashable {
    var frames: Int
    /// Bytes of its file; 0 where frames are files themselves.
    var bytes: Int
    /// The time of the first frame, in units of the time base.
    var first: Int
    /// The time of the last one.
    var last: Int
    /// How long that is shown.
    var duration: Int
  }

  /// The folder.
  let folder: String
  /// What is done, in order.
  private(set) var segments: [Segment] = []
  /// The frames in it.
  var frames: Int { segments.reduce(0) { $0 + $1.frames } }
  /// The last segment's last frame; nil before there is one.
  var lastTime: Int? { segments.last?.last }

  private let task: JSON
  private let lock: FolderLock

  /// Opens what is there for this result, or begins.
  ///
  /// - Parameters:
  ///   - task: all that the result depends on.
  ///   - restarts: whether what is there is thrown away.
  /// - Throws: `VideoError.unfinished` for what was begun otherwise; `FileError`.
  init(for output: String, task: JSON, restarts: Bool) throws {
    let folder = output + ".aviary"
    try Folder.make(folder)
    let lock = try FolderLock(folder)
    var segments: [Segment] = []
    if !restarts, let data = try? Data(contentsOf: URL(filePath: "\(folder)/journal.json")) {
      let found = try? JSON(parsing: String(decoding: data, as: UTF8.self))
      guard let found, found["task"] == task, let listed = found["segments"],
        let known = try? JSONDecoder().decode([Segment].self, from: Data(listed.text.utf8))
      else { throw VideoError.unfinished(folder: folder, path: output) }
      // Only what is there as it was written, and nothing behind a gap.
      segments = Array(
        known.enumerated().prefix { number, segment in
          segment.bytes == 0
            || VideoJournal.byteCount("\(folder)/\(VideoJournal.name(number))") == segment.bytes
        }.map(\.element))
    } else {
      // Nothing, unless another run was ended before anything was done.
      try VideoJournal.empty(folder)
      try VideoJournal.save(task, segments, in: folder)
    }
    // A value that cannot be copied must not be left half made: nothing throws from here on.
    (self.folder, self.task, self.segments) = (folder, task, segments)
    self.lock = lock
  }

  /// The name of a segment's file.
  static func name(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(6 - digits.count, 0)) + digits + ".nut"
  }

  /// Where the next segment is written until it is finished.
  var nextPath: String { "\(folder)/next.nut" }

  /// Notes that the next segment is finished.
  ///
  /// - Parameter hasFile: whether it is the file at `nextPath`.
  /// - Throws: `FileError.cannotWrite`.
  mutating func add(_ segment: Segment, hasFile: Bool) throws {
    var segment = segment
    if hasFile {
      let path = "\(folder)/\(VideoJournal.name(segments.count))"
      segment.bytes = try VideoJournal.move(nextPath, to: path)
    }
    segments.append(segment)
    try VideoJournal.save(task, segments, in: folder)
  }

  private static func byteCount(_ path: String) -> Int? {
    guard let file = try? InputFile(path) else { return nil }
    return file.byteCount
  }

  /// Puts a file under another name, once it is on the disk; gives its bytes.
  ///
  /// - Throws: `FileError.cannotWrite`.
  static func move(_ path: String, to target: String) throws -> Int {
    let count: Int
    do {
      let file = try InputFile(path)
      guard fsync(file.descriptor) == 0 else {
        throw FileError.cannotWrite(path: target, reason: SystemReason.last)
      }
      count = file.byteCount
    }
    let status = unsafe path.withPath { path in
      unsafe target.withPath { unsafe rename(path, $0) }
    }
    guard status == 0 else {
      throw FileError.cannotWrite(path: target, reason: SystemReason.last)
    }
    return count
  }

  /// Removes the folder: the result is there.
  consuming func remove() throws {
    try VideoJournal.empty(folder)
    _ = unsafe folder.withPath { unsafe rmdir($0) }
  }

  /// Removes what such a folder has, and nothing else.
  private static func empty(_ folder: String) throws {
    for name in try Folder.names(in: folder)
    where name == "journal.json" || name.hasSuffix(".nut") || name.hasPrefix("result.")
      || name.hasPrefix("rehearsal.") || name == "list.ffconcat"
    {
      _ = unsafe "\(folder)/\(name)".withPath { unsafe unlink($0) }
    }
  }

  private static func save(_ task: JSON, _ segments: [Segment], in folder: String) throws {
    let json: JSON = ["task": task, "segments": try JSON(encoding: segments)]
    let file = try AtomicFile(replacing: "\(folder)/journal.json")
    try file.write(Array(json.prettyText.utf8))
    try file.commit()
  }
}
