import AviaryGraph

/// What the units of a program cost in each of their modes, and copies of values into other forms,
/// in nanoseconds on an engine: as measured where that is known, else by estimate.
struct LayoutCosts {
  /// By number of the unit, the cheapest first.
  private(set) var modes: [[Mode]]
  /// By number of the value: from each form into each form.
  private let copies: [[Double]]

  /// - Parameter options: with what was measured, if that is to count; what it lacks is timed if that
  ///   pays.
  init(_ program: Program, _ options: PlanOptions, _ engine: Engine) {
    let estimates = program.units.map { unit in
      let modes = program.modes(of: unit, options)
      // Some know of nothing but what distinguishes them.
      let passes = modes.contains { $0.cost == 0 } ? program.passes(unit) : 0
      return modes.map { mode in
        var mode = mode
        mode.cost = (mode.cost + passes) / Double(engine.threads)
        return mode
      }
    }
    guard let tuning = options.tuning else {
      modes = estimates
      copies = LayoutCosts.copies(of: program) { shape in
        LayoutCosts.copies(of: shape, engine.threads) { _, _ in nil }
      }
      return
    }
    let measuring = Measuring(program, estimates, tuning, options, engine)
    modes = measuring.modes
    copies = LayoutCosts.copies(of: program) { shape in
      let found = tuning.found(TuningKey.copy(shape, threads: engine.threads))
      return LayoutCosts.copies(of: shape, engine.threads) { found[TuningKey.copyMode($0, $1)] }
    }
  }

  /// The number of a mode among a unit's, whatever it is said to cost.
  func number(of mode: Mode, ofUnit position: Int) -> Int {
    modes[position].firstIndex { $0.isSame(as: mode) } ?? 0
  }

  /// The cost of having a value that lies in one form in another, too, by the forms' numbers.
  func copy(_ value: Int, _ from: Int, _ to: Int) -> Double {
    copies[value][from * Form.count + to]
  }

  /// What copies cost of each value of a program; found once for values of one shape.
  private static func copies(
    of program: Program, _ find: ([Int]) -> [Double]
  ) -> [[Double]] {
    var known: [[Int]: [Double]] = [:]
    return program.values.map { value in
      if let found = known[value.shape] { return found }
      let found = find(value.shape)
      known[value.shape] = found
      return found
    }
  }

  private static func copies(
    of shape: [Int], _ threads: Int, _ measured: (Form, Form) -> Double?
  ) -> [Double] {
    Form.all.flatMap { from in
      Form.all.map { to in
        if to.isFree(from, shape) { return 0 }
        return measured(from, to) ?? estimate(shape, threads)
      }
    }
  }

  /// What copying a value takes, by estimate.
  static func estimate(_ shape: [Int], _ threads: Int) -> Double {
    Double(shape.reduce(1, *)) * Mode.nanosecondsPerMove / Double(threads)
  }
}

extension Program {
  /// What a unit costs that reads and writes, and hardly calculates.
  fileprivate func passes(_ unit: Unit) -> Double {
    if case .other(.reshape) = unit.work { return 0 }
    let elements = unit.inputs.reduce(values[unit.output].count) { $0 + values[$1].count }
    return Double(elements) * Mode.nanosecondsPerMove / 2
  }
}

extension Form {
  /// One of each kind, at its number: what 1 is worth makes no difference to the time that a copy takes.
  static let all = [Numbers.float32, .bfloat16, .int8(step: 1), .uint8(step: 1)].flatMap {
    numbers in
    Layout.allCases.map { Form(layout: $0, numbers: numbers) }
  }
  static let count = all.count

  /// Whether a value of a shape that lies in another form lies in this one, too.
  func isFree(_ from: Form, _ shape: [Int]) -> Bool {
    numbers == from.numbers && from.layout.coincides(with: layout, for: shape)
  }

  var number: Int { numbers.number * Layout.allCases.count + layout.number }
}

extension Layout {
  var number: Int {
    switch self {
    case .planar: 0
    case .channelsLast: 1
    case .blocked: 2
    }
  }
}
