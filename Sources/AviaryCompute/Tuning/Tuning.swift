import CDNNL
import Synchronization

/// How long layers took on this processor, by each of their kernel candidates: what plans choose
/// by, where they are given it (`PlanOptions.tuning`). Share one between all plans.
///
/// A layer that is not known yet is timed when a plan wants it, by really doing it alone, at its
/// size, on as many threads, by all candidates; so are copies between the memory formats that these
/// take and give. Where that leads to other choices than estimates do, both are run as a whole once
/// more. What was found is kept for all plans to come, and in the store for other processes.
public final class Tuning: Sendable {
  /// When what is not known yet is timed.
  public enum Policy: String, CaseIterable, Sendable {
    /// Where timing takes at most a tenth of the time that the plan is expected to run
    /// (`PlanOptions.runsAhead`), by estimate and by the clock: about what a better choice gains at
    /// once, and every later run gains it for nothing. The dearest layers come first.
    case auto
    /// Always, up to ten seconds a plan.
    case always
  }

  /// When what is not known yet is timed.
  public let policy: Policy
  private let store: (any TuningStore)?
  /// Nil until the first question: the store is read no sooner.
  private let table = Mutex<TuningTable?>(nil)
  /// Held while something is timed: two at once would disturb each other.
  private let benchmarker = Mutex(())
  private let timings = Atomic<Int>(0)

  /// - Parameters:
  ///   - policy: when what is not known yet is timed.
  ///   - store: where findings are kept beyond the process; nil for nowhere.
  public init(_ policy: Policy = .auto, store: (any TuningStore)? = nil) {
    (self.policy, self.store) = (policy, store)
  }

  /// How many candidates were timed so far.
  package var timingCount: Int { timings.load(ordering: .relaxed) }

  /// What is known of something, in nanoseconds, by the kernel candidates by which it is done.
  func found(_ key: String) -> [String: Double] {
    table.withLock { table in
      if let table { return table[key] }
      let known = store?.load().map { TuningTable($0) } ?? TuningTable()
      table = known
      return known[key]
    }
  }

  /// Keeps what was measured.
  func record(_ key: String, _ found: [String: Double]) {
    timings.add(found.count, ordering: .relaxed)
    table.withLock { $0?.record(key, found) }
  }

  /// Lets nobody else time while `body` does, and gives findings to the store afterwards.
  func timing(_ body: () -> Void) {
    benchmarker.withLock { _ in
      let before = timingCount
      body()
      guard timingCount > before, let store, let known = table.withLock({ $0 }) else { return }
      store.update { text in
        var table = text.map { TuningTable($0) } ?? TuningTable()
        table.merge(known)
        return table.text
      }
    }
  }

  /// The time that timing of layers for one plan may take, in nanoseconds, and that of the whole
  /// once more.
  ///
  /// - Parameter ahead: the time that the plan is expected to run, all runs together.
  func allowance(ahead: Double) -> Double {
    switch policy {
    // Making what is to be timed takes time as well, which short work would never win back.
    case .auto: ahead < Tuning.shortest ? 0 : min(ahead / 20, Tuning.longest)
    case .always: Tuning.longest
    }
  }

  /// Whether anything may be timed for a plan that is expected to run for so long.
  package func isTiming(secondsAhead: Double) -> Bool { allowance(ahead: secondsAhead * 1e9) > 0 }

  private static let shortest = 4e9
  private static let longest = 5e9
}

extension Tuning: Hashable {
  /// Whether it is the same one.
  public static func == (a: Tuning, b: Tuning) -> Bool { a === b }
  /// By identity.
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// Where findings outlive the process. What it cannot read or write it passes over: they can be
/// found again.
public protocol TuningStore: Sendable {
  /// What was kept before; nil for nothing.
  func load() -> String?
  /// Replaces what is kept by what `change` makes of it as it is now, which may have grown since
  /// `load` by what other processes found.
  func update(_ change: (String?) -> String)
}

/// Times by what was timed and how it was done, and their text: a line each, of three columns with
/// tabs between them.
struct TuningTable: Hashable {
  private var times: [String: [String: Double]] = [:]

  /// What a cache may grow to: several hundred networks at several sizes.
  private static let mostLines = 20_000

  init() {}

  /// Reads what `text` has made; lines that it cannot have made are left out.
  init(_ text: String) {
    // Bytes, not characters: a thousand lines in less than a millisecond.
    for line in text.utf8.split(separator: UInt8(ascii: "\n")).prefix(TuningTable.mostLines) {
      let columns = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      guard columns.count == 3, let key = String(columns[0]), let candidate = String(columns[1]),
        let time = String(columns[2]).flatMap(Double.init), TuningTable.isPossible(time)
      else { continue }
      times[key, default: [:]][candidate] = time
    }
  }

  /// What is known of something, by how it was done.
  subscript(_ key: String) -> [String: Double] { times[key] ?? [:] }

  mutating func record(_ key: String, _ found: [String: Double]) {
    times[key, default: [:]].merge(found.filter { TuningTable.isPossible($1) }) { $1 }
  }

  /// Takes over what another knows, where both know something the other's.
  mutating func merge(_ other: TuningTable) {
    for (key, found) in other.times { record(key, found) }
  }

  var text: String {
    let lines = times.flatMap { key, found in found.map { "\(key)\t\($0)\t\($1.rounded())\n" } }
    // Of too many any may go: who misses one times it again.
    return lines.prefix(TuningTable.mostLines).sorted().joined()
  }

  /// Up to an hour.
  private static func isPossible(_ time: Double) -> Bool { time > 0 && time < 3.6e12 }
}

#if canImport(Glibc)
  import Glibc
#endif

/// The processor and what calculates on it.
package enum Processor {
  /// Changed whenever the engine's own loops, or what is timed, change so much that earlier
  /// findings mislead.
  private static let kernels = 2

  /// What findings hold for: the processor's model, the instructions used, oneDNN's version, and
  /// that of the engine's own loops. One line.
  package static var identity: String {
    var text = "\(model), instructions \(dnnl_get_effective_cpu_isa().rawValue)"
    if let version = unsafe dnnl_version() {
      let (major, minor) = unsafe (version.pointee.major, version.pointee.minor)
      text += unsafe ", oneDNN \(major).\(minor).\(version.pointee.patch)"
    }
    return "\(text), kernels \(kernels)"
  }

  /// The model's name as the system has it, or nothing.
  private static var model: String {
    let descriptor = unsafe open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    // The first core's entry; of hundreds the system would have to write the others, too.
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last ?? ""
    return name.split(separator: " ").joined(separator: " ")
  }
}
