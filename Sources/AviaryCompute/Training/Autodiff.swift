import AviaryGraph

/// Gives an IR graph its backward pass: reverse accumulation (Griewank and Walther, "Evaluating
/// Derivatives", 2008), node by node from the last to the first.
///
/// The fused ops that it adds are ordinary ones: they go through the same choice of memory formats
/// and the same placing in memory as those of the forward pass. What a fused op of the backward
/// pass needs of the forward pass it names as an input, and so it is kept until then, and no
/// longer.
struct Autodiff {
  private(set) var ir: IRGraph
  /// The gradients by the graph's parameters that are learned, by name.
  private(set) var parameters: [(name: String, value: Int)] = []
  /// The gradients by the graph's inputs, in its order; nil for one that no output depends on.
  private(set) var inputs: [Int?] = []

  private let learned: Set<String>
  private let parameterShapes: [String: [Int]]
  /// Whether the gradient by a value is of use, by number of the value.
  private var isNeeded: [Bool]
  /// What the gradient by a value is the sum of.
  private var summands: [[Int]]
  /// What the gradient by a parameter is the sum of: nodes may share one.
  private var parameterSummands: [String: [Int]] = [:]

  /// - Parameters:
  ///   - ir: the forward pass, a fused op for each node.
  ///   - wanted: what gradients are wanted of.
  /// - Throws: `ComputeError.unsupported`.
  init(
    _ ir: IRGraph, of graph: Graph, wanted: TrainingPlan.Wanted
  ) throws(ComputeError) {
    self.ir = ir
    self.ir.prepareForTraining()
    parameterShapes = Dictionary(
      uniqueKeysWithValues: graph.parameters.map { ($0.name, $0.shape) })
    let ir = self.ir
    learned =
      wanted.contains(.parameters)
      ? Set(graph.parameters.filter { $0.role == .weight }.map(\.name)) : []
    isNeeded = Array(repeating: false, count: ir.values.count)
    summands = Array(repeating: [], count: ir.values.count)
    if wanted.contains(.inputs) {
      for value in ir.inputs { isNeeded[value] = true }
    }
    for fusedOp in ir.fusedOps {
      isNeeded[fusedOp.output] =
        fusedOp.inputs.contains { isNeeded[$0] }
        || fusedOp.parameters.contains(where: learned.contains)
    }
    for output in ir.outputs {
      let seed = newValue(ir.values[output.value].shape)
      self.ir.seeds.append(seed)
      add(seed, to: output.value)
    }
    for fusedOp in ir.fusedOps.reversed() {
      guard isNeeded[fusedOp.output],
        let gradient = total(summands[fusedOp.output], named: fusedOp.name)
      else { continue }
      runBackward(fusedOp, gradient)
    }
    for parameter in graph.parameters {
      let parts = parameterSummands[parameter.name] ?? []
      guard let value = total(parts, named: parameter.name) else { continue }
      parameters.append((parameter.name, value))
    }
    inputs =
      wanted.contains(.inputs)
      ? ir.inputs.map { total(summands[$0], named: graph.name(ofValue: $0)) }
      : ir.inputs.map { _ in nil }
    self.ir.outputs += parameters.map { Graph.Output($0.name, value: $0.value) }
    for (input, value) in zip(graph.inputs, inputs) {
      if let value { self.ir.outputs.append(Graph.Output(input.name, value: value)) }
    }
  }

  /// Adds the fused ops that follow from the gradient of a fused op's result.
  private mutating func runBackward(_ fusedOp: FusedOp, _ gradient: Int) {
    switch fusedOp.kind {
    case .convolution(let c, flipped: false): convolution(fusedOp, c, gradient)
    case .convolution(let c, flipped: true): flippedConvolution(fusedOp, c, gradient)
    case .transposedConvolution(let c): transposedConvolution(fusedOp, c, gradient)
    case .scaleShift: scaleShift(fusedOp, gradient)
    case .other(let op):
      guard let operation = op.kernelOperation else {
        preconditionFailure("\(op.name) is represented differently in an IR graph")
      }
      operation.differentiate(fusedOp, gradient, &self)
    case .pointwise, .tokens, .reorder, .gradient:
      preconditionFailure("the forward pass has a fused op for each node")
    }
  }
}

// MARK: - What the gradients of operations use

extension Autodiff {
  /// Whether the gradient by one of a fused op's inputs is of use.
  func isNeeded(_ value: Int) -> Bool { isNeeded[value] }

  /// Whether the gradient by a parameter is of use.
  func isLearned(_ parameter: String) -> Bool { learned.contains(parameter) }

  /// The shape of a parameter.
  func parameterShape(_ name: String) -> [Int] { parameterShapes[name] ?? [] }

  /// The shape of a value.
  func shape(_ value: Int) -> [Int] { ir.values[value].shape }

  /// A value that no fused op gives yet.
  mutating func newValue(_ shape: [Int]) -> Int {
    ir.values.append(IRGraph.Value(shape: shape))
    summands.append([])
    isNeeded.append(false)
    return ir.values.count - 1
  }

