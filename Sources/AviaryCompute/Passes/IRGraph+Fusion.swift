import AviaryGraph

extension IRGraph {
  /// Makes one fused op of several: scales and shifts go into the weights of the convolution before
  /// them, cheap activations and the addition of another value into its epilogue.
  ///
  /// - Parameter isTraining: whether weights have gradients, so that nothing may be folded into
  ///   them.
  mutating func fuse(isTraining: Bool = false) {
    var fusion = Fusion(self, foldsScaleShift: !isTraining)
    fusion.run()
    fusedOps = fusion.result
  }
}

/// The work of `IRGraph.fuse`.
private struct Fusion {
  private let ir: IRGraph
  private var fusedOps: [FusedOp]
  /// Which fused ops are done by others.
  private var isGone: [Bool]
  /// The position of the fused op that gives a value.
  private var producer: [Int?]
  private let uses: [Int]
  private let foldsScaleShift: Bool

  init(_ ir: IRGraph, foldsScaleShift: Bool) {
    self.ir = ir
    self.foldsScaleShift = foldsScaleShift
    fusedOps = ir.fusedOps
    isGone = Array(repeating: false, count: ir.fusedOps.count)
    producer = Array(repeating: nil, count: ir.values.count)
    uses = ir.useCounts
  }

  /// The fused ops that are left.
  var result: [FusedOp] { zip(fusedOps, isGone).filter { !$1 }.map(\.0) }

  /// One pass in order of execution: what follows a fused op finds it as the producer of its input,
  /// so that convolution, batch normalisation, activation and addition all come together.
  mutating func run() {
    for position in fusedOps.indices {
      producer[fusedOps[position].output] = position
      switch fusedOps[position].kind {
      case .scaleShift where foldsScaleShift: fuseScaleShift(position)
      case .other(.activation(let activation)): fuse(activation, position)
      case .other(.prelu): fuseSlopes(position)
      case .other(.binary(.add)): fuseAddition(position)
      case .other(.binary(.multiply)) where foldsScaleShift: foldLearnedScale(position)
      default: break
      }
    }
  }

  /// The fused op that gives a value which nobody else takes.
  private func onlyProducer(_ value: Int) -> Int? { uses[value] == 1 ? producer[value] : nil }

  /// Lets the fused op at `position` be done by the one before it.
  private mutating func replace(_ position: Int, with before: Int) {
    fusedOps[before].output = fusedOps[position].output
    producer[fusedOps[position].output] = before
    isGone[position] = true
  }

  private mutating func fuseScaleShift(_ position: Int) {
    guard let before = onlyProducer(fusedOps[position].inputs[0]) else { return }
    let takes =
      fusedOps[before].kind == .scaleShift
      || fusedOps[before].kind.isConvolution && fusedOps[before].epilogue.isEmpty
    guard takes else { return }
    fusedOps[before].scaleShift += fusedOps[position].scaleShift
    replace(position, with: before)
  }

  /// A convolution's result times a learned number for each channel (layer scale).
  private mutating func foldLearnedScale(_ position: Int) {
    let product = fusedOps[position]
    let (a, b) = (product.inputs[0], product.inputs[1])
    for (value, constant) in [(a, b), (b, a)] {
      guard let source = producer[constant], case .other(.learnedConstant) = fusedOps[source].kind,
        let before = onlyProducer(value), fusedOps[before].kind.isConvolution,
        fusedOps[before].epilogue.isEmpty,
        ir.values[value].shape == ir.values[product.output].shape,
        let channels = ir.values[value].shape.dropFirst().first,
        [[1, channels, 1, 1], [1, 1, 1, 1]].contains(ir.values[constant].shape)
      else { continue }
      fusedOps[before].scaleShift.append(.learnedScale(fusedOps[source].parameters[0]))
      replace(position, with: before)
      isGone[source] = uses[constant] == 1
      return
    }
  }

  private mutating func fuse(_ activation: Activation, _ position: Int) {
    guard activation.cheap != nil, let before = onlyProducer(fusedOps[position].inputs[0]),
      fusedOps[before].kind.isConvolution
    else { return }
    if fusedOps[before].epilogue.isEmpty {
      fusedOps[before].epilogue.activation = activation
    } else if fusedOps[before].epilogue.residual != nil,
      fusedOps[before].epilogue.finalActivation == nil
    {
      fusedOps[before].epilogue.finalActivation = activation
    } else {
      return
    }
    replace(position, with: before)
  }

