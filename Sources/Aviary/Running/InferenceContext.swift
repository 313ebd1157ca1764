internal import AviaryCompute
internal import AviaryGraph
internal import FoundationEssentials
internal import Synchronization

/// What models are computed with: threads, weights packed once for all images and tiles, and plans
/// that were made before.
struct InferenceContext: Sendable {
  let engine: Engine
  let weights: PackedWeights
  let options: UpscalerOptions
  let plans: PlanPool
  let tileSizes = TileSizes()
  /// The memory that an image's bands and activations may take.
  let allowance: MemoryAllowance.Bounds
  let planOptions: PlanOptions
  /// On how many threads everything but the network is done.
  var threads: Int { engine.threads }

  /// - Throws: `AviaryError.notQuantized` for int8 of a model that was not calibrated for it;
  ///   `ComputeError`.
  init(_ model: Model, _ options: UpscalerOptions) throws {
    self.options = options
    planOptions = try model.planOptions(
      options.precision, exact: options.exact, tuning: options.tuning)
    engine = try Engine(threads: options.threads)
    weights = PackedWeights(Dictionary(model.weights.map { ($0.name, $0.tensor) }) { $1 })
    // Read once: what is free changes with what is taken, and parts must not depend on it.
    allowance = MemoryAllowance.Bounds(stated: options.memory)
    plans = PlanPool(limit: allowance.wanted / 4)
  }

  /// What is done with networks of which tiles do not give what the whole gives.
  var policy: TilePolicy { options.exact ? .exact : .approximateInNeed }

  /// The same on one thread, for one of several images at a time.
  var single: InferenceContext {
    get throws(ComputeError) { try InferenceContext(of: self, threads: 1) }
  }

  /// The same on as many threads as the calling thread can have: itself where those are all.
  var here: InferenceContext {
    get throws(ComputeError) {
      let threads = engine.threadsHere
      return threads == engine.threads ? self : try InferenceContext(of: self, threads: threads)
    }
  }

  private init(of other: InferenceContext, threads: Int) throws(ComputeError) {
    engine = try Engine(threads: threads)
    (weights, options, allowance) = (other.weights, other.options, other.allowance)
    planOptions = other.planOptions
    plans = PlanPool(limit: allowance.wanted / 4)
  }
}

/// Plans that wait for the next image or tile of their size. Making one takes as long as computing
/// a small image.
///
/// Whoever takes a plan has it alone until it is given back.
final class PlanPool: Sendable {
  /// What a plan was made for.
  struct Key: Hashable {
    /// With its borders resolved, so that images of other sizes may differ.
    var graph: Graph
    var output: String
    var shape: [Int]
  }

  /// How many bytes of memory the plans that wait may hold.
  private let limit: Int
  /// The latest last.
  private let waiting = Mutex<[(key: Key, plan: PooledPlan)]>([])

  init(limit: Int) { self.limit = limit }

  /// A plan for this, if one waits.
  func take(_ key: Key) -> PooledPlan? {
    waiting.withLock { plans in
      plans.lastIndex { $0.key == key }.map { plans.remove(at: $0).plan }
    }
  }

  /// Keeps a plan for whoever wants it next; the oldest go where there are too many.
  func give(_ plan: PooledPlan, _ key: Key) {
    // Let go of outside the lock: giving memory back takes time.
    var dropped: [PooledPlan] = []
    waiting.withLock { plans in
      plans.append((key, plan))
      var bytes = plans.reduce(0) { $0 + $1.plan.bytes }
      while bytes > limit, !plans.isEmpty {
        let oldest = plans.removeFirst().plan
        bytes -= oldest.bytes
        dropped.append(oldest)
      }
    }
    dropped.removeAll()
  }
}

/// A plan that goes from hand to hand.
///
/// - Note: `@unchecked Sendable`: the pool gives it to one owner at a time, who alone runs it.
final class PooledPlan: @unchecked Sendable {
  var plan: Plan
  /// The memory that it holds, its code about included.
  let bytes: Int

  init(_ plan: consuming Plan) {
    bytes = plan.arenaBytes + 1 << 20
    self.plan = plan
  }
}

/// How much memory a program may take.
public enum MemoryAllowance {
  /// Half of what is free, in bytes: of the machine, or of the process's cgroup where that has
  /// less.
  public static var standard: Int {
    let free = [machine, cgroup].compactMap { $0 }.min() ?? 2 << 30
    return max(free / 2, 64 << 20)
  }

  /// What one image may take at a time.
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
