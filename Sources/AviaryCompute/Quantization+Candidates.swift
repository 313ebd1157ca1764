public import AviaryGraph

extension Quantization {
  /// A convolution that can multiply whole numbers.
  public struct Candidate: Hashable, Sendable {
    /// The name of its node.
    public var name: String
    /// The value of the graph that it takes.
    public var input: Int
    /// The steps of its weights: the largest of each output channel is 127.
    public var weightSteps: [Float]
  }

  /// The convolutions of a network that gain by multiplying whole numbers, in order of execution:
  /// those whose channels, in and out, fill a register, and that are not dilated.
  ///
  /// - Parameters:
  ///   - weights: all parameters of the graph.
  ///   - inputShapes: any that the network can run on.
  /// - Throws: `ComputeError`, as `Plan.init`.
  public static func candidates(
    in graph: Graph, weights: PreparedWeights, inputShapes: [[Int]]
  ) throws(ComputeError) -> [Candidate] {
    let (graph, shapes) = try LoweredGraph.expanded(graph, for: inputShapes)
    var program = try Program(graph, shapes: shapes, outputs: nil)
    // Scales and normalisations go into the weights, whose largest values are wanted.
    program.fuse()
    try weights.check(graph, program)
    var candidates: [Candidate] = []
    for unit in program.units where unit.work.outChannels != nil {
      let channels = program.values[unit.inputs[0]].shape
      let source: KernelSource
      switch unit.work {
      case .convolution(let c, let flipped):
        source = KernelSource(unit, c, channels: channels[1], flipped: flipped)
      case .transposedConvolution(let c):
        source = KernelSource(unit, c, channels: channels[1])
      default: continue
      }
      guard source.groups == 1, min(source.outChannels, source.channels) >= Layout.block else {
        continue
      }
      candidates.append(
        Candidate(
          name: unit.name, input: unit.inputs[0], weightSteps: try source.steps(weights)))
    }
    return candidates
  }
}

extension KernelSource {
  /// What a whole number is worth in each filter, if the largest weight is the largest of them.
  fileprivate func steps(_ weights: PreparedWeights) throws(ComputeError) -> [Float] {
    let constant = kernel(
      rows: allRows, columns: allColumns, try MemoryDescriptor([1], .planar))
    let values = try constant.make(weights)
    let length = values.count / outChannels
    return (0..<outChannels).map { filter in
      let largest = values[filter * length..<(filter + 1) * length].reduce(0) {
        max($0, $1.magnitude)
      }
      // A filter of zeros, or of no numbers: any step does.
      return largest.isFinite && largest > 0x1p-90 ? largest / Quantization.Layer.mostWeight : 1
    }
  }
}
