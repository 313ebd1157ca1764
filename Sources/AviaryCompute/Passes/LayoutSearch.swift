import AviaryGraph

/// Looks for the modes of all units that make the units' own costs and those of the copies between
/// them small together. A value that several units want in the same form is copied once.
///
/// From several starting points (each unit its own best; all in one layout) every unit in turn
/// takes the mode that is best with its neighbours as they are, until nothing changes; the best
/// end counts. Chains of convolutions end up in one layout, which is what matters.
struct LayoutSearch {
  private let program: Program
  private let costs: LayoutCosts
  /// The unit that gives each value; nil for what comes from outside, row-major.
  private var producer: [Int?]
  /// The units that take each value.
  private var takers: [[Int]]
  /// Whether a value is wanted outside, row-major.
  private var isOutput: [Bool]
  private let isTraining: Bool

  init(_ program: Program, _ costs: LayoutCosts) {
    (self.program, self.costs) = (program, costs)
    isTraining = program.units.contains { $0.isBackward }
    producer = Array(repeating: nil, count: program.values.count)
    takers = Array(repeating: [], count: program.values.count)
    isOutput = Array(repeating: false, count: program.values.count)
    for (position, unit) in program.units.enumerated() {
      producer[unit.output] = position
      for value in Set(program.operands(of: unit).map(\.value)) { takers[value].append(position) }
    }
    for output in program.outputs { isOutput[output.value] = true }
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
    var best: (cost: Double, choice: [Mode]) = (.infinity, [])
    for prefers in starts {
      var choice = costs.modes.map { $0.first(where: prefers) ?? $0[0] }
      // Each round lowers the total; the bound is for very long chains, which need no perfection.
      for _ in 0..<16 where !improve(&choice) { break }
      let cost = cost(of: choice)
      if cost < best.cost || best.choice.isEmpty { best = (cost, choice) }
    }
    return best.choice
  }

  /// The nanoseconds that all takes together.
  func cost(of choice: [Mode]) -> Double {
    let copies = program.values.indices.reduce(0) { $0 + self.copies(of: $1, choice) }
    return choice.reduce(copies) { $0 + $1.cost }
  }

  /// One round over all units. Says whether anything changed.
  private func improve(_ choice: inout [Mode]) -> Bool {
    var isChanged = false
    for position in program.units.indices where costs.modes[position].count > 1 {
      var best = choice[position]
      // A little must be gained, lest rounding errors keep the rounds going.
      var lowest = cost(around: position, choice) * (1 - 1e-9)
      for mode in costs.modes[position] where mode != best {
        choice[position] = mode
        let cost = cost(around: position, choice)
        if cost < lowest { (best, lowest, isChanged) = (mode, cost, true) }
      }
      choice[position] = best
    }
    return isChanged
  }

  /// The cost of a unit and of copies of what it takes and gives.
  private func cost(around position: Int, _ choice: [Mode]) -> Double {
    let unit = program.units[position]
    var sum = choice[position].cost + copies(of: unit.output, choice)
    var seen: [Int] = []
    for (value, _) in program.operands(of: unit) where !seen.contains(value) {
      seen.append(value)
      sum += copies(of: value, choice)
    }
    return sum
  }

  /// Whether a value goes line by line from one convolution by planes into the next.
  private func isChained(_ value: Int, _ choice: [Mode]) -> Bool {
    guard !isTraining, !isOutput[value], let from = producer[value], takers[value].count == 1
    else { return false }
    let taker = takers[value][0]
    return choice[from].algorithm == .planes && choice[taker].algorithm == .planes
      && program.units[from].epilogue.residual == nil && program.units[taker].inputs == [value]
      && choice[taker].input == .planar
  }

  /// The cost of the copies of a value.
  private func copies(of value: Int, _ choice: [Mode]) -> Double {
    if isChained(value, choice) {
      // Neither written nor read: about what a copy takes is saved.
      return -costs.copy(value, Form(layout: .planar), Form(layout: .channelsLast))
    }
    let from = producer[value].map { choice[$0].outputForm } ?? Form(layout: .planar)
    // A bit for each form that is wanted.
    var wanted: UInt64 = isOutput[value] ? 1 << Form(layout: .planar).number : 0
    for taker in takers[value] {
      for (operand, form) in program.operands(of: program.units[taker], mode: choice[taker])
      where operand == value {
        wanted |= 1 << form.number
      }
    }
    return Form.all.indices.reduce(0) { sum, form in
      wanted >> form & 1 == 0 ? sum : sum + costs.copy(value, from, Form.all[form])
    }
  }
}
