import AviaryGraph

/// A scale and a shift per channel, as a node of the graph states it.
enum ScaleShiftStage: Hashable {
  /// Batch normalisation by running statistics, with the names of its parameters.
  case normalization(BatchNormalization, [String])
  /// One factor, or one a channel.
  case scale([Double])
  /// One summand, or one a channel.
  case offset([Double])
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
