public import AviaryGraph
public import AviaryTensor

/// A training's initial parameters.
///
/// Each parameter has its own random stream, made of the seed and its name: it starts the same
/// whatever comes before it in the network, and on every machine.
public struct Initializer: Sendable {
  private let graph: Graph
  private let kind: Recipe.Initialization
  private let seed: UInt64
  /// The weights that start small, and those that start at zero.
  private let (branches, last): (Set<String>, Set<String>)

  /// The seed's stream for this purpose: "init" in ASCII.
  private static let purpose: UInt64 = 0x696E_6974
  /// The factor for the deviation in the last layer of a branch.
  private static let branchShare: Float = 0.1

  /// An initializer for a network.
  ///
  /// - Throws: `TrainingError.recipe` for `zero-last` if no layer gives the output.
  public init(
    _ graph: Graph, _ kind: Recipe.Initialization, seed: UInt64
  ) throws(TrainingError) {
    (self.graph, self.kind, self.seed) = (graph, kind, seed)
    let ends = ResidualBranchOutputs(graph)
    guard kind != .zeroLast || !ends.ofNetwork.isEmpty else {
      throw .recipe(
        field: "initialization", expected: "a network with a layer before its output",
        found: "\(kind.rawValue) of another")
    }
    (branches, last) =
      switch kind {
      case .he: (ends.ofBranches, [])
      case .zeroLast: (ends.ofBranches, ends.ofNetwork)
      case .pytorch, .keras: ([], [])
      }
  }

  /// All parameters by name, in the graph's shapes: float32, counters int64.
  ///
  /// - Throws: `TrainingError.training` if there is no memory for a parameter.
  public func parameters() throws(TrainingError) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    let shapes = Dictionary(graph.parameters.map { ($0.name, $0) }) { first, _ in first }
    let gains = Self.gains(graph)
    for (position, node) in graph.nodes.enumerated() {
      // A bias is drawn by the fan of its layer's weight.
      let weight = node.parameters.first.flatMap { shapes[$0]?.shape } ?? []
      for (name, slot) in zip(node.parameters, node.op.parameterSlots) where result[name] == nil {
        guard let parameter = shapes[name] else { continue }
        do {
          result[name] = try tensor(
            parameter, slot, of: node.op, weight: weight,
            gain: gains[graph.inputs.count + position])
        } catch {
          throw .training("parameter \(name)", expected: "memory", found: error.description)
        }
      }
    }
    return result
  }

  private func tensor(
    _ parameter: Parameter, _ slot: ParameterSlot, of op: Op, weight: [Int], gain: Double
  ) throws(TensorError) -> Tensor {
    let isLast = last.contains(parameter.name)
    let share: Float =
      isLast ? 0 : branches.contains(parameter.name) ? Self.branchShare : 1
    let shape = parameter.shape
    if parameter.role == .nonPersistent { return try Tensor(zeros: shape, elementType: .int64) }
    if case .prelu = op { return try filled(shape, kind == .keras ? 0 : 0.25) }
    if let start = slot.start { return try filled(shape, Float(start) * share) }
    let fan = Fan(op, weight: weight)
    switch (kind, slot.suffix) {
    case (.pytorch, _): return try uniform(parameter, bound: 1 / fan.pytorch.squareRoot())
    case (_, "bias"): return try Tensor(zeros: shape)
    case (.keras, _):
      return try uniform(parameter, bound: (6 / (fan.keras.in + fan.keras.out)).squareRoot())
    default:
      if isLast { return try Tensor(zeros: shape) }
      let deviation = (gain / fan.effective).squareRoot()
      return try normal(parameter, deviation: Double(share) * deviation)
    }
  }

  /// The gain that preserves the second moment through what follows each value: 2 for ReLU, which
  /// loses half, and 2 / (1 + slope²) if it keeps a part of the negative values.
  private static func gains(_ graph: Graph) -> [Double] {
    var gains = [Double](repeating: 2, count: graph.valueCount)
    for node in graph.nodes {
      switch node.op {
      case .activation(.leakyRelu(let slope)): gains[node.inputs[0]] = 2 / (1 + slope * slope)
      case .prelu: gains[node.inputs[0]] = 2 / (1 + 0.25 * 0.25)
      default: break
      }
    }
    return gains
  }
}

// MARK: - Numbers

extension Initializer {
  private func filled(_ shape: [Int], _ value: Float) throws(TensorError) -> Tensor {
    var tensor = try Tensor(zeros: shape)
    unsafe tensor.withMutableFloats { unsafe $0.update(repeating: value) }
    return tensor
  }

  /// A parameter's stream: that of the seed and the FNV-1a hash of the name (Fowler, Noll, Vo),
  /// which unlike Swift's own hash is the same in every run.
  private func generator(of parameter: Parameter) -> SeededGenerator {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in parameter.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return SeededGenerator(seed: seed, Self.purpose, hash)
  }

  private func uniform(_ parameter: Parameter, bound: Double) throws(TensorError) -> Tensor {
    var tensor = try Tensor(zeros: parameter.shape)
    var generator = generator(of: parameter)
    unsafe tensor.withMutableFloats { values in
      for i in values.indices { unsafe values[i] = Float((2 * generator.unit() - 1) * bound) }
    }
    return tensor
  }

  /// Normally distributed numbers, the same on every machine.
  private func normal(_ parameter: Parameter, deviation: Double) throws(TensorError) -> Tensor {
    var tensor = try Tensor(zeros: parameter.shape)
    var generator = generator(of: parameter)
    let ziggurat = Ziggurat.standard
    unsafe tensor.withMutableFloats { values in
      for i in values.indices {
        unsafe values[i] = Float(deviation * ziggurat.next(using: &generator))
      }
    }
    return tensor
  }
}
