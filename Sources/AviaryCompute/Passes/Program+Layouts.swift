import AviaryGraph

/// What was decided about the layers of a program.
struct LayoutDecision {
  /// By number of the unit.
  var layers: [(name: String, work: String)] = []
  var modes: [Mode] = []
  /// The time that a run is expected to take, as far as it was measured or estimated.
  var nanoseconds = 0.0

  /// The same in words, which are only made for whoever asks.
  var choices: [PlanChoice] {
    zip(layers, modes).map { PlanChoice(layer: "\($0.name) \($0.work)", mode: $1.text) }
  }
}

extension Program {
  /// Decides for every unit how it is done, so that the units' own costs and those of the copies
  /// between layouts are small together.
  mutating func assignLayouts(
    _ options: PlanOptions, _ engine: Engine
  ) -> LayoutDecision {
    let stated = stated(options.choices, options)
    var options = options
    // Where nothing is left to choose, nothing is timed.
    if stated != nil { options.runsAhead = 0 }
    let costs = LayoutCosts(self, options, engine)
    let search = LayoutSearch(self, costs)
    var modes = stated ?? search.best()
    var nanoseconds = search.cost(of: modes)
    if stated == nil, let tuning = options.tuning {
      decide(&modes, &nanoseconds, tuning, options, engine)
    }
    take(modes)
    return LayoutDecision(
      layers: units.map { (name: $0.name, work: $0.work.name) }, modes: modes,
      nanoseconds: nanoseconds)
  }

  /// Takes what estimates choose instead where all of the network is faster so.
  private func decide(
    _ modes: inout [Mode], _ nanoseconds: inout Double, _ tuning: Tuning, _ options: PlanOptions,
    _ engine: Engine
  ) {
    var plain = options
    plain.tuning = nil
    let estimated = LayoutSearch(self, LayoutCosts(self, plain, engine)).best()
    guard estimated.map(\.text) != modes.map(\.text),
      let times = wholeTimes(
        [modes, estimated], estimate: nanoseconds, tuning, options, engine)
    else { return }
    nanoseconds = min(times[0], times[1])
    if times[1] < times[0] { modes = estimated }
  }

  /// The modes that a caller wants; nil unless each is one of its unit's.
  private func stated(_ choices: [PlanChoice], _ options: PlanOptions) -> [Mode]? {
    guard choices.count == units.count else { return nil }
    var result: [Mode] = []
    for (position, choice) in choices.enumerated() {
      let unit = units[position]
      let mode = modes(of: unit, options).first { PlanChoice(unit, $0) == choice }
      guard let mode else { return nil }
      result.append(mode)
    }
    return result
  }

  /// The values that a unit takes, and in which form: a value that is added to its result in the
  /// form of the result.
  func operands(of unit: Unit, mode: Mode? = nil) -> [(value: Int, form: Form)] {
    let mode = mode ?? unit.mode
    return unit.inputs.enumerated().map { ($1, mode.form(ofInput: $0)) }
      + (unit.epilogue.residual.map { [($0, mode.outputForm)] } ?? [])
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