  /// Says that a value is part of the gradient by another, of the same shape.
  mutating func add(_ part: Int, to value: Int) {
    if isNeeded[value] { summands[value].append(part) }
  }

  /// Says that a value is part of the gradient by a parameter.
  mutating func add(_ part: Int, toParameter name: String) {
    if isLearned(name) { parameterSummands[name, default: []].append(part) }
  }

  /// Adds a fused op to the backward pass.
  ///
  /// - Returns: its result.
  mutating func step(
    _ fusedOp: FusedOp, _ kind: OpKind, _ inputs: [Int], _ shape: [Int], parameters: [String] = [],
    scaleShift: [ScaleShiftStage] = [], extraOutputs: [Int] = []
  ) -> Int {
    step(
      fusedOp.name, kind, inputs, shape, parameters: parameters, scaleShift: scaleShift,
      extraOutputs: extraOutputs)
  }

  private mutating func step(
    _ name: String, _ kind: OpKind, _ inputs: [Int], _ shape: [Int], parameters: [String] = [],
    scaleShift: [ScaleShiftStage] = [], extraOutputs: [Int] = []
  ) -> Int {
    let output = newValue(shape)
    var step = FusedOp(
      name: name, kind: kind, inputs: inputs, output: output, parameters: parameters)
    step.scaleShift = scaleShift
    step.extraOutputs = extraOutputs
    step.isBackward = true
    ir.fusedOps.append(step)
    return output
  }

  /// Adds the step that gives the gradient by the fused op's first input, if it is of use.
  mutating func pass(_ fusedOp: FusedOp, _ kind: OpKind, _ values: [Int]) {
    let input = fusedOp.inputs[0]
    guard isNeeded(input) else { return }
    add(step(fusedOp, kind, values, shape(input)), to: input)
  }

  /// Adds a step that gives the gradients by the fused op's input and by the first of its
  /// parameters.
  mutating func withParameters(
    _ fusedOp: FusedOp, _ gradient: Gradient, _ values: [Int], parameters: [String]? = nil
  ) {
    let input = fusedOp.inputs[0]
    let parameters = parameters ?? fusedOp.parameters
    guard isNeeded(input) || parameters.contains(where: isLearned) else { return }
    let sums = parameters.map { newValue(parameterShape($0)) }
    let part = step(
      fusedOp, .gradient(gradient), values, shape(input), parameters: fusedOp.parameters,
      extraOutputs: sums)
    add(part, to: input)
    for (name, sum) in zip(parameters, sums) { add(sum, toParameter: name) }
  }

  /// A scale or a shift per channel, by constants.
  mutating func scaleShift(_ fusedOp: FusedOp, _ gradient: Int) {
    let scales = fusedOp.scaleShift.filter { if case .scale = $0 { true } else { false } }
    guard !scales.isEmpty else {
      add(gradient, to: fusedOp.inputs[0])
      return
    }
    let part = step(fusedOp, .scaleShift, [gradient], shape(gradient), scaleShift: scales)
    add(part, to: fusedOp.inputs[0])
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

extension IRGraph {
  /// Adds what a training's forward pass gives beside its outputs: statistics of batches, for the
  /// backward pass and for the running ones; and takes beside its inputs: a seed for what dropout
  /// drops.
  mutating func prepareForTraining() {
    // What is not an image itself is one of one pixel, which lies the same in every memory format,
    // so that it binds no fused op to one.
    func newValue(_ shape: [Int]) -> Int {
      values.append(Value(shape: shape))
      return values.count - 1
    }
    for position in fusedOps.indices {
      switch fusedOps[position].kind {
      case .other(.batchNormalization(let normalization)):
        let channels = values[fusedOps[position].output].shape[1]
        let names = normalization.statistics(of: fusedOps[position].parameters)
        // Nodes that share their statistics move them one after another.
        fusedOps[position].inputs += names.compactMap { name in
          statistics.last { $0.name == name }?.value
        }
        let batch = [newValue([1, channels, 1, 1]), newValue([1, channels, 1, 1])]
        let moved = names.map { _ in newValue([channels]) }
        fusedOps[position].extraOutputs = batch + moved
        statistics.removeAll { names.contains($0.name) }
        statistics += zip(names, moved).map { Graph.Output($0, value: $1) }
      case .other(.dropout):
        // As large as a block of channels, of which the seed takes the first two numbers.
        let seed = dropoutSeed ?? newValue([1, MemoryFormat.block, 1, 1])
        dropoutSeed = seed
        fusedOps[position].inputs.append(seed)
      default: break
      }
    }
  }
}

extension BatchNormalization {
  /// The names of the weight and the bias, as far as there are any, among a node's parameters.
  func learned(of parameters: [String]) -> [String] {
    Array(parameters.prefix((scale ? 1 : 0) + (center ? 1 : 0)))
  }

  /// The names of the running mean and variance among a node's parameters.
  func statistics(of parameters: [String]) -> [String] {
    Array(parameters.dropFirst(learned(of: parameters).count).prefix(2))
  }
}
