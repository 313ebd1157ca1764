import AviaryGraph

extension IRGraph {
  /// Makes steps on tokens: of windowed attention, which a graph for inference still has as one
  /// operation, with the linear layers and normalisations around it, and of linear layers with what
  /// stands beside them.
  ///
  /// - Parameter precision: in which products multiply; everything else is float32.
  mutating func fuseTokens(_ precision: Precision) {
    placeAttention()
    var fusion = TokenFusion(self)
    fusion.run()
    fusedOps = fusion.result
    guard precision == .bfloat16 else { return }
    for position in fusedOps.indices {
      guard case .tokens(let step) = fusedOps[position].kind else { continue }
      fusedOps[position].kind = .tokens(step.narrowed)
    }
  }

  /// Makes steps on tokens of windowed attention, with permutes around them, and leaves out permutes
  /// that undo one another.
  private mutating func placeAttention() {
    var result: [FusedOp] = []
    // The tokens of an image, and what stands for a value that is another.
    var tokens: [Int: Int] = [:]
    var standsFor: [Int: Int] = [:]
    // What an image has some of the channels of, and the first of them.
    var slices: [Int: (of: Int, start: Int)] = [:]
    func permuted(_ value: Int, _ permute: Permute, to output: Int, _ name: String) -> FusedOp {
      FusedOp(
        name: name, kind: .other(.permute(permute)), inputs: [value], output: output,
        parameters: [])
    }
    for var fusedOp in fusedOps {
      fusedOp.inputs = fusedOp.inputs.map { standsFor[$0] ?? $0 }
      switch fusedOp.kind {
      case .other(.permute(.toTokens)):
        if let known = tokens[fusedOp.inputs[0]] {
          standsFor[fusedOp.output] = known
          continue
        }
        tokens[fusedOp.inputs[0]] = fusedOp.output
      case .other(.permute(.toImage)): tokens[fusedOp.output] = fusedOp.inputs[0]
      case .other(.slice(let slice)):
        let inner = slices[fusedOp.inputs[0]] ?? (fusedOp.inputs[0], 0)
        slices[fusedOp.output] = (inner.of, inner.start + slice.start)
      case .other(.expansion(let expansion)):
        guard let attention = expansion.operation as? WindowAttention else { break }
        let table = attention.positionBias == .input ? fusedOp.inputs.suffix(1) : []
        let shapes = fusedOp.inputs.dropLast(table.count).map { values[$0].shape }
        // Channels are taken where they lie in what they are a part of.
        let parts = fusedOp.inputs.dropLast(table.count).map { slices[$0] ?? ($0, 0) }
        let images = parts.map(\.of)
        for image in images where tokens[image] == nil {
          let shape = Permute.toTokens.order.map { values[image].shape[$0] }
          values.append(Value(shape: shape))
          tokens[image] = values.count - 1
          result.append(permuted(image, .toTokens, to: values.count - 1, fusedOp.name))
        }
        let (image, output) = (fusedOp.output, values[fusedOp.output].shape)
        values.append(Value(shape: Permute.toTokens.order.map { output[$0] }))
        let channels = shapes.count == 1 ? shapes[0][1] / 3 : shapes[0][1]
        fusedOp.kind = .tokens(
          .attention(
            TokenAttention(
              attention: attention, size: channels / attention.heads,
              valueSize: output[1] / attention.heads, starts: parts.map(\.start))))
        fusedOp.inputs = images.compactMap { tokens[$0] } + table
        fusedOp.output = values.count - 1
        tokens[image] = fusedOp.output
        result.append(fusedOp)
        fusedOp = permuted(fusedOp.output, .toImage, to: image, fusedOp.name)
      default: break
      }
      result.append(fusedOp)
    }
    for i in outputs.indices { outputs[i].value = standsFor[outputs[i].value] ?? outputs[i].value }
    fusedOps = result
    dropUnused()
  }

  /// Leaves out permutes and slices whose result nobody takes.
  private mutating func dropUnused() {
    var uses = useCounts
    for position in fusedOps.indices.reversed() where uses[fusedOps[position].output] == 0 {
      switch fusedOps[position].kind {
      case .other(.permute), .other(.slice): break
      default: continue
      }
      uses[fusedOps[position].inputs[0]] -= 1
      fusedOps.remove(at: position)
    }
  }
}

/// The work of `IRGraph.fuseTokens`: one pass in order of execution, in which what follows a step
/// finds it as the producer of its input.
private struct TokenFusion {
  private let ir: IRGraph
  /// The fused ops that are left; nil for one that is done by a later one.
  private var fusedOps: [FusedOp?]
  /// The linear layers of which nothing but a step came, to be put back.
  private var plain: [Int: FusedOp] = [:]
  /// The position of the fused op that gives a value.
  private var producer: [Int?]
  private let uses: [Int]

  /// The fewest tokens that pay: fewer do not fill the kernel's blocks.
  private static let fewest = 64

  init(_ ir: IRGraph) {
    self.ir = ir
    fusedOps = ir.fusedOps
    producer = Array(repeating: nil, count: ir.values.count)
    uses = ir.useCounts
  }

  var result: [FusedOp] {
    fusedOps.enumerated().compactMap { position, fusedOp in
      guard case .tokens(.chain(let chain)) = fusedOp?.kind, chain.isPlain else { return fusedOp }
      return plain[position]
    }
  }

