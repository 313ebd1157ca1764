internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

/// Runs a network on the calibration images and observes its intermediate values.
struct CalibrationProbe {
  private let graph: Graph
  private let output: Graph.Output
  private let inputs: [Tensor]
  private let weights: PackedWeights
  private let engine: Engine
  private let candidates: [Quantization.Candidate]

  init(_ model: Model, output: Int, inputs: [Tensor], threads: Int?) throws {
    // Layers that an expansion is made of can be quantised too.
    graph = try model.graph.expanded().graph
    self.output = graph.outputs[output]
    self.inputs = inputs
    weights = PackedWeights(Dictionary(model.weights.map { ($0.name, $0.tensor) }) { $1 })
    engine = try Engine(threads: threads)
    candidates = try Quantization.candidates(
      in: graph, weights: weights, inputShapes: [inputs[0].shape])
  }

  /// The layers that can be quantized, with the scales that fit their inputs.
  func layers(progress: (Double) -> Void) throws -> [QuantizedLayer] {
    if candidates.isEmpty { return [] }
    // Several layers may share an input.
    let values = Set(candidates.map(\.input)).sorted()
    let probed = try Graph(
      inputs: graph.inputs, nodes: graph.nodes,
      outputs: values.map { Graph.Output("value \($0)", value: $0) })
    var statistics = values.map { _ in InputStatistics() }
    try run(probed, nil, nil, progress) { _, results in
      for (position, value) in values.enumerated() {
        guard let tensor = results["value \(value)"] else { continue }
        unsafe tensor.withFloats { unsafe statistics[position].add($0) }
      }
    }
    let steps = Dictionary(
      uniqueKeysWithValues: zip(values, statistics.map { ($0.step, $0.isSigned) }))
    return candidates.compactMap { candidate in
      steps[candidate.input].map { step, isSigned in
        QuantizedLayer(
          node: candidate.name, inputScale: step, isSigned: isSigned,
          weightScales: candidate.weightScales)
      }
    }
  }

  /// For each layer, the mean squared error of the network's output if only that layer is
  /// quantized.
  func errors(of layers: [QuantizedLayer], progress: (Double) -> Void) throws -> [Double] {
    var expected: [Tensor] = []
    try run(graph, [output.name], nil, { _ in }) { _, results in
      if let result = results[output.name] { expected.append(result) }
    }
    var errors: [Double] = []
    for (position, layer) in layers.enumerated() {
      progress(Double(position) / Double(layers.count))
      var sum = 0.0
      try run(graph, [output.name], Quantization([layer]), { _ in }) { position, results in
        guard let result = results[output.name] else { return }
        sum += expected[position].squaredDifference(from: result)
      }
      errors.append(sum / Double(inputs.count))
    }
    return errors
  }

  /// Runs the network on all images, with one plan at a time for each size.
  private func run(
    _ graph: Graph, _ outputs: [String]?, _ quantization: Quantization?,
    _ progress: (Double) -> Void,
    _ body: (Int, [String: Tensor]) throws -> Void
  ) throws {
    var plan: Plan?
    var shape: [Int] = []
    for (position, input) in inputs.enumerated() {
      progress(Double(position) / Double(inputs.count))
      if input.shape != shape {
        plan = nil
        plan = try Plan(
          graph, weights: weights, inputShapes: [input.shape], outputs: outputs,
          options: PlanOptions(quantization: quantization), engine: engine)
        shape = input.shape
      }
      guard let results = try plan?.run([graph.inputs[0].name: input]) else {
        preconditionFailure("a plan was made")
      }
      try body(position, results)
    }
  }
}

extension Quantization {
  /// The layers that a checkpoint keeps.
  init(_ layers: [QuantizedLayer]) {
    self.init(
      Dictionary(
        layers.map {
          (
            $0.node,
            Layer(
              inputScale: $0.inputScale, isSigned: $0.isSigned, weightScales: $0.weightScales)
          )
        }
      ) { $1 })
  }
}

extension Tensor {
  /// The mean of the squared differences of elements.
  fileprivate func squaredDifference(from other: Tensor) -> Double {
    unsafe withFloats { a in
      unsafe other.withFloats { b in
        var sum = 0.0
        for i in 0..<min(a.count, b.count) {
          let difference = unsafe Double(a[i] - b[i])
          sum += difference * difference
        }
        return sum / Double(max(a.count, 1))
      }
    }
  }
}
