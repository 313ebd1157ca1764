import AviaryGraph

extension Program {
  /// Decides for every unit how it is done, so that the units' own costs and those of the copies
  /// between layouts are small together.
  ///
  /// From several starting points (each unit its own best; all in one layout) every unit in turn
  /// takes the mode that is best with its neighbours as they are, until nothing changes; the best
  /// end counts. Chains of convolutions end up in one layout, which is what matters.
  mutating func assignLayouts(_ options: PlanOptions) {
    let modes = units.map { self.modes(of: $0, options) }
    let neighbours = Neighbours(self)
    let starts: [(Mode) -> Bool] = [
      { _ in true },
      { $0.output == .planar },
      { $0.output == .channelsLast },
      { $0.output == .blocked },
      { $0.output == .channelsLast && $0.outputNumbers != .float32 },
      { $0.output == .blocked && $0.outputNumbers != .float32 },
    ]
    var best: (cost: Double, choice: [Mode])?
    for prefers in starts {
      var choice = modes.map { $0.first(where: prefers) ?? $0[0] }
      // Each round lowers the total; the bound is for very long chains, which need no perfection.
      for _ in 0..<16 where !improve(&choice, modes, neighbours) { break }
      let cost = units.indices.reduce(0) { $0 + self.cost(choice[$1], at: $1, choice, neighbours) }
      if cost < best?.cost ?? .infinity { best = (cost, choice) }
    }
    for (position, mode) in (best?.choice ?? []).enumerated() {
      units[position].mode = mode
      values[units[position].output].form = mode.outputForm
    }
  }

  /// Who gives and who takes each value.
  private struct Neighbours {
    var producer: [Int?]
    var takers: [[Int]]
    var isOutput: [Bool]

    init(_ program: Program) {
      producer = Array(repeating: nil, count: program.values.count)
      takers = Array(repeating: [], count: program.values.count)
      isOutput = Array(repeating: false, count: program.values.count)
      for (position, unit) in program.units.enumerated() {
        producer[unit.output] = position
        for value in program.operands(of: unit).map(\.value) { takers[value].append(position) }
      }
      for output in program.outputs { isOutput[output.value] = true }
    }
  }

  /// The values that a unit takes, and in which form: a value that is added to its result in the
  /// form of the result.
  func operands(of unit: Unit, mode: Mode? = nil) -> [(value: Int, form: Form)] {
    let mode = mode ?? unit.mode
    return unit.inputs.enumerated().map { ($1, mode.form(ofInput: $0)) }
      + (unit.epilogue.residual.map { [($0, mode.outputForm)] } ?? [])
  }

  /// One round over all units. Says whether anything changed.
  private func improve(
    _ choice: inout [Mode], _ modes: [[Mode]], _ neighbours: Neighbours
  ) -> Bool {
    var isChanged = false
    for position in units.indices where modes[position].count > 1 {
      // A little must be gained, lest rounding errors keep the rounds going.
      var lowest = total(choice[position], at: position, choice, neighbours) * (1 - 1e-9)
      for mode in modes[position] where mode != choice[position] {
        let cost = total(mode, at: position, choice, neighbours)
        guard cost < lowest else { continue }
        (choice[position], lowest, isChanged) = (mode, cost, true)
      }
    }
    return isChanged
  }

  /// The cost of a unit and of copying what it takes.
  private func cost(
    _ mode: Mode, at position: Int, _ choice: [Mode], _ neighbours: Neighbours
  ) -> Double {
    let unit = units[position]
    var sum = mode.cost
    for (value, form) in operands(of: unit, mode: mode) {
      let from = neighbours.producer[value].map { choice[$0].outputForm } ?? Form(layout: .planar)
      sum += moveCost(value, from, form)
    }
    if neighbours.isOutput[unit.output] {
      sum += moveCost(unit.output, mode.outputForm, Form(layout: .planar))
    }
    return sum
  }

  /// The cost of a unit and of copying what it takes and gives.
  private func total(
    _ mode: Mode, at position: Int, _ choice: [Mode], _ neighbours: Neighbours
  ) -> Double {
    var sum = cost(mode, at: position, choice, neighbours)
    let output = units[position].output
    for taker in neighbours.takers[output] {
      for (value, form) in operands(of: units[taker], mode: choice[taker])
      where value == output {
        sum += moveCost(output, mode.outputForm, form)
      }
    }
    return sum
  }

  /// What it costs to have a value copied from one form to another.
  private func moveCost(_ value: Int, _ from: Form, _ to: Form) -> Double {
    if from.numbers == to.numbers, from.layout.coincides(with: to.layout, for: values[value].shape)
    {
      return 0
    }
    return Double(values[value].count) * Mode.nanosecondsPerMove
  }
}

extension Program {
  /// Puts a unit that copies before every unit that takes a value in another layout than it has,
  /// and behind every output that is not planar. A copy serves all who want the same.
  mutating func insertRelayouts() {
    var copies: [Copy: Int] = [:]
    var result: [Unit] = []
    var isBackward = false
    func converted(_ value: Int, _ form: Form, for name: String) -> Int {
      if values[value].form == form { return value }
      if let copy = copies[Copy(value: value, form: form)] { return copy }
      values.append(Value(shape: values[value].shape, form: form))
      var unit = Unit(
        name: name, work: .relayout, inputs: [value], output: values.count - 1, parameters: [])
      unit.mode = Mode(values[value].layout, form.layout, cost: 0)
      unit.mode.inputNumbers = values[value].form.numbers
      unit.mode.outputNumbers = form.numbers
      unit.isBackward = isBackward
      result.append(unit)
      copies[Copy(value: value, form: form)] = unit.output
      return unit.output
    }
    func convertOutputs(_ positions: [Int]) {
      for position in positions {
        outputs[position].value = converted(
          outputs[position].value, Form(layout: .planar), for: outputs[position].name)
      }
    }
    for var unit in units {
      if unit.isBackward, !isBackward {
        // What the way forward gives is ready when it ends.
        convertOutputs(outputs.indices.filter { $0 < forwardOutputs })
        isBackward = true
      }
      unit.inputs = unit.inputs.enumerated().map { position, value in
        converted(value, unit.mode.form(ofInput: position), for: unit.name)
      }
      if let residual = unit.epilogue.residual {
        unit.epilogue.residual = converted(residual, unit.mode.outputForm, for: unit.name)
      }
      result.append(unit)
    }
    convertOutputs(Array(outputs.indices))
    units = result
  }

  /// A value in another form.
  private struct Copy: Hashable {
    var value: Int
    var form: Form
  }
}
