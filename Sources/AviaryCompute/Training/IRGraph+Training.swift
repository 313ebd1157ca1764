import AviaryGraph

extension IRGraph {
  /// Adds what a training's forward pass gives beside its outputs: statistics of batches, for the way
  /// back and for the running ones; and takes beside its inputs: a seed for what dropout drops.
  mutating func prepareForTraining() {
    // What is not a picture itself is one of one pixel, which lies the same in every memory format, so that
    // it binds no fused op to one.
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
