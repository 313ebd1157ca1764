internal import FoundationEssentials

/// How much memory a program may take.
public enum MemoryAllowance {
  /// Half of what is free, in bytes: of the machine, or of the process's cgroup where that has less.
  public static var standard: Int {
    let free = [machine, cgroup].compactMap { $0 }.min() ?? 2 << 30
    return max(free / 2, 64 << 20)
  }

  /// What one picture may take at a time.
  package struct Bounds: Sendable {
    /// What parts are chosen to fit into, where they can.
    package var wanted: Int
    /// What they must fit into.
    package var most: Int

    /// Caches are smaller by far: parts that need more than this are no faster.
    private static let customary = 512 << 20

    /// The bounds that a user states, or those of `standard`.
    package init(stated: Int?) {
      most = stated ?? MemoryAllowance.standard
      wanted = stated ?? min(most, Bounds.customary)
    }
  }

  /// What the machine has available.
  private static var machine: Int? {
    text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
      .flatMap { line in line.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
      .map { $0 * 1024 }
  }

  /// What the cgroup has left, in version 2 of cgroups or 1; nil where it has no limit.
  private static var cgroup: Int? {
    let own =
      text("/proc/self/cgroup")?.split(separator: "\n")
      .compactMap { $0.split(separator: ":", omittingEmptySubsequences: false).last }.last ?? ""
    var least: Int?
    // The own group and all above it: any of them may have the limit that counts.
    var path = own
    while true {
      for (folder, limit, usage) in [
        ("/sys/fs/cgroup\(path)", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory\(path)", "memory.limit_in_bytes", "memory.usage_in_bytes"),
      ] {
        // "max" is no number, and version 1 writes a number near 2^63 for none.
        guard let limit = text("\(folder)/\(limit)").flatMap({ Int($0) }), limit < 1 << 50,
          let usage = text("\(folder)/\(usage)").flatMap({ Int($0) })
        else { continue }
        // What files left in the cache counts as used, and is given back when it is wanted.
        let cache =
          text("\(folder)/memory.stat")?.split(separator: "\n")
          .first { $0.hasPrefix("inactive_file ") || $0.hasPrefix("total_inactive_file ") }
          .flatMap { $0.split(separator: " ").last.flatMap { Int($0) } } ?? 0
        least = min(least ?? .max, max(limit - usage + cache, 0))
      }
      guard let slash = path.lastIndex(of: "/") else { return least }
      path = path[..<slash]
    }
  }

  private static func text(_ path: String) -> String? {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { return nil }
    let text = String(decoding: data, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
