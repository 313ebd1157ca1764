internal import FoundationEssentials

/// How much memory a program may take.
public enum MemoryAllowance {
  /// Half of what is free, in bytes: of the machine, or of the process's cgroup where that has less.
  public static var standard: Int {
    let free = [machine, cgroup].compactMap { $0 }.min() ?? 2 << 30
    return max(free / 2, 64 << 20)
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
    for (limit, usage) in [
      ("/sys/fs/cgroup\(own)/memory.max", "/sys/fs/cgroup\(own)/memory.current"),
      ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
      (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes"
      ),
    ] {
      // "max" is no number, and version 1 writes a number near 2^63 for none.
      guard let limit = text(limit).flatMap({ Int($0) }), limit < 1 << 50,
        let usage = text(usage).flatMap({ Int($0) })
      else { continue }
      return max(limit - usage, 0)
    }
    return nil
  }

  private static func text(_ path: String) -> String? {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { return nil }
    let text = String(decoding: data, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
