import AviaryThreads

/// Times candidates for the same work against one another.
///
/// They take turns, so that what else happens on the machine strikes all alike, and the fastest run
/// of each counts. Before each run the second-level caches are filled with something else and then
/// with the inputs, as far as they fit: as if the layer before had just given them, and the weights
/// had last been used a network ago.
struct Benchmarker: ~Copyable {
  private let engine: Engine
  private let stream: StreamHandle
  private let other: AlignedMemory

  /// More than any second-level cache has for a core.
  private static let cache = 4 << 20
  /// Memory that timing may take beside the weights: no more than plans do.
  private static let mostBytes = 256 << 20
  private static let rounds = 3...9
  /// Nanoseconds of one candidate after which the least number of rounds is enough.
  private static let enough = 10e6

  /// - Throws: `ComputeError.library`, `.outOfMemory`.
  init(_ engine: Engine) throws(ComputeError) {
    let other = try AlignedMemory(byteCount: engine.threads * Benchmarker.cache)
    stream = try StreamHandle(engine.handle)
    (self.engine, self.other) = (engine, other)
  }

  /// The nanoseconds that each of several candidates takes; nil for one that cannot be used, or
  /// takes more memory than is to be spent on it. One that is three times as slow as another is
  /// given up after its first run.
  func times(_ ways: [TuningTask]) -> [Double?] {
    guard (try? engine.activate()) != nil else { return ways.map { _ in nil } }
    var graphs: [LoweredGraph?] = ways.map { try? LoweredGraph(decided: $0.ir, engine) }
    for i in ways.indices where graphs[i]?.arenaBytes ?? 0 > Benchmarker.mostBytes {
      graphs[i] = nil
    }
    let bytes = graphs.map { $0?.arenaBytes ?? 0 }.max() ?? 0
    guard let arena = try? AlignedMemory(byteCount: bytes) else { return ways.map { _ in nil } }
    fill(arena)
    let runners = graphs.map { lowered in
      lowered.flatMap { try? Runner($0, arena, engine) }
    }
    var best = [Double?](repeating: nil, count: ways.count)
    var spent = [Double](repeating: 0, count: ways.count)
    var isGivenUp = runners.map { $0 == nil }
    for round in 1...Benchmarker.rounds.upperBound {
      for i in runners.indices where !isGivenUp[i] {
        guard let time = runners[i].flatMap({ time($0) }) else {
          (best[i], isGivenUp[i]) = (nil, true)
          continue
        }
        spent[i] += time
        best[i] = min(best[i] ?? .infinity, time)
        let leader = best.compactMap { $0 }.min() ?? .infinity
        isGivenUp[i] =
          time > 3 * leader
          || round >= Benchmarker.rounds.lowerBound
            && (spent[i] > Benchmarker.enough || (best[i] ?? 0) > 1.3 * leader)
      }
    }
    return zip(best, ways).map { time, way in time.map { $0 * way.factor } }
  }

  /// One run.
  private func time(_ runner: Runner) -> Double? {
    fill(other)
    runner.fillInputs(engine.workers, atMost: engine.threads * Benchmarker.cache / 4)
    let clock = ContinuousClock()
    let start = clock.now
    guard (try? runner.run(stream, engine.workers)) != nil else { return nil }
    return (clock.now - start) / .nanoseconds(1)
  }

  private func fill(_ memory: AlignedMemory) {
    unsafe engine.workers.fill(memory.start, byteCount: memory.byteCount)
  }
}

/// An IR graph with everything in its place and meaningless numbers.
private final class Runner {
  private let kind: [BoundInstruction]
  /// Kept for the instructions, which know only their addresses.
  private let memory: [AlignedMemory]
  private let inputs: [(place: Address, byteCount: Int)]

  init(_ lowered: LoweredGraph, _ arena: AlignedMemory, _ engine: Engine) throws(ComputeError) {
    var constants: [AlignedMemory] = []
    for constant in lowered.lowering.constants {
      let memory = try AlignedMemory(byteCount: constant.descriptor.byteCount)
      unsafe engine.workers.fill(memory.start, byteCount: memory.byteCount)
      constants.append(memory)
    }
    let places = AddressTable(lowered, arena, constants)
    var kind: [BoundInstruction] = []
    for step in lowered.lowering.instructions {
      kind.append(try BoundInstruction(step, places, engine.handle))
    }
    let ir = lowered.lowering.ir
    var inputs: [(place: Address, byteCount: Int)] = []
    for value in ir.inputs {
      inputs.append((places[.value(value)], try ir.descriptor(value).byteCount))
    }
    (self.kind, self.inputs, memory) = (kind, inputs, constants + [arena])
  }

  /// Writes the inputs, if they are no larger than so many bytes together.
  func fillInputs(_ workers: ThreadPool, atMost limit: Int) {
    guard inputs.reduce(0, { $0 + $1.byteCount }) <= limit else { return }
    for input in inputs {
      if let place = unsafe input.place.fixed {
        unsafe workers.fill(place, byteCount: input.byteCount)
      }
    }
  }

  func run(_ stream: borrowing StreamHandle, _ workers: ThreadPool) throws(ComputeError) {
    for step in kind { unsafe try step.run([], [], stream, workers) }
    try stream.wait()
  }
}

extension ThreadPool {
  /// Writes small numbers, as float32 or bfloat16: zeros would not tell how long arithmetic takes
  /// if an implementation looked at them.
  fileprivate func fill(_ place: UnsafeMutableRawPointer, byteCount: Int) {
    let pattern: UInt32 = 0x3C00_3C00
    let count = byteCount / MemoryLayout<UInt32>.stride
    let words = unsafe place.assumingMemoryBound(to: UInt32.self)
    split(count) { range in
      unsafe (words + range.lowerBound).update(repeating: pattern, count: range.count)
    }
  }
}