  private mutating func fuseSlopes(_ position: Int) {
    guard let before = onlyProducer(fusedOps[position].inputs[0]),
      fusedOps[before].kind.isConvolution,
      fusedOps[before].epilogue.isEmpty
    else { return }
    fusedOps[before].epilogue.slopes = fusedOps[position].parameters[0]
    replace(position, with: before)
  }

  private mutating func fuseAddition(_ position: Int) {
    let addition = fusedOps[position]
    let (a, b) = (addition.inputs[0], addition.inputs[1])
    guard a != b, ir.values[a].shape == ir.values[b].shape else { return }
    let candidates = [(a, b), (b, a)].compactMap { result, other -> (fusedOp: Int, other: Int)? in
      // What comes from outside may not be written over, as adding in place would.
      guard let before = onlyProducer(result), fusedOps[before].kind.isConvolution,
        fusedOps[before].epilogue.residual == nil, fusedOps[before].epilogue.slopes == nil,
        !ir.inputs.contains(other)
      else { return nil }
      return (before, other)
    }
    // Of two convolutions, the later: it finds the other's result in place.
    guard let chosen = candidates.max(by: { $0.fusedOp < $1.fusedOp }) else { return }
    var fusedOp = fusedOps[chosen.fusedOp]
    fusedOp.epilogue.residual = chosen.other
    fusedOp.output = addition.output
    // At the place of the addition, where the other summand is there in any case.
    fusedOps[position] = fusedOp
    isGone[chosen.fusedOp] = true
    producer[fusedOp.output] = position
  }
}

/// A scale and a shift per channel, as a node of the graph states it.
enum ScaleShiftStage: Hashable {
  /// Batch normalisation by running statistics, with the names of its parameters.
  case normalization(BatchNormalization, [String])
  /// One factor, or one a channel.
  case scale([Double])
  /// One summand, or one a channel.
  case offset([Double])
  /// A learned factor, or one a channel: the parameter's name.
  case learnedScale(String)

  /// The names of the parameters.
  var parameters: [String] {
    switch self {
    case .normalization(_, let names): names
    case .learnedScale(let name): [name]
    case .scale, .offset: []
    }
  }
}

/// y = scale · x + shift, per channel.
struct ScaleShift {
  var scale: [Double]
  var shift: [Double]

  /// Several stages as one. In double precision, so that folding costs no accuracy.
  init(
    _ stages: [ScaleShiftStage], channels: Int, _ weights: PackedWeights
  ) throws(ComputeError) {
    scale = [Double](repeating: 1, count: channels)
    shift = [Double](repeating: 0, count: channels)
    for stage in stages {
      switch stage {
      case .scale(let factors):
        for i in 0..<channels { apply(factors[factors.count == 1 ? 0 : i], 0, to: i) }
      case .offset(let summands):
        for i in 0..<channels { apply(1, summands[summands.count == 1 ? 0 : i], to: i) }
      case .learnedScale(let name):
        let factors = try weights.values(name)
        for i in 0..<channels { apply(Double(factors[factors.count == 1 ? 0 : i]), 0, to: i) }
      case .normalization(let normalization, let names):
        // In the order of the operation's parameters, of which the first two may be absent.
        var names = names[...]
        func next(_ isThere: Bool = true) throws(ComputeError) -> [Float]? {
          guard isThere, let name = names.popFirst() else { return nil }
          return try weights.values(name)
        }
        let weight = try next(normalization.scale)
        let bias = try next(normalization.center)
        guard let mean = try next(), let variance = try next() else {
          preconditionFailure("batch normalisation has a mean and a variance")
        }
        for i in 0..<channels {
          let factor =
            Double(weight?[i] ?? 1) / (Double(variance[i]) + normalization.epsilon).squareRoot()
          apply(factor, Double(bias?[i] ?? 0) - Double(mean[i]) * factor, to: i)
        }
      }
    }
  }

  private mutating func apply(_ factor: Double, _ summand: Double, to channel: Int) {
    scale[channel] *= factor
    shift[channel] = shift[channel] * factor + summand
  }
}
