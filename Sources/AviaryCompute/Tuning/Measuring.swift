import AviaryGraph

/// Finds what is known of the units of a program and times what is not, as far as that pays: the
/// dearest units first, each with all its modes; then the copies between the layouts that modes
/// which are worth it take and give.
struct Measuring {
  /// The units' modes with their costs in nanoseconds, the cheapest first.
  private(set) var modes: [[Mode]]
  private let program: Program
  private let tuning: Tuning
  private let engine: Engine
  private let lastUses: [Int]
  private var keys: [String] = []
  /// The nanoseconds that are left for timing.
  private var left = 0.0

  /// What a run of a part of a unit's work should take at least, in nanoseconds: by then values have
  /// left the caches, and more of the same takes proportionally longer.
  private static let part = 20e6
  /// What making a primitive takes beside running it.
  private static let making = 3e6
  /// How often each way is run, roughly.
  private static let runs = 4.0
  /// The time that stands for a way that cannot be done.
  private static let never = 1e12

  /// - Parameter estimates: the modes with their costs by estimate.
  init(
    _ program: Program, _ estimates: [[Mode]], _ tuning: Tuning, _ options: PlanOptions,
    _ engine: Engine
  ) {
    (self.program, self.tuning, self.engine) = (program, tuning, engine)
    modes = estimates
    lastUses = program.lastUses
    keys = program.units.enumerated().map { position, unit in
      TuningKey.unit(
        unit, in: program, keepsResidual: keepsResidual(position), threads: engine.threads)
    }
    takeOver()
    guard options.runsAhead > 0 else { return }
    let ahead = modes.reduce(0) { $0 + ($1.first?.cost ?? 0) } * Double(options.runsAhead)
    left = tuning.allowance(ahead: ahead)
    let missing = self.missing
    guard
      missing.contains(where: { cost($0.estimate, $0.modes.count) <= left })
        || !missingCopies.isEmpty
    else { return }
    tuning.timing {
      guard let stopwatch = try? Stopwatch(engine) else { return }
      time(missing, stopwatch)
      takeOver()
      time(missingCopies, stopwatch)
    }
  }

  /// What is still to be timed: ways of doing one thing.
  private struct Task {
    var key: String
    /// The unit that it is about, and the modes that are not known.
    var position = 0
    var modes: [Mode] = []
    /// The copies.
    var shape: [Int] = []
    var copies: [Copy] = []
    /// Nanoseconds for the cheapest way, by estimate.
    var estimate: Double
  }

  private struct Copy: Hashable {
    var from: Form
    var to: Form
  }

  /// Whether what a unit adds to its result is wanted again.
  private func keepsResidual(_ position: Int) -> Bool {
    guard let residual = program.units[position].epilogue.residual else { return false }
    return lastUses[residual] > position
  }

  /// The time that timing takes.
  private func cost(_ estimate: Double, _ count: Int) -> Double {
    Double(count) * (Measuring.runs * min(estimate, Measuring.part) + Measuring.making)
  }

  /// Replaces estimates by what is known, where all modes of a unit are.
  private mutating func takeOver() {
    for position in modes.indices {
      let found = tuning.found(keys[position])
      let times = modes[position].map { found[$0.text] }
      guard !times.contains(nil) else { continue }
      for (mode, time) in times.enumerated() { modes[position][mode].cost = time ?? .infinity }
      modes[position] = modes[position].stablySorted(\.cost)
    }
  }

  /// The units of which something is not known, each kind once, the dearest first.
  private var missing: [Task] {
    var tasks: [Task] = []
    var seen: Set<String> = []
    for (position, key) in keys.enumerated() where seen.insert(key).inserted {
      let found = tuning.found(key)
      let unknown = modes[position].filter { found[$0.text] == nil }
      let estimate = modes[position].map(\.cost).min() ?? 0
      if unknown.isEmpty || estimate == 0 { continue }
      tasks.append(Task(key: key, position: position, modes: unknown, estimate: estimate))
    }
    return tasks.stablySorted { -$0.estimate }
  }

  /// The copies that may be needed and are not known.
  private var missingCopies: [Task] {
    var wanted: [[Int]: Set<Copy>] = [:]
    var given = program.values.map { _ in Set<Form>([Form(layout: .planar)]) }
    for (position, unit) in program.units.enumerated() {
      given[unit.output] = Set(promising(position).map(\.outputForm))
    }
    func want(_ value: Int, _ form: Form) {
      let shape = program.values[value].shape
      for from in given[value] where !form.isFree(from, shape) {
        wanted[shape, default: []].insert(Copy(from: from, to: form))
      }
    }
    for (position, unit) in program.units.enumerated() {
      for mode in promising(position) {
        for (value, form) in program.operands(of: unit, mode: mode) { want(value, form) }
      }
    }
    for output in program.outputs { want(output.value, Form(layout: .planar)) }
    let tasks = wanted.compactMap { shape, copies -> Task? in
      let key = TuningKey.copy(shape, threads: engine.threads)
      let found = tuning.found(key)
      let unknown = copies.filter { found[TuningKey.copyMode($0.from, $0.to)] == nil }
      if unknown.isEmpty { return nil }
      let estimate = LayoutCosts.estimate(shape, engine.threads)
      return Task(key: key, shape: shape, copies: Array(unknown), estimate: estimate)
    }
    return tasks.sorted { ($1.estimate, $0.key) < ($0.estimate, $1.key) }
      .filter { cost($0.estimate, $0.copies.count) <= left }
  }

  /// The modes of a unit that are not far slower than its best.
  private func promising(_ position: Int) -> [Mode] {
    let best = modes[position].map(\.cost).min() ?? 0
    return modes[position].filter { $0.cost <= 3 * best }
  }

  /// Times as many as there is time for.
  private mutating func time(_ tasks: [Task], _ stopwatch: borrowing Stopwatch) {
    let clock = ContinuousClock()
    for task in tasks where cost(task.estimate, max(task.modes.count, task.copies.count)) <= left {
      let start = clock.now
      // Somebody else may have timed it while this waited for its turn.
      let known = tuning.found(task.key)
      let ways = ways(of: task).filter { known[$0.name] == nil }
      let times = stopwatch.times(ways.map(\.excerpt))
      if times.contains(where: { $0 != nil }) {
        let found = zip(ways, times).map { ($0.name, $1 ?? Measuring.never) }
        tuning.record(task.key, Dictionary(found) { $1 })
      }
      left -= (clock.now - start) / .nanoseconds(1)
    }
  }

  private func ways(of task: Task) -> [(name: String, excerpt: Excerpt)] {
    let share = Measuring.part / max(task.estimate, 1)
    if task.modes.isEmpty {
      let cut = ShapeCut(task.shape, share: share)
      return task.copies.map {
        (TuningKey.copyMode($0.from, $0.to), Excerpt(copying: $0.from, to: $0.to, cut: cut))
      }
    }
    let unit = program.units[task.position]
    let cut = ShapeCut(unit, of: program, share: share)
    return task.modes.map {
      let excerpt = Excerpt(
        unit, of: program, $0, keepsResidual: keepsResidual(task.position), cut: cut)
      return ($0.text, excerpt)
    }
  }
}
