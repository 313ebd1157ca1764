import AviaryGraph

/// Gives a program its way back: reverse accumulation (Griewank and Walther, "Evaluating
/// Derivatives", 2008), node by node from the last to the first.
///
/// The units that it adds are ordinary ones: they go through the same choice of layouts and the same
/// placing in memory as those of the way forward. What a unit of the way back needs of the way
/// forward it names as an input, and so it is kept until then, and no longer.
struct Differentiation {
  private(set) var program: Program
  /// The gradients by the graph's parameters that are learned, by name.
  private(set) var parameters: [(name: String, value: Int)] = []
  /// The gradients by the graph's inputs, in its order; nil for one that no output depends on.
  private(set) var inputs: [Int?] = []

  private let learned: Set<String>
  private let parameterShapes: [String: [Int]]
  /// Whether the gradient by a value is of use, by number of the value.
  private var isWanted: [Bool]
  /// What the gradient by a value is the sum of.
  private var summands: [[Int]]
  /// What the gradient by a parameter is the sum of: nodes may share one.
  private var parameterSummands: [String: [Int]] = [:]

  /// - Parameters:
  ///   - program: the way forward, a unit for each node.
  ///   - wanted: what gradients are wanted of.
  /// - Throws: `ComputeError.unsupported`.
  init(
    _ program: Program, of graph: Graph, wanted: TrainingPlan.Wanted
  ) throws(ComputeError) {
    self.program = program
    self.program.prepareForTraining()
    parameterShapes = Dictionary(
      uniqueKeysWithValues: graph.parameters.map { ($0.name, $0.shape) })
    let program = self.program
    learned =
      wanted.contains(.parameters)
      ? Set(graph.parameters.filter { $0.role == .weight }.map(\.name)) : []
    isWanted = Array(repeating: false, count: program.values.count)
    summands = Array(repeating: [], count: program.values.count)
    if wanted.contains(.inputs) {
      for value in program.inputs { isWanted[value] = true }
    }
    for unit in program.units {
      isWanted[unit.output] =
        unit.inputs.contains { isWanted[$0] } || unit.parameters.contains(where: learned.contains)
    }
    for output in program.outputs {
      let seed = newValue(program.values[output.value].shape)
      self.program.seeds.append(seed)
      add(seed, to: output.value)
    }
    for unit in program.units.reversed() {
      guard isWanted[unit.output],
        let gradient = total(summands[unit.output], named: unit.name)
      else { continue }
      goBack(unit, gradient)
    }
    for parameter in graph.parameters {
      let parts = parameterSummands[parameter.name] ?? []
      guard let value = total(parts, named: parameter.name) else { continue }
      parameters.append((parameter.name, value))
    }
    inputs =
      wanted.contains(.inputs)
      ? program.inputs.map { total(summands[$0], named: graph.name(ofValue: $0)) }
      : program.inputs.map { _ in nil }
    self.program.outputs += parameters.map { Graph.Output($0.name, value: $0.value) }
    for (input, value) in zip(graph.inputs, inputs) {
      if let value { self.program.outputs.append(Graph.Output(input.name, value: value)) }
    }
  }

  /// Adds the units that follow from the gradient of a unit's result.
  private mutating func goBack(_ unit: Unit, _ gradient: Int) {
    switch unit.work {
    case .convolution(let c, flipped: false): convolution(unit, c, gradient)
    case .convolution(let c, flipped: true): flippedConvolution(unit, c, gradient)
    case .transposedConvolution(let c): transposedConvolution(unit, c, gradient)
    case .affine: affine(unit, gradient)
    case .other(let op):
      guard let operation = op.kernelOperation else {
        preconditionFailure("\(op.name) has another form in a program")
      }
      operation.differentiate(unit, gradient, &self)
    case .relayout, .gradient: preconditionFailure("a way forward of single nodes")
    }
  }
}

// MARK: - What the gradients of operations use

extension Differentiation {
  /// Whether the gradient by one of a unit's inputs is of use.
  func isWanted(_ value: Int) -> Bool { isWanted[value] }

  /// Whether the gradient by a parameter is of use.
  func isLearned(_ parameter: String) -> Bool { learned.contains(parameter) }

  /// The shape of a parameter.
  func parameterShape(_ name: String) -> [Int] { parameterShapes[name] ?? [] }

  /// The shape of a value.
  func shape(_ value: Int) -> [Int] { program.values[value].shape }

  /// A value that no unit gives yet.
  mutating func newValue(_ shape: [Int]) -> Int {
    program.values.append(Program.Value(shape: shape))
    summands.append([])
    isWanted.append(false)
    return program.values.count - 1
  }

  /// Says that a value is part of the gradient by another, of the same shape.
  mutating func add(_ part: Int, to value: Int) {
    if isWanted[value] { summands[value].append(part) }
  }

  /// Says that a value is part of the gradient by a parameter.
  mutating func add(_ part: Int, toParameter name: String) {
    if isLearned(name) { parameterSummands[name, default: []].append(part) }
  }

  /// Adds a unit to the way back.
  ///
  /// - Returns: its result.
  mutating func step(
    _ unit: Unit, _ work: Work, _ inputs: [Int], _ shape: [Int], parameters: [String] = [],
    affine: [AffineStage] = [], extraOutputs: [Int] = []
  ) -> Int {
    step(
      unit.name, work, inputs, shape, parameters: parameters, affine: affine,
      extraOutputs: extraOutputs)
  }

  private mutating func step(
    _ name: String, _ work: Work, _ inputs: [Int], _ shape: [Int], parameters: [String] = [],
    affine: [AffineStage] = [], extraOutputs: [Int] = []
  ) -> Int {
    let output = newValue(shape)
    var step = Unit(
      name: name, work: work, inputs: inputs, output: output, parameters: parameters)
    step.affine = affine
    step.extraOutputs = extraOutputs
    step.isBackward = true
    program.units.append(step)
    return output
  }

  /// Adds the step that gives the gradient by the unit's first input, if it is of use.
  mutating func pass(_ unit: Unit, _ work: Work, _ values: [Int]) {
    let input = unit.inputs[0]
    guard isWanted(input) else { return }
    add(step(unit, work, values, shape(input)), to: input)
  }

  /// Adds a step that gives the gradients by the unit's input and by the first of its parameters.
  mutating func withParameters(
    _ unit: Unit, _ gradient: Gradient, _ values: [Int], parameters: [String]? = nil
  ) {
    let input = unit.inputs[0]
    let parameters = parameters ?? unit.parameters
    guard isWanted(input) || parameters.contains(where: isLearned) else { return }
    let sums = parameters.map { newValue(parameterShape($0)) }
    let part = step(
      unit, .gradient(gradient), values, shape(input), parameters: unit.parameters,
      extraOutputs: sums)
    add(part, to: input)
    for (name, sum) in zip(parameters, sums) { add(sum, toParameter: name) }
  }

  /// A scale or a shift per channel, by constants.
  mutating func affine(_ unit: Unit, _ gradient: Int) {
    let scales = unit.affine.filter { if case .scale = $0 { true } else { false } }
    guard !scales.isEmpty else {
      add(gradient, to: unit.inputs[0])
      return
    }
    let part = step(unit, .affine, [gradient], shape(gradient), affine: scales)
    add(part, to: unit.inputs[0])
  }

  /// The sum of values of one shape; nil of none.
  private mutating func total(_ parts: [Int], named name: String) -> Int? {
    guard var sum = parts.first else { return nil }
    for part in parts.dropFirst() {
      sum = step(name, .other(.binary(.add)), [sum, part], shape(sum))
    }
    return sum
  }
}
