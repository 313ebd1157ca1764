import AviaryThreads
import CKernels
import FoundationEssentials

/// The processor, and how many of its cores computations may use. Share one between plans.
public struct Engine: Sendable {
  /// On how many threads plans of this engine run.
  public var threads: Int { workers.count }
  let workers: ThreadPool
  let handle: EngineHandle
  /// How many numbers the registers hold that kernels of tokens work with: the widest that the
  /// processor has, unless a test wants others.
  package var registerWidth = Int(aviary_token_widest().rawValue)

  /// More threads than any machine has cores.
  static let mostThreads = 4_096

  /// - Parameter threads: how many threads to use, as far as the system gives them; nil for as many
  ///   as the process may use cores.
  /// - Throws: `ComputeError.threads` for a number that makes no sense, `.library`.
  public init(threads: Int? = nil) throws(ComputeError) {
    let count = threads ?? Engine.availableCores
    guard (1...Engine.mostThreads).contains(count) else { throw .threads(count) }
    workers = ThreadPool.reserve(count)
    handle = try EngineHandle()
  }

  /// Makes oneDNN use these threads for what the calling thread plans or runs.
  ///
  /// - Throws: `ComputeError.threadsRefused` where the calling thread cannot have as many.
  func activate() throws(ComputeError) {
    guard workers.activate() else {
      throw .threadsRefused(wanted: threads, found: threadsHere)
    }
  }

  /// On how many threads the calling thread can plan and run: no more than `threads`, and fewer
  /// where the system refuses it some that it gave to the thread that made the engine.
  package var threadsHere: Int { ThreadPool.reserve(threads).count }
}

extension Engine {
  /// How many cores this process may use: those of its affinity mask, or fewer where its control
  /// group is allowed less processor time than that (as containers are).
  public static var availableCores: Int {
    max(min(ThreadPool.cores, quota() ?? .max), 1)
  }

  /// The cores' worth of time that the control groups allow, rounded up; nil where they allow all.
  ///
  /// - Parameter allocation: where the file system of the control groups is mounted.
  package static func quota(
    allocation: String = "/sys/fs/cgroup", groups: String = "/proc/self/cgroup"
  ) -> Int? {
    // number:controllers:path; version 2 names no controllers.
    let lines = read(groups)?.split(separator: "\n").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    }
    var smallest: Double?
    for line in lines ?? [] where line.count == 3 {
      let controllers = line[1].split(separator: ",")
      let path = line[2].split(separator: "/")
      let isUnified = controllers.isEmpty
      guard isUnified || controllers.contains("cpu") else { continue }
      // Every group above counts too. What is above a container's own root is not to be seen.
      for depth in stride(from: path.count, through: 0, by: -1) {
        let below = path[..<depth].map { "/\($0)" }.joined()
        let cores = isUnified ? unified(allocation + below) : legacy(allocation + "/cpu" + below)
        if let cores { smallest = min(smallest ?? cores, cores) }
      }
    }
    guard let smallest, smallest > 0, smallest < Double(mostThreads) else { return nil }
    return Int(smallest.rounded(.up))
  }

  /// Version 2: "quota period" or "max period" in one file.
  private static func unified(_ folder: String) -> Double? {
    let words = read(folder + "/cpu.max")?.split { $0 == " " || $0 == "\n" } ?? []
    guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0
    else { return nil }
    return quota / period
  }

  /// Version 1: two files; a quota of -1 is none.
  private static func legacy(_ folder: String) -> Double? {
    func number(_ name: String) -> Double? {
      read(folder + "/" + name)?.split(separator: "\n").first.flatMap { Double($0) }
    }
    guard let quota = number("cpu.cfs_quota_us"), let period = number("cpu.cfs_period_us"),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }

  private static func read(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }
}
