public import AviaryCompute
internal import AviaryFiles
internal import Glibc

/// Autotuning results for this processor, in a file in the user's cache: `$XDG_CACHE_HOME/aviary`,
/// or `~/.cache/aviary`. There is one file per processor, oneDNN version and version of Aviary's
/// own kernels, so machines can share a folder. It may be deleted at any time.
///
/// A file that cannot be read, is damaged, or belongs to another processor is ignored; if none can
/// be written, the same is measured again next time.
public struct TuningCache: TuningStore {
  private let folder: String
  private let identity: String

  /// Larger than any file written here.
  private static let mostBytes = 8 << 20

  /// A cache in a folder, which is created when there is something to store.
  public init(folder: String) { self.init(folder: folder, identity: Processor.identity) }

  package init(folder: String, identity: String) {
    (self.folder, self.identity) = (folder, identity)
  }

  /// The user's cache; nil if the environment names no folder for it.
  public static var standard: TuningCache? {
    func folder(_ name: String) -> String? {
      guard let value = unsafe getenv(name) else { return nil }
      let path = unsafe String(cString: value)
      // By the XDG standard, relative paths are ignored.
      return path.hasPrefix("/") ? path : nil
    }
    let caches = folder("XDG_CACHE_HOME") ?? folder("HOME").map { "\($0)/.cache" }
    return caches.map { TuningCache(folder: "\($0)/aviary") }
  }

  /// The file for this processor.
  package var path: String {
    // The name only has to be unique; the file's first line identifies the processor.
    "\(folder)/tuning-\(StableHash.text(identity)).txt"
  }

  /// The file's content without its first line.
  public func load() -> String? {
    guard let file = try? InputFile(path), file.byteCount <= TuningCache.mostBytes,
      let bytes = try? file.bytes(at: 0, count: file.byteCount)
    else { return nil }
    let header = Array(header.utf8)
    // A complete file ends with a line break; a truncated one does not.
    guard bytes.starts(with: header), bytes.last == UInt8(ascii: "\n") else { return nil }
    return String(decoding: bytes.dropFirst(header.count), as: UTF8.self)
  }

  /// Replaces the whole file; two processes do so one after the other.
  public func update(_ change: (String?) -> String) {
    makeFolder()
    withExtendedLifetime(waitForLock()) { _ in write(header + change(load())) }
  }

  private func write(_ text: String) {
    guard let file = try? AtomicFile(replacing: path) else { return }
    guard (try? file.write(Array(text.utf8))) != nil else { return }
    // Do not wait for the disk: what a crash loses can be measured again.
    try? file.commit(isTemporary: true)
  }

  private var header: String { "aviary tuning 1: \(identity)\n" }

  private func makeFolder() {
    // The cache folder itself may be missing, too, but nothing above it.
    if let slash = folder.lastIndex(of: "/") { _ = unsafe mkdir(String(folder[..<slash]), 0o700) }
    _ = unsafe mkdir(folder, 0o755)
  }

  /// The lock is held only for a moment; after a quarter of a second the file is written anyway,
  /// which at worst loses what the other process has just found.
  private func waitForLock() -> FolderLock? {
    for _ in 0..<50 {
      if let lock = try? FolderLock(folder) { return lock }
      _ = usleep(5_000)
    }
    return nil
  }
}
