public import AviaryGraph

/// How convolutions multiply 8-bit integers: scales found once, by calibration.
///
/// A number x stands for round(x / scale), limited to 0...255 where it is never negative, else to
/// -127...127; weights have a scale for each output channel. There is no zero point: 0 is 0.
public struct Quantization: Hashable, Sendable {
  /// The convolutions that do, by the names of their nodes. All others calculate as the options of
  /// the plan say.
  public var layers: [String: Layer]

  /// Convolutions of these names.
  public init(_ layers: [String: Layer] = [:]) { self.layers = layers }

  /// One convolution, transposed or not.
  public struct Layer: Hashable, Sendable {
    /// The quantization scale of its input.
    public var inputScale: Float
    /// Whether its input may be negative.
    public var isSigned: Bool
    /// The quantization scales of its weights, one for each output channel. The weights are those
    /// that the engine calculates with: scales and normalisations that follow are multiplied into
    /// them.
    public var weightScales: [Float]

    /// A convolution with these scales.
    public init(inputScale: Float, isSigned: Bool, weightScales: [Float]) {
      self.inputScale = inputScale
      self.isSigned = isSigned
      self.weightScales = weightScales
    }

    /// The data type of its input.
    var dataType: DataType {
      isSigned ? .int8(scale: inputScale) : .uint8(scale: inputScale)
    }

    /// The largest integer of a weight.
    static let mostWeight: Float = 127
  }
}

extension Quantization.Layer {
  /// The same for a processor that sums pairs of products in 16 bits, which unsigned inputs would
  /// overflow: weights with 7 bits. oneDNN sees to signed ones itself.
  func fitting(sumsInWords: Bool) -> Quantization.Layer {
    guard sumsInWords, !isSigned else { return self }
    var layer = self
    layer.weightScales = weightScales.map { $0 * 2 }
    return layer
  }
}

extension Quantization {
  /// A convolution that can multiply integers.
  public struct Candidate: Hashable, Sendable {
    /// The name of its node.
    public var name: String
    /// The value of the graph that it takes.
    public var input: Int
    /// The scales of its weights: the largest weight of each output channel becomes 127.
    public var weightScales: [Float]
  }

  /// The convolutions of a network that gain by multiplying integers, in order of execution:
  /// those whose channels, in and out, fill a register, and that are not dilated.
  ///
  /// - Parameters:
  ///   - weights: all parameters of the graph.
  ///   - inputShapes: any that the network can run on.
  /// - Throws: `ComputeError`, as `Plan.init`.
  public static func candidates(
    in graph: Graph, weights: PackedWeights, inputShapes: [[Int]]
  ) throws(ComputeError) -> [Candidate] {
    let (graph, shapes) = try LoweredGraph.expanded(graph, for: inputShapes)
    var ir = try IRGraph(graph, shapes: shapes, outputs: nil)
    // Scales and normalisations go into the weights, whose largest values are wanted.
    ir.fuse()
    try weights.check(graph, ir)
    var candidates: [Candidate] = []
    for fusedOp in ir.fusedOps where fusedOp.kind.outChannels != nil {
      let channels = ir.values[fusedOp.inputs[0]].shape
      let source: WeightPacking
      switch fusedOp.kind {
      case .convolution(let c, let flipped):
        source = WeightPacking(fusedOp, c, channels: channels[1], flipped: flipped)
      case .transposedConvolution(let c):
        source = WeightPacking(fusedOp, c, channels: channels[1])
      default: continue
      }
      guard source.groups == 1, min(source.outChannels, source.channels) >= MemoryFormat.block
      else {
        continue
      }
      candidates.append(
        Candidate(
          name: fusedOp.name, input: fusedOp.inputs[0], weightScales: try source.steps(weights)))
    }
    return candidates
  }
}

extension WeightPacking {
  /// What one integer is worth in each output channel, if the largest weight becomes the largest
  /// integer.
  fileprivate func steps(_ weights: PackedWeights) throws(ComputeError) -> [Float] {
    let constant = kernel(
      rows: allRows, columns: allColumns, try MemoryDescriptor([1], .nchw))
    let values = try constant.make(weights)
    let length = values.count / outChannels
    return (0..<outChannels).map { filter in
      let largest = values[filter * length..<(filter + 1) * length].reduce(0) {
        max($0, $1.magnitude)
      }
      // Output channels of zeros, or without weights: any scale does.
      return largest.isFinite && largest > 0x1p-90 ? largest / Quantization.Layer.mostWeight : 1
    }
  }
}
