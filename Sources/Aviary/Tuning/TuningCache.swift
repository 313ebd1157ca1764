public import AviaryCompute
internal import AviaryFiles
internal import Glibc

/// What was measured on this processor, in a file of the user's cache: `$XDG_CACHE_HOME/aviary`, or
/// `~/.cache/aviary`. There is one for each processor, version of oneDNN and version of Aviary's own
/// loops, so that a folder may be shared between machines. It may be deleted at any time.
///
/// A file that cannot be read, was damaged, or belongs to another processor is passed over; where
/// none can be written, the same is measured again next time.
public struct TuningCache: TuningStore {
  private let folder: String
  private let identity: String

  /// Larger than any that was written here.
  private static let mostBytes = 8 << 20

  /// A cache in a folder, which is made when there is something to keep.
  public init(folder: String) { self.init(folder: folder, identity: Processor.identity) }

  package init(folder: String, identity: String) {
    (self.folder, self.identity) = (folder, identity)
  }

  /// The user's; nil where the environment names no folder for it.
  public static var standard: TuningCache? {
    func folder(_ name: String) -> String? {
      guard let value = unsafe getenv(name) else { return nil }
      let path = unsafe String(cString: value)
      // By the standard, paths that are not absolute do not count.
      return path.hasPrefix("/") ? path : nil
    }
    let caches = folder("XDG_CACHE_HOME") ?? folder("HOME").map { "\($0)/.cache" }
    return caches.map { TuningCache(folder: "\($0)/aviary") }
  }

  /// The file for this processor.
  package var path: String {
    // The name only has to differ; whose file it is its first line says.
    "\(folder)/tuning-\(StableHash.text(identity)).txt"
  }

  /// What is in the file, its first line aside.
  public func load() -> String? {
    guard let file = try? InputFile(path), file.byteCount <= TuningCache.mostBytes,
      let bytes = try? file.bytes(at: 0, count: file.byteCount)
    else { return nil }
    let header = Array(header.utf8)
    // Cut off in the middle of a line, it does not end with one.
    guard bytes.starts(with: header), bytes.last == UInt8(ascii: "\n") else { return nil }
    return String(decoding: bytes.dropFirst(header.count), as: UTF8.self)
  }

  /// Replaces the file as a whole; two processes do so one after the other.
  public func update(_ change: (String?) -> String) {
    makeFolder()
    withExtendedLifetime(waitForLock()) { _ in write(header + change(load())) }
  }

  private func write(_ text: String) {
    guard let file = try? AtomicFile(replacing: path) else { return }
    guard (try? file.write(Array(text.utf8))) != nil else { return }
    // Without waiting for the disk: what a crash takes can be measured again.
    try? file.commit(isTemporary: true)
  }

  private var header: String { "aviary tuning 1: \(identity)\n" }

  private func makeFolder() {
    // The folder of caches may be missing, too, but nothing above it.
    if let slash = folder.lastIndex(of: "/") { _ = unsafe mkdir(String(folder[..<slash]), 0o700) }
    _ = unsafe mkdir(folder, 0o755)
  }

  /// Whoever has the folder has it for a moment; after a quarter of a second it is written anyway,
  /// which loses at worst what the other has just found.
  private func waitForLock() -> FolderLock? {
    for _ in 0..<50 {
      if let lock = try? FolderLock(folder) { return lock }
      _ = usleep(5_000)
    }
    return nil
  }
}
