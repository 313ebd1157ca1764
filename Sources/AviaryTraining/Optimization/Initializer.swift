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
    if let values = graph.initialValues[parameter.name] { return try Tensor(shape: shape, values) }
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

/// A layer's fan: how many numbers contribute to each of its values, in the three usual ways of
/// counting.
struct Fan {
  /// As PyTorch counts (`torch.nn.init`): the second dimension of the weight times the window,
  /// which for a transposed convolution is the fan out.
  private(set) var pytorch = 1.0
  /// As Keras counts (`compute_fans`): the fan out is over all groups together; for a transposed
  /// convolution, in and out are swapped.
  private(set) var keras = (in: 1.0, out: 1.0)
  /// How many products are summed for one element of the result, away from the edges. In a
  /// transposed convolution, only every stride-th row and column of the window reaches a pixel.
  private(set) var effective = 1.0

  /// - Parameter weight: the shape of the layer's weight.
  init(_ op: Op, weight: [Int]) {
    guard weight.count >= 2 else { return }
    let area = weight.dropFirst(2).reduce(1.0) { $0 * Double($1) }
    let (first, second) = (Double(weight[0]), Double(weight[1]))
    pytorch = second * area
    keras = (in: second * area, out: first * area)
    effective = second * area
    if case .transposedConvolution(let c) = op {
      let stride = Double(c.stride.height) * Double(c.stride.width)
      // A window smaller than the stride leaves pixels that nothing reaches; the others receive one
      // product.
      effective = first / Double(c.groups) * max(area / stride, 1)
    }
  }
}

/// The last layers of a network's residual branches, and of the network itself.
///
/// The sum of a skip connection and a branch starts near the identity if the branch starts small.
/// The residual branch is the operand used only by the addition and produced by a parameterised
/// layer through linear operations. A skip connection is also used elsewhere, or comes from an
/// input, an activation or another sum.
struct ResidualBranchOutputs {
  /// The parameters of the branches' last layers: those that set the strength of the branch.
  private(set) var ofBranches: Set<String> = []
  /// The same for the layers that give the network's outputs.
  private(set) var ofNetwork: Set<String> = []

  private let graph: Graph
  /// The number of nodes and outputs that use each value.
  private var uses: [Int]
  /// The length of the longest path to each value, in nodes.
  private var depths: [Int]

  init(_ graph: Graph) {
    self.graph = graph
    uses = [Int](repeating: 0, count: graph.valueCount)
    depths = [Int](repeating: 0, count: graph.inputs.count)
    for node in graph.nodes {
      for value in Set(node.inputs) { uses[value] += 1 }
      depths.append(1 + (node.inputs.map { depths[$0] }.max() ?? 0))
    }
    for output in graph.outputs { uses[output.value] += 1 }
    for node in graph.nodes {
      guard let branch = branch(of: node) else { continue }
      ofBranches.formUnion(end(of: branch, through: Self.isLinear))
    }
    for output in graph.outputs { ofNetwork.formUnion(lastLayers(output.value)) }
  }

  /// The operand of a sum or difference that is a branch; nil if there is none, or for other nodes.
  /// If both are, as when the skip connection is a projection, the one with the longer path.
  private func branch(of node: Graph.Node) -> Int? {
    let operands: [Int]
    switch node.op {
    case .binary(.add): operands = node.inputs
    // A network whose output is subtracted from its input, as in denoising.
    case .binary(.subtract): operands = Array(node.inputs.dropFirst())
    default: return nil
    }
    let candidates = operands.filter {
      uses[$0] == 1 && !end(of: $0, through: Self.isLinear).isEmpty
    }
    return candidates.max { depths[$0] < depths[$1] }
  }

  private func node(_ value: Int) -> Graph.Node? {
    value < graph.inputs.count ? nil : graph.nodes[value - graph.inputs.count]
  }

  /// The weight of the layer that produces a value through operations that `passes` accepts; empty
  /// if there is no such layer, or if its values are also used elsewhere.
  private func end(of value: Int, through passes: (Op) -> Bool) -> [String] {
    var value = value
    while uses[value] == 1, let node = node(value) {
      switch node.op {
      // One that training leaves as it is only moves the values on.
      case .convolution where isFrozen(node): value = node.inputs[0]
      case .convolution, .transposedConvolution, .linear: return Array(node.parameters.prefix(1))
      // The strength before a normalisation does not matter: the normalisation's own scale decides.
      case .batchNormalization(let normalization):
        return normalization.scale ? Array(node.parameters.prefix(1)) : []
      default:
        guard passes(node.op) else { return [] }
        value = node.inputs[0]
      }
    }
    return []
  }

  private func isFrozen(_ node: Graph.Node) -> Bool {
    !node.parameters.isEmpty && node.parameters.allSatisfy(graph.frozen.contains)
  }

  /// The last layers before an output: through a sum into its branch, and through activations.
  private func lastLayers(_ value: Int) -> [String] {
    var value = value
    while let node = node(value) {
      if let branch = branch(of: node) {
        value = branch
        continue
      }
      let found = end(of: value) { _ in false }
      if !found.isEmpty { return found }
      guard uses[value] == 1,
        Self.isLinear(node.op) || Self.passesGradients(node.op) || isFrozen(node)
      else {
        return []
      }
      value = node.inputs[0]
    }
    return []
  }

  /// Operations with one input that move or scale values.
  private static func isLinear(_ op: Op) -> Bool {
    switch op {
    case .scale, .offset, .pixelShuffle, .pixelUnshuffle, .crop, .pad, .dropout, .slice, .reshape,
      .permute, .roll, .padToMultiple, .cropToSize, .padDimension, .stridedSlice, .tile:
      true
    case .resize(let resize): resize.target != .sizeOfSecondInput
    default: false
    }
  }

  /// Activations behind which a layer of zeros can learn: behind a ReLU it would stay zero.
  /// Clamping is allowed, because what it clamps is the sum with a skip connection.
  private static func passesGradients(_ op: Op) -> Bool {
    switch op {
    case .activation(.sigmoid), .activation(.tanh), .activation(.silu), .activation(.gelu),
      .activation(.elu), .activation(.leakyRelu), .prelu:
      true
    case .activation(.clamp(let minimum, let maximum)): minimum <= 0 && maximum >= 0
    default: false
    }
  }
}
