import AviaryGraph

/// What something is called among the findings: equal names take equal time.
enum TuningKey {
  /// A unit's work, whatever its name and its weights are.
  ///
  /// - Parameter keepsResidual: whether what is added is wanted again.
  static func unit(
    _ unit: Unit, in program: Program, keepsResidual: Bool, threads: Int
  ) -> String {
    let taken = unit.inputs.map { text(program.values[$0].shape) }.joined(separator: ",")
    var parts = [
      "\(threads)", work(unit.work), "\(taken)>\(text(program.values[unit.output].shape))",
    ]
    if unit.parameters.count > 1 || !unit.affine.isEmpty { parts.append("bias") }
    if let activation = unit.epilogue.activation { parts.append("\(activation)") }
    if unit.epilogue.slopes != nil { parts.append("prelu") }
    if let residual = unit.epilogue.residual {
      let isInput = unit.inputs.contains(residual)
      parts.append(isInput ? "adds its input" : keepsResidual ? "adds and keeps" : "adds")
    }
    if let activation = unit.epilogue.finalActivation { parts.append("\(activation)") }
    return parts.joined(separator: " ")
  }

  /// Copies of a value into other forms.
  static func copy(_ shape: [Int], threads: Int) -> String { "\(threads) copy \(text(shape))" }

  static func copyMode(_ from: Form, _ to: Form) -> String {
    "\(from.layout) \(from.numbers.name)>\(to.layout) \(to.numbers.name)"
  }

  /// All of a program, whatever its weights are: too long to be written down.
  static func whole(_ program: Program, threads: Int) -> String {
    let units = program.units.map { unit in
      let operands = program.operands(of: unit).map { "\($0.value)" }.joined(separator: ",")
      let key = TuningKey.unit(unit, in: program, keepsResidual: false, threads: threads)
      return "\(operands)>\(unit.output) \(key)"
    }
    let outputs = program.outputs.map { "\($0.value)" }.joined(separator: ",")
    return "\(threads) network \(StableHash.text("\(units.joined(separator: ";"));\(outputs)"))"
  }

  /// A choice for each unit.
  static func choice(_ modes: [Mode]) -> String {
    StableHash.text(modes.map(\.text).joined(separator: ";"))
  }

  /// The work with its attributes, on one line without tabs. Widths of borders make no difference
  /// beside the shapes.
  private static func work(_ work: Work) -> String {
    switch work {
    case .convolution(let c, let flipped):
      "\(flipped ? "flipped " : "")convolution \(attributes(c))"
    case .transposedConvolution(let c):
      "transposedConvolution \(text(c.kernel)) /\(text(c.stride)) \(c.groups)"
    case .gradient(.convolutionInput(let c)): "convolutionInput \(attributes(c))"
    case .gradient(.convolutionWeights(let c)): "convolutionWeights \(attributes(c))"
    case .affine, .relayout, .gradient, .other:
      // As Swift describes it: where a compiler finds other words, it is timed again.
      String(
        "\(work)".replacing("AviaryGraph.", with: "").replacing("AviaryCompute.", with: "")
          .map { $0.isWhitespace ? " " : $0 })
    }
  }

  private static func attributes(_ c: Convolution) -> String {
    "\(text(c.kernel)) /\(text(c.stride)) *\(text(c.dilation)) \(c.groups)"
  }

  private static func text(_ size: Size) -> String { "\(size.height)x\(size.width)" }
  private static func text(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: "x")
  }
}
