import AviaryGraph

/// A graph on its way to becoming a plan: fused ops in order of execution, and the values
/// between them.
struct IRGraph {
  /// A value between fused ops.
  struct Value {
    var shape: [Int]
    /// How it lies in memory, and in which data type; decided by `assignMemoryFormats`.
    var format = TensorFormat(memoryFormat: .nchw)
    var memoryFormat: MemoryFormat { format.memoryFormat }
    /// The integers in which all that take it want it; nil where not all do.
    var integerType: DataType?
    /// Whether something wants it as it is.
    var isWantedWide = false

    var count: Int { shape.reduce(1, *) }
    /// Whether it is an image, NCHW.
    var isImage: Bool { shape.count == 4 }
  }

  var values: [Value]
  var fusedOps: [FusedOp]
  /// The graph's inputs, in its order, whether used or not.
  let inputs: [Int]
  /// The values asked for, with their names: those of the forward pass, then those of the backward
  /// pass.
  var outputs: [Graph.Output]
  /// How many of the outputs the forward pass gives.
  var forwardOutputs: Int
  /// The gradients with which a training's backward pass begins, one for each of the outputs.
  var seeds: [Int] = []
  /// The new values of running statistics that a training's forward pass gives, by the parameters'
  /// names.
  var statistics: [Graph.Output] = []
  /// The value that holds the seed of what dropout drops; nil where nothing drops.
  var dropoutSeed: Int?

  /// The fused ops that the outputs asked for need, one for each node.
  ///
  /// - Parameters:
  ///   - graph: one without expansions.
  ///   - shapes: those of all values of the graph.
  ///   - wanted: the names of the outputs wanted; nil for all. In training any node may be one.
  ///   - isTraining: whether normalisation is by the batch, and dropout drops.
  /// - Throws: `ComputeError.unknownOutput`, `.tooLarge`.
  init(
    _ graph: Graph, shapes: [[Int]], outputs wanted: [String]?, isTraining: Bool = false
  ) throws(ComputeError) {
    var outputs = graph.outputs
    if let wanted {
      outputs = []
      for name in wanted {
        let inner =
          isTraining ? graph.nodes.firstIndex { $0.name == name } : nil
        guard
          let output = graph.outputs.first(where: { $0.name == name })
            ?? inner.map({ Graph.Output(name, value: graph.inputs.count + $0) })
        else {
          throw .unknownOutput(name, known: graph.outputs.map(\.name))
        }
        outputs.append(output)
      }
    }
    // Indices into a value are 32 bits wide in places of oneDNN.
    for (value, shape) in shapes.enumerated()
    where shape.reduce(1, { $0.multipliedSaturated(by: $1) }) >= 1 << 31 {
      throw .tooLarge(node: graph.name(ofValue: value), shape: shape)
    }
    values = shapes.map { Value(shape: $0) }
    inputs = Array(graph.inputs.indices)
    forwardOutputs = outputs.count
    (fusedOps, self.outputs) = IRGraph.fusedOps(of: graph, outputs, isTraining: isTraining)
  }

  private static func fusedOps(
    of graph: Graph, _ outputs: [Graph.Output], isTraining: Bool
  ) -> ([FusedOp], [Graph.Output]) {
    var needed = [Bool](repeating: false, count: graph.valueCount)
    for output in outputs { needed[output.value] = true }
    for (position, node) in graph.nodes.enumerated().reversed()
    where needed[graph.inputs.count + position] {
      for value in operands(of: node) { needed[value] = true }
    }
    // Dropout does nothing in inference: who takes its result takes its input.
    var standsFor = Array(0..<graph.valueCount)
    var fusedOps: [FusedOp] = []
    for (position, node) in graph.nodes.enumerated() {
      let value = graph.inputs.count + position
      guard needed[value] else { continue }
      if case .dropout = node.op, !isTraining {
        standsFor[value] = standsFor[node.inputs[0]]
        continue
      }
      fusedOps.append(
        fusedOp(
          node, inputs: operands(of: node).map { standsFor[$0] }, output: value,
          isTraining: isTraining))
    }
    return (fusedOps, outputs.map { Graph.Output($0.name, value: standsFor[$0.value]) })
  }

  /// The values that an operation reads: not those whose size alone matters to it.
  private static func operands(of node: Graph.Node) -> [Int] {
    let skipped = node.op.operation.inputsOfSizeOnly
    return skipped.isEmpty
      ? node.inputs
      : node.inputs.enumerated().filter { !skipped.contains($0.offset) }.map(\.element)
  }

  private static func fusedOp(
    _ node: Graph.Node, inputs: [Int], output: Int, isTraining: Bool
  ) -> FusedOp {
    var fusedOp = FusedOp(
      name: node.name, kind: .other(node.op), inputs: inputs, output: output,
      parameters: node.parameters)
    switch node.op {
    case .convolution(let c):
      fusedOp.kind = .convolution(c, flipped: false)
    case .transposedConvolution(let c):
      fusedOp.kind =
        c.asConvolution.map { .convolution($0, flipped: true) } ?? .transposedConvolution(c)
    case .batchNormalization(let normalization) where !isTraining:
      fusedOp.kind = .scaleShift
      fusedOp.scaleShift = [.normalization(normalization, node.parameters)]
    case .scale(let operation):
      fusedOp.kind = .scaleShift
      fusedOp.scaleShift = [.scale(operation.values)]
    case .offset(let operation):
      fusedOp.kind = .scaleShift
      fusedOp.scaleShift = [.offset(operation.values)]
    default: break
    }
    return fusedOp
  }

  /// The names of all parameters that fused ops use.
  var parameterNames: [String] {
    fusedOps.flatMap { $0.before + [$0] }.flatMap { fusedOp in
      fusedOp.parameters + [fusedOp.epilogue.slopes].compactMap { $0 }
        + fusedOp.scaleShift.flatMap(\.parameters)
    }
  }

  /// How many fused ops and outputs take each value.
  var useCounts: [Int] {
    var counts = [Int](repeating: 0, count: values.count)
    for fusedOp in fusedOps {
      for value in fusedOp.inputs { counts[value] += 1 }
      if let residual = fusedOp.epilogue.residual { counts[residual] += 1 }
    }
    for output in outputs { counts[output.value] += 1 }
    return counts
  }
}

extension TransposedConvolution {
  /// The convolution with flipped kernel that this is at stride 1; nil where it is none (at another
  /// stride, or where its padding reaches further than the kernel).
  fileprivate var asConvolution: Convolution? {
    guard stride == 1 else { return nil }
    let (height, width) = (reach(.vertical) - 1, reach(.horizontal) - 1)
    let amounts = PaddingAmounts(
      height - padding.top, width - padding.left, height - padding.bottom, width - padding.right)
    // Neither cut more than there is, nor padded with more than a kernel's reach.
    guard
      [amounts.top, amounts.bottom].allSatisfy((0...height).contains),
      [amounts.left, amounts.right].allSatisfy((0...width).contains)
    else { return nil }
    return Convolution(
      outChannels: outChannels, kernel: kernel, dilation: dilation, groups: groups,
      padding: .explicit(amounts), bias: bias)
  }
}

extension Int {
  /// The product, or the largest number where it overflows.
  func multipliedSaturated(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