  mutating func run() {
    for position in fusedOps.indices {
      guard let fusedOp = fusedOps[position] else { continue }
      producer[fusedOp.output] = position
      switch fusedOp.kind {
      case .other(.linear(let linear)): take(linear, fusedOp, position)
      case .other(.activation(.gelu(approximate: false))): takeGELU(fusedOp, position)
      case .other(.binary(.add)): takeAddition(fusedOp, position)
      case .tokens(.attention(let step)): takeProduct(fusedOp, step, position)
      default: break
      }
    }
  }

  /// The fused op that gives a value which nobody else takes, and where it stands.
  private func onlyProducer(_ value: Int) -> (fusedOp: FusedOp, position: Int)? {
    guard uses[value] == 1, let position = producer[value], let fusedOp = fusedOps[position] else {
      return nil
    }
    return (fusedOp, position)
  }

  /// Puts a step in the place of a fused op that it does along with another.
  private mutating func put(
    _ step: TokenStep, _ before: (fusedOp: FusedOp, position: Int), doing fusedOp: FusedOp,
    at position: Int, added: Int? = nil
  ) {
    var both = before.fusedOp
    both.kind = .tokens(step)
    both.output = fusedOp.output
    both.parameters += fusedOp.parameters
    if case .other(.linear) = fusedOp.kind { both.others.append(fusedOp.name) }
    if let added { both.inputs.append(added) }
    fusedOps[before.position] = nil
    fusedOps[position] = both
    producer[both.output] = position
  }

  /// A linear layer follows attention or the first product of a chain, or begins a chain.
  private mutating func take(_ linear: Linear, _ fusedOp: FusedOp, _ position: Int) {
    let shape = ir.values[fusedOp.inputs[0]].shape
    guard let inputs = shape.last, shape.dropLast().reduce(1, *) >= TokenFusion.fewest else {
      return
    }
    var product = TokenProduct(
      inputs: inputs, outputs: linear.outFeatures, hasBias: linear.bias)
    let before = onlyProducer(fusedOp.inputs[0])
    switch before?.fusedOp.kind {
    case .tokens(.attention(var step)) where step.last == nil && !step.adds:
      step.last = product
      if let before { put(.attention(step), before, doing: fusedOp, at: position) }
    case .tokens(.chain(var chain)) where chain.hasGELU && chain.second == nil && !chain.adds:
      chain.second = product
      if let before { put(.chain(chain), before, doing: fusedOp, at: position) }
    case .other(.layerNormalization(let normalization))
    where normalization.kind == .layer
      && normalization.range(rank: shape.count)
        == shape.count - 1..<shape.count:
      product.normalization = normalization
      var both = fusedOp
      both.kind = .tokens(.chain(TokenChain(first: product)))
      if let before {
        both.inputs = before.fusedOp.inputs
        both.parameters = before.fusedOp.parameters + fusedOp.parameters
        fusedOps[before.position] = nil
      }
      fusedOps[position] = both
    default:
      plain[position] = fusedOp
      var chain = fusedOp
      chain.kind = .tokens(.chain(TokenChain(first: product)))
      fusedOps[position] = chain
    }
  }

  private mutating func takeGELU(_ fusedOp: FusedOp, _ position: Int) {
    guard let before = onlyProducer(fusedOp.inputs[0]),
      case .tokens(.chain(var chain)) = before.fusedOp.kind, !chain.hasGELU, !chain.adds,
      chain.second == nil
    else { return }
    chain.hasGELU = true
    put(.chain(chain), before, doing: fusedOp, at: position)
  }

  private mutating func takeAddition(_ fusedOp: FusedOp, _ position: Int) {
    let (a, b) = (fusedOp.inputs[0], fusedOp.inputs[1])
    guard a != b, ir.values[a].shape == ir.values[b].shape else { return }
    for (value, other) in [(b, a), (a, b)] {
      guard let before = onlyProducer(value), case .tokens(var step) = before.fusedOp.kind,
        step.takesAddition
      else { continue }
      step.add()
      put(step, before, doing: fusedOp, at: position, added: other)
      return
    }
  }

  /// Queries, keys and values that one linear layer gives.
  private mutating func takeProduct(
    _ fusedOp: FusedOp, _ step: TokenAttention, _ position: Int
  ) {
    guard step.attention.keyMargin == 0, step.starts == [0], step.size == step.valueSize,
      ir.values[fusedOp.inputs[0]].shape.last == 3 * step.size * step.attention.heads,
      fusedOp.inputs.count == (step.attention.positionBias == .input ? 2 : 1),
      let before = onlyProducer(fusedOp.inputs[0]),
      case .tokens(.chain(let chain)) = before.fusedOp.kind, !chain.hasGELU, chain.second == nil,
      !chain.adds
    else { return }
    var (both, step) = (fusedOp, step)
    step.product = chain.first
    both.kind = .tokens(.attention(step))
    both.inputs[0] = before.fusedOp.inputs[0]
    both.parameters = before.fusedOp.parameters + fusedOp.parameters
    both.others = [before.fusedOp.name]
    fusedOps[before.position] = nil
    fusedOps[position] = both
  }
}

extension TokenStep {
  /// Whether something can be added to the result.
  fileprivate var takesAddition: Bool {
    switch self {
    case .chain(let chain): !chain.adds
    case .attention(let attention): !attention.adds
    }
  }

  /// The same with the last input added to the result.
  fileprivate mutating func add() {
    switch self {
    case .chain(var chain):
      chain.adds = true
      self = .chain(chain)
    case .attention(var attention):
      attention.adds = true
      self = .attention(attention)
    }
  }
}
