import AviaryGraph

/// A unit, or a copy, as a program of its own that takes and gives its values in the forms of one of
/// its modes; cut down to fewer rows or pictures where all of it would take long.
struct Excerpt {
  let program: Program
  /// How much longer the whole takes.
  let factor: Double

  /// A unit of a program in one of its modes.
  ///
  /// - Parameters:
  ///   - keepsResidual: whether what is added is wanted again, so that the result cannot be written
  ///     over it.
  ///   - cut: a part of the unit's work that is enough.
  init(
    _ unit: Unit, of whole: Program, _ mode: Mode, keepsResidual: Bool, cut: ShapeCut
  ) {
    var values: [Program.Value] = []
    var numbers: [Operand: Int] = [:]
    func number(_ value: Int, _ form: Form, _ shape: [Int]) -> Int {
      if let known = numbers[Operand(value: value, form: form)] { return known }
      values.append(Program.Value(shape: shape, form: form))
      numbers[Operand(value: value, form: form)] = values.count - 1
      return values.count - 1
    }
    var unit = unit
    unit.mode = mode
    unit.inputs = unit.inputs.enumerated().map { position, value in
      number(value, mode.form(ofInput: position), cut.inputs[position])
    }
    unit.epilogue.residual = unit.epilogue.residual.map {
      number($0, Form(layout: mode.output), cut.output)
    }
    let inputs = Array(values.indices)
    var kept: [Int] = []
    if keepsResidual, let residual = unit.epilogue.residual { kept.append(residual) }
    values.append(Program.Value(shape: cut.output, form: Form(layout: mode.output)))
    unit.output = values.count - 1
    kept.append(unit.output)
    unit.extraOutputs = unit.extraOutputs.map { value in
      values.append(whole.values[value])
      return values.count - 1
    }
    program = Program(values, [unit], inputs: inputs, outputs: kept)
    factor = cut.factor
  }

  /// A copy into another form.
  init(copying from: Layout, to: Form, cut: ShapeCut) {
    var unit = Unit(name: "copy", work: .relayout, inputs: [0], output: 1, parameters: [])
    unit.mode = Mode(from, to.layout, cost: 0)
    program = Program(
      [
        Program.Value(shape: cut.output, form: Form(layout: from)),
        Program.Value(shape: cut.output, form: to),
      ], [unit], inputs: [0], outputs: [1])
    factor = cut.factor
  }

  /// All of a program with its units done in these modes.
  init(whole: Program, _ modes: [Mode]) {
    var program = whole
    program.take(modes)
    program.insertRelayouts()
    self.program = program
    factor = 1
  }

  private struct Operand: Hashable {
    var value: Int
    var form: Form
  }
}

extension Program {
  /// A program with its layouts decided.
  fileprivate init(_ values: [Value], _ units: [Unit], inputs: [Int], outputs: [Int]) {
    (self.values, self.units, self.inputs) = (values, units, inputs)
    self.outputs = outputs.map { Graph.Output("\($0)", value: $0) }
    forwardOutputs = outputs.count
  }
}
