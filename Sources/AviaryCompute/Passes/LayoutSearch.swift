import AviaryGraph

/// Looks for the modes of all units that make the units' own costs and those of the copies between
/// them small together. A value that several units want in the same form is copied once.
///
/// From several starting points (each unit its own best; all in one layout) every unit in turn
/// takes the mode that is best with its neighbours as they are, until nothing changes; the best
/// end counts. Chains of convolutions end up in one layout, which is what matters.
struct LayoutSearch {
  private let costs: LayoutCosts
  private let units: [Node]
  private let values: [Edge]

  /// A unit, as far as the search asks. Looked at hundreds of times each: everything is a number.
  private struct Node {
    var output: Int
    /// The values that it takes, each once.
    var operands: [Int]
    /// By number of the mode.
    var modes: [Candidate]
  }

  /// What one of a unit's modes asks of its neighbours.
  private struct Candidate {
    var cost: Double
    /// For each of the unit's operands a bit for each form in which it is wanted.
    var wanted: [UInt64]
    /// The number of the form that it gives.
    var given: Int
    /// Whether it is a convolution by planes that could go line by line into another one, and whether
    /// another one could go into it.
    var startsChain: Bool
    var endsChain: Bool
  }

  /// A value between units.
  private struct Edge {
    /// The unit that gives it; nil for what comes from outside, row-major.
    var producer: Int?
    /// The units that take it, and as which of their operands.
    var takers: [(unit: Int, operand: Int)] = []
    /// Whether it is wanted outside, row-major.
    var isOutput = false
  }

  init(_ program: Program, _ costs: LayoutCosts) {
    self.costs = costs
    let isTraining = program.units.contains { $0.isBackward }
    var units: [Node] = []
    var values = program.values.map { _ in Edge() }
    for output in program.outputs { values[output.value].isOutput = true }
    for (position, unit) in program.units.enumerated() {
      var operands: [Int] = []
      for (value, _) in program.operands(of: unit) where !operands.contains(value) {
        values[value].takers.append((position, operands.count))
        operands.append(value)
      }
      values[unit.output].producer = position
      let candidates = costs.modes[position].map { mode in
        let isChainable = !isTraining && mode.algorithm == .planes
        var wanted = [UInt64](repeating: 0, count: operands.count)
        for (value, form) in program.operands(of: unit, mode: mode) {
          if let operand = operands.firstIndex(of: value) { wanted[operand] |= 1 << form.number }
        }
        return Candidate(
          cost: mode.cost, wanted: wanted, given: mode.outputForm.number,
          startsChain: isChainable && unit.epilogue.residual == nil,
          endsChain: isChainable && unit.inputs.count == 1 && mode.input == .planar)
      }
      units.append(Node(output: unit.output, operands: operands, modes: candidates))
    }
    (self.units, self.values) = (units, values)
  }

  /// The modes found, by number of the unit.
  func best() -> [Mode] {
    let starts: [(Mode) -> Bool] = [
      { _ in true },
      { $0.output == .planar },
      { $0.output == .channelsLast },
      { $0.output == .blocked },
      { $0.output == .channelsLast && $0.outputNumbers != .float32 },
      { $0.output == .blocked && $0.outputNumbers != .float32 },
    ]
    var best: (cost: Double, choice: [Int]) = (.infinity, [])
    var seen: Set<[Int]> = []
    for prefers in starts {
      var choice = costs.modes.map { $0.firstIndex(where: prefers) ?? 0 }
      // In float32 alone the last two begin as the first.
      guard seen.insert(choice).inserted else { continue }
      // Each round lowers the total; the bound is for very long chains, which need no perfection.
      for _ in 0..<16 where !improve(&choice) { break }
      let cost = cost(of: choice)
      if cost < best.cost || best.choice.isEmpty { best = (cost, choice) }
    }
    return zip(costs.modes, best.choice).map { $0[$1] }
  }

  /// The nanoseconds that all takes together.
  func cost(of modes: [Mode]) -> Double {
    cost(of: modes.enumerated().map { costs.number(of: $1, ofUnit: $0) })
  }

  private func cost(of choice: [Int]) -> Double {
    let copies = values.indices.reduce(0) { $0 + self.copies(of: $1, choice) }
    return choice.indices.reduce(copies) { $0 + units[$1].modes[choice[$1]].cost }
  }

  /// One round over all units. Says whether anything changed.
  private func improve(_ choice: inout [Int]) -> Bool {
    var isChanged = false
    for position in units.indices where units[position].modes.count > 1 {
      var best = choice[position]
      // A little must be gained, lest rounding errors keep the rounds going.
      var lowest = cost(around: position, choice) * (1 - 1e-9)
      for mode in units[position].modes.indices where mode != best {
        choice[position] = mode
        let cost = cost(around: position, choice)
        if cost < lowest { (best, lowest, isChanged) = (mode, cost, true) }
      }
      choice[position] = best
    }
    return isChanged
  }

  /// The cost of a unit and of copies of what it takes and gives.
  private func cost(around position: Int, _ choice: [Int]) -> Double {
    var sum = units[position].modes[choice[position]].cost
    sum += copies(of: units[position].output, choice)
    for value in units[position].operands { sum += copies(of: value, choice) }
    return sum
  }

  /// Whether a value goes line by line from one convolution by planes into the next.
  private func isChained(_ value: Int, _ choice: [Int]) -> Bool {
    guard !values[value].isOutput, values[value].takers.count == 1,
      values[value].takers[0].operand == 0, let from = values[value].producer
    else { return false }
    let taker = values[value].takers[0].unit
    return units[from].modes[choice[from]].startsChain
      && units[taker].modes[choice[taker]].endsChain
  }

  /// The cost of the copies of a value.
  private func copies(of value: Int, _ choice: [Int]) -> Double {
    if isChained(value, choice) {
      // Neither written nor read: about what a copy takes is saved.
      return -costs.copy(
        value, Form(layout: .planar).number, Form(layout: .channelsLast).number)
    }
    let planar = Form(layout: .planar).number
    let from = values[value].producer.map { units[$0].modes[choice[$0]].given } ?? planar
    // A bit for each form that is wanted.
    var wanted: UInt64 = values[value].isOutput ? 1 << planar : 0
    for taker in values[value].takers {
      wanted |= units[taker.unit].modes[choice[taker.unit]].wanted[taker.operand]
    }
    var sum = 0.0
    while wanted != 0 {
      sum += costs.copy(value, from, wanted.trailingZeroBitCount)
      wanted &= wanted - 1
    }
    return sum
  }
}
