import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// The backward pass of whole networks against finite differences of the oracle.
@Suite struct GradientTests {
  /// Checks all gradients of a graph, for outputs weighted at random.
  ///
  /// - Parameters:
  ///   - shapes: those of the inputs; one serves all.
  ///   - values: what the inputs' values are drawn from.
  ///   - outputs: names of outputs or of nodes; nil for the outputs.
  ///   - isFast: whether oneDNN must have fast code for every step.
  func expectGradients(
    _ graph: Graph, _ shapes: [[Int]], values: ClosedRange<Float> = -1...1,
    outputs: [String]? = nil,
    of wanted: TrainingPlan.Wanted = [.parameters, .inputs], seed: UInt64 = 1, exact: Bool = false,
    isFast: Bool = true, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var generator = SplitMix64(seed: seed)
    let weights = randomWeights(for: graph, seed: seed &+ 1)
    var inputs: [String: Tensor] = [:]
    for (position, input) in graph.inputs.enumerated() {
      let shape = shapes.count == 1 ? shapes[0] : shapes[position]
      inputs[input.name] = generator.tensor(
        [shape[0], input.channels] + shape[2...], in: values)
    }
    var plan = try TrainingPlan(
      graph, inputShapes: graph.inputs.map { inputs[$0.name]?.shape ?? [] }, outputs: outputs,
      gradientsOf: wanted, options: PlanOptions(exact: exact), engine: Engine())
    var cotangents: [String: Tensor] = [:]
    for (name, shape) in plan.outputShapes.sorted(by: { $0.key < $1.key }) {
      cotangents[name] = generator.tensor(shape)
    }
    let slow = plan.steps.filter {
      $0.implementation.hasPrefix("ref")
    }
    #expect(!isFast || slow.isEmpty, "\(what): \(described(slow))", sourceLocation: sourceLocation)
    _ = try plan.forward(inputs, parameters: weights)
    let gradients = try plan.backward(cotangents)
    let learned = graph.parameters.filter { $0.role == .weight }.map(\.name)
    #expect(
      Set(gradients.parameters.keys) == Set(wanted.contains(.parameters) ? learned : []),
      sourceLocation: sourceLocation)
    #expect(
      Set(gradients.inputs.keys) == (wanted.contains(.inputs) ? Set(inputs.keys) : []),
      sourceLocation: sourceLocation)
    let differences = try FiniteDifferences(
      graph, weights: weights, inputs: inputs, cotangents: cotangents)
    let all = gradients.parameters.merging(gradients.inputs) { $1 }
    // What cancels altogether, as the gradient of a bias before a normalisation, leaves the
    // rounding errors of its summands, which are as large as those of its neighbours: float32 has
    // 6e-8 for each, of which a few tens come together. Float64 tells which those are.
    let largest = all.values.flatMap(\.floats).map { Double($0.magnitude) }.max() ?? 0
    for (name, gradient) in all.sorted(by: { $0.key < $1.key }) {
      // Along a direction that crosses a kink (another maximum, say) there is no derivative.
      var direction = generator.tensor(gradient.shape)
      var slopes = try differences.slopes(by: name, along: direction)
      for _ in 0..<3 where abs(slopes.above - slopes.below) > 1e-4 * abs(slopes.below) {
        direction = generator.tensor(gradient.shape)
        slopes = try differences.slopes(by: name, along: direction)
      }
      let expected = (slopes.below + slopes.above) / 2
      let products = zip(gradient.floats, direction.floats).map { Double($0) * Double($1) }
      let found = products.reduce(0, +)
      // Sums cancel: what counts is the size of what is summed.
      let size = products.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let noise = abs(expected) <= 1e-7 * largest ? 2e-6 * largest : 0
      #expect(
        abs(found - expected) <= 1e-4 * max(size, abs(expected)) + noise,
        "\(what) \(name): expected \(expected), found \(found); \(described(plan.steps))",
        sourceLocation: sourceLocation)
    }
  }

  private func described(_ steps: [PlanStep]) -> String {
    steps.map { "\($0.name) \($0.operation) \($0.implementation)" }.joined(separator: "; ")
  }

  /// Parts of concatenations that are made in their places, and wanted in the backward pass too.
  @Test(arguments: [1, 2])
  func slices(_ pictures: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", 16, kernel: 3).relu()
      let b = a.convolution("b", 32, kernel: 3).activation(.tanh)
      let whole = Value.concatenate([a, b, a.convolution("c", 16, kernel: 3)])
      return [whole.convolution("d", 16, kernel: 1).prelu("d.prelu") + a]
    }
    try expectGradients(graph, [[pictures, 3, 6, 5]])
  }

  /// Values used several times, early and late, whole and in part.
  @Test(arguments: 0..<24)
  func random(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let graph = try Graph(channels: 3) { x in
      randomNetwork(x, steps: 5 + seed % 12, &generator)
    }
    try expectGradients(
      graph, [[1 + seed % 3, 3, 6, 5]], seed: UInt64(seed), exact: seed % 5 == 0, "seed \(seed)")
  }

  /// Every operation of the table by itself, on its own shapes.
  @Test(arguments: OperationRow.all.filter(\.hasGradients))
  func everyOperation(_ row: OperationRow) throws {
    try expectGradients(
      row.graph(), row.images, values: row.values, isFast: false, row.description)
  }

  /// Every operation between convolutions that have it lie in every memory format in turn.
  @Test(arguments: [20, 32])
  func everyLayout(_ channels: Int) throws {
    let half = channels / 2
    let ops: [Op] =
      [
        .maxPool(MaxPool(Pool(kernel: 2))),
        .maxPool(MaxPool(Pool(kernel: 3, stride: 2, padding: .same))),
        .averagePool(AveragePool(Pool(kernel: 3, stride: 1, padding: .same), countsPadding: false)),
        .averagePool(
          AveragePool(
            Pool(kernel: Size(2, 3), padding: .explicit(PaddingAmounts(1, 0, 0, 1))),
            countsPadding: true)),
        .globalAveragePool, .batchNormalization(BatchNormalization()),
        .prelu(PReLU(perChannel: true)),
        .prelu(PReLU(perChannel: false)), .scale(Scale((0..<channels).map { Double($0) / 8 - 1 })),
        .offset(Offset([0.5])), .slice(ChannelSlice(start: 0, count: half)),
        .slice(ChannelSlice(start: half, count: half)),
        .slice(ChannelSlice(start: 3, count: 2)),
        .pixelShuffle(PixelShuffle(factor: 2, order: .pytorch)),
        .pixelShuffle(PixelShuffle(factor: 2, order: .tensorflow)),
        .pixelUnshuffle(PixelUnshuffle(factor: 2, order: .tensorflow)),
        .unfold(Unfold(kernel: Size(1, 2), padding: .same)),
        .fold(Fold(kernel: Size(1, 2), stride: 2)), .sort(Sort(dimension: 1)),
        .realFFT(RealFFT(norm: .ortho)), .inverseRealFFT(InverseRealFFT()),
        .pad(Pad(PaddingAmounts(1, 2, 3, 0), .zero)), .pad(Pad(PaddingAmounts(1, 2, 3, 0), .edge)),
        .pad(Pad(PaddingAmounts(1, 2, 3, 0), .reflect)), .crop(Crop(PaddingAmounts(1, 0, 2, 1))),
        .pad(Pad(PaddingAmounts(1, 2, 3, 0), .symmetric)),
        .pad(Pad(PaddingAmounts(1, 2, 3, 0), .circular)),
        .pad(Pad(PaddingAmounts(1, 2, 3, 0), value: 0.5)),
        .padToMultiple(PadToMultiple(5, .reflect)), .padToMultiple(PadToMultiple(3)),
        .padDimension(PadDimension(dimension: 1, before: 3, after: channels - 3, .reflect)),
        .padDimension(PadDimension(dimension: 3, before: 1, after: 2, .edge)),
        .stridedSlice(.flip(2)), .stridedSlice(StridedSlice(dimension: 3, start: 1, step: 2)),
        .stridedSlice(StridedSlice(dimension: 1, start: 1, step: 2)),
        .tile(Tile([1, 2, 1, 1])), .tile(Tile([1, 1, 2, 3])),
        .adaptivePool(AdaptivePool(.mean, to: .size(Size(3, 4)))),
        .adaptivePool(AdaptivePool(.maximum, to: .size(Size(3, 4)))),
        .averagePool(
          AveragePool(
            Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true), countsPadding: true)
        ),
        .averagePool(
          AveragePool(
            Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true), countsPadding: false)
        ), .maxPool(MaxPool(Pool(kernel: 2, stride: 3, roundsUp: true))),
        .groupNormalization(GroupNormalization(groups: 4)),
        .groupNormalization(GroupNormalization(groups: 1, scale: false)),
        InstanceNormalization().op, InstanceNormalization(affine: false).op,
        LayerNormalization(first: 1).op, LayerNormalization(.biasFree, first: 1).op,
        LayerNormalization(.rms, first: 1, addsEpsilonToRoot: true).op,
        LayerNormalization(.l2, first: 1).op, LayerNormalization(dimensions: 2, first: 1).op,
        .softmax(Softmax(logarithm: true)), .reduce(Reduction(.variance, dimensions: [2, 3])),
        .reduce(Reduction(.l2, dimensions: [1])),
        .reduce(Reduction(.mean, dimensions: [2, 3])), .reduce(Reduction(.sum, dimensions: [1])),
        .reduce(Reduction(.maximum, dimensions: [2, 3])), .softmax(Softmax(dimension: 1)),
        .roll(Roll(shifts: [1, -2], dimensions: [2, 3])), .activation(.silu), .activation(.mish),
        .activation(.softsign),
      ]
      + [
        Resize(.nearest, to: .factor(Ratio(2)), coordinates: .asymmetric),
        Resize(.linear, to: .factor(Ratio(1, 2)), antialias: true),
        Resize(.linear, to: .factor(Ratio(3, 2)), coordinates: .alignCorners),
        Resize(.cubic(a: -0.5), to: .factor(Ratio(2)), edge: .symmetric),
        Resize(.cubic(a: -0.5), to: .factor(Ratio(1, 2)), edge: .symmetric, antialias: true),
        Resize(.lanczos(lobes: 3), to: .factor(Ratio(1, 3)), antialias: true),
      ].map(Op.resize)
    for op in ops {
      let shape = [2, channels, 4, 6]
      let output = try op.outputShape([shape])
      for groups in [1, channels] {
        let graph = try Graph(
          of: [
            .convolution(
              Convolution(outChannels: channels, kernel: 3, groups: groups, padding: .same)),
            op,
            .convolution(
              Convolution(
                outChannels: output[1], kernel: 3, groups: groups == 1 ? 1 : output[1],
                padding: .same)),
          ], channels: channels)
        // A weight for each row is one of a stated size.
        let sized = try Graph(
          inputs: graph.inputs.map {
            Graph.Input($0.name, channels: $0.channels, size: Size(shape[2], shape[3]))
          }, nodes: graph.nodes, outputs: graph.outputs)
        try expectGradients(sized, [shape], "\(op) groups \(groups)")
      }
    }
  }

  /// Windows of images in every memory format, cut and put together, and attention between them.
  @Test(arguments: [20, 32])
  func windowsInEveryLayout(_ channels: Int) throws {
    for (partition, groups) in [
      (WindowPartition(Size(2, 3)), 1), (WindowPartition(2, .grid), channels),
      (WindowPartition(2, margin: 1), 1),
      (WindowPartition(Size(4, 2), margin: Size(5, 0)), channels),
    ] {
      let graph = try Graph(channels: channels) { x in
        let windows = x.convolution("a", channels, kernel: 3, groups: groups).windows(partition)
        let tokens = windows.applying(.permute(Permute([0, 1, 2, 4, 3])))
          .applying(
            .linear(Linear(outFeatures: partition.window.area, bias: false)), parameters: ["w"]
          )
          .applying(.permute(Permute([0, 1, 2, 4, 3])))
        return [
          tokens.image(WindowReverse(partition.window, partition.arrangement))
            .convolution("b", channels, kernel: 3, groups: groups)
        ]
      }
      try expectGradients(graph, [[2, channels, 4, 6]], "\(partition)")
    }
    let graph = try Graph(channels: channels) { x in
      let a = x.convolution("a", 3 * channels, kernel: 1)
        .windowAttention("b", WindowAttention(heads: 4, window: 2, shift: 1))
      let scale = x.learnedConstant("scale", [1, channels, 1, 1])
      return [a.convolution("c", channels, kernel: 3) * scale + x]
    }
    try expectGradients(graph, [[2, channels, 4, 6]])
  }

  /// A kernel and a bias for each image.
  @Test(arguments: [1, 3]) func kernelOfEachImage(_ images: Int) throws {
    for convolution in [
      DynamicConvolution(groups: 2, padding: .same),
      DynamicConvolution(
        stride: 2, dilation: Size(2, 1), groups: 2, padding: .explicit(PaddingAmounts(1, 2, 0, 1))),
    ] {
      try expectGradients(
        .kernelOfEachImage(convolution),
        [[images, 4, 7, 6], [images, 8, 3, 3], [images, 4, 1, 1]],
        isFast: false)
    }
  }

  /// Elements that are put in order, and taken by places that are calculated: places have no gradient,
  /// and what is taken several times gets the sum.
  @Test func order() throws {
    let graph = try Graph(channels: 6) { x in
      let a = x.convolution("a", 6, kernel: 3)
      let order = a.applying(.sort(Sort(dimension: 1, descending: true, part: .indices)))
      let best = a.applying(.argReduction(ArgReduction(.argmax, dimension: 1)))
      return [
        x.applying(.gatherElements(GatherElements(dimension: 1)), order),
        a.applying(.gatherElements(GatherElements(dimension: 1)), best),
        x.applying(
          .gatherElements(GatherElements(dimension: 1)), Value.concatenate([best, order, best])),
        a.applying(.sort(Sort(top: 2, dimension: 3))),
      ]
    }
    try expectGradients(graph, [[2, 6, 4, 5]])
  }

  /// Operations that take but the size of their second input, which has a gradient of its own.
  @Test func sizesOfOthers() throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", 20, kernel: 3)
      let whole = a.padded(toMultiple: 4, .reflect).convolution("b", 20, kernel: 3)
      let mean = whole.applying(.globalAveragePool)
      return [
        whole.cropped(toSizeOf: x),
        mean.applying(.expand(Expand(to: .shapeOfSecondInput)), a) * a,
      ]
    }
    try expectGradients(graph, [[2, 3, 6, 5]])
  }

  /// Sums and products in which one operand repeats.
  @Test(arguments: [5, 32])
  func reduceToShape(_ channels: Int) throws {
    let graph = try Graph(channels: channels) { x in
      let a = x.convolution("a", channels, kernel: 3)
      let gate = a.applying(.globalAveragePool).convolution("gate", channels, kernel: 1)
      let map = a.convolution("map", 1, kernel: 3)
      let gated = a * gate.activation(.sigmoid)
      return [
        gated + map, map - gate, (gate - a) * map, gate + a * a, a * (gated - map),
      ]
    }
    try expectGradients(graph, [[2, channels, 5, 6]])
  }

  /// A recursive network, of which two nodes have all parameters in common, statistics too.
  @Test func sharedParameters() throws {
    let names = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
      .map { "norm.\($0)" }
    let convolution = Op.convolution(Convolution(outChannels: 16, kernel: 3, padding: .same))
    let graph = try Graph(
      inputs: [Graph.Input("x", channels: 16)],
      nodes: [
        Graph.Node("c1", convolution, inputs: [0], parameters: ["c.weight", "c.bias"]),
        Graph.Node("n1", .batchNormalization(BatchNormalization()), inputs: [1], parameters: names),
        Graph.Node("c2", convolution, inputs: [2], parameters: ["c.weight", "c.bias"]),
        Graph.Node("n2", .batchNormalization(BatchNormalization()), inputs: [3], parameters: names),
        Graph.Node("sum", .binary(.add), inputs: [2, 4]),
      ], outputs: [Graph.Output("y", value: 5)])
    try expectGradients(graph, [[2, 16, 5, 4]])

    // One momentum each, one after the other.
    let weights = randomWeights(for: graph, seed: 3)
    let x = randomTensor([2, 16, 5, 4], seed: 4)
    var plan = try TrainingPlan(
      graph, inputShapes: [x.shape], outputs: ["c1", "c2", "y"], engine: Engine())
    let (values, statistics) = try plan.forward(["x": x], parameters: weights)
    for (name, start) in [("norm.running_mean", 0.0), ("norm.running_var", 1.0)] {
      let found = try #require(statistics[name]).floats
      var expected = try #require(weights[name]).floats.map(Double.init)
      for node in ["c1", "c2"] {
        let all = try #require(values[node]).floats
        for channel in 0..<16 {
          let mine = all.indices.filter { $0 / 20 % 16 == channel }.map { Double(all[$0]) }
          let mean = mine.reduce(0, +) / 40
          let variance = mine.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 39
          expected[channel] = 0.9 * expected[channel] + 0.1 * (start == 0 ? mean : variance)
        }
      }
      for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) <= 1e-5 * max(abs(b), 0.1)) }
    }
  }

  /// What perceptual losses ask for: values inside the network, and gradients by the input alone.
  @Test func innerValues() throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", 16, kernel: 3).relu()
      let b = a.maxPool(2).convolution("b", 32, kernel: 3).relu()
      return [b.maxPool(2).convolution("c", 8, kernel: 3)]
    }
    let name = try #require(graph.outputs.first).name
    try expectGradients(graph, [[1, 3, 8, 9]], outputs: ["a", "b", name], of: .inputs)
    try expectGradients(graph, [[1, 3, 8, 9]], outputs: ["a"], of: .inputs)
    try expectGradients(graph, [[1, 3, 8, 9]], outputs: ["a"], of: .parameters)
    try expectGradients(graph, [[1, 3, 8, 9]], of: .parameters)
  }

  /// Values that are no images: an attention block.
  @Test func attention() throws {
    let x = Graph.Input("x", channels: 6, size: Size(4, 4))
    let graph = try Graph(
      inputs: [x],
      nodes: [
        Graph.Node("tokens", .reshape(Reshape([0, 6, -1])), inputs: [0]),
        Graph.Node("rows", .permute(Permute([0, 2, 1])), inputs: [1]),
        Graph.Node(
          "norm", .layerNormalization(LayerNormalization(dimensions: 1, epsilon: 1e-5)),
          inputs: [2],
          parameters: ["norm.weight", "norm.bias"]),
        Graph.Node(
          "q", .linear(Linear(outFeatures: 5, bias: true)), inputs: [3],
          parameters: ["q.weight", "q.bias"]),
        Graph.Node(
          "k", .linear(Linear(outFeatures: 5, bias: false)), inputs: [3], parameters: ["k.weight"]),
        Graph.Node(
          "v", .linear(Linear(outFeatures: 6, bias: true)), inputs: [3],
          parameters: ["v.weight", "v.bias"]),
        Graph.Node("turned", .permute(Permute([0, 2, 1])), inputs: [5]),
        Graph.Node("scores", .matmul, inputs: [4, 7]),
        Graph.Node("scaled", .scale(Scale([0.4])), inputs: [8]),
        Graph.Node("shares", .softmax(Softmax(dimension: 2)), inputs: [9]),
        Graph.Node("mixed", .matmul, inputs: [10, 6]),
        Graph.Node("rolled", .roll(Roll(shifts: [3], dimensions: [1])), inputs: [11]),
        Graph.Node("sum", .binary(.add), inputs: [12, 3]),
        Graph.Node(
          "slopes", .prelu(PReLU(perChannel: true)), inputs: [13], parameters: ["slopes.weight"]),
        Graph.Node(
          "batch", .batchNormalization(BatchNormalization(scale: false)), inputs: [14],
          parameters: ["b.bias", "b.running_mean", "b.running_var", "b.num_batches_tracked"]),
        Graph.Node(
          "mean", .reduce(Reduction(.mean, dimensions: [1], keepsDimensions: false)), inputs: [15]),
      ], outputs: [Graph.Output("y", value: 15), Graph.Output("mean", value: 16)])
    try expectGradients(graph, [[2, 6, 4, 4]])
  }

  /// The engine's own sums are in one order, however many threads there are: the same bits.
  @Test(arguments: [3, 32])
  func threads(_ channels: Int) throws {
    let graph = try Graph(channels: channels) { x in
      let mean = x.applying(.globalAveragePool)
      let small = x.applying(
        .resize(Resize(.cubic(a: -0.5), to: .factor(Ratio(1, 2)), antialias: true)))
      return [
        x * mean - mean, small.resize(.linear, by: 2).applying(.dropout(Dropout(rate: 0.3))),
        x.applying(.pad(Pad(PaddingAmounts(2), .reflect))).applying(
          .slice(ChannelSlice(start: 0, count: channels - 1))),
        x.applying(.reduce(Reduction(.maximum, dimensions: [2, 3]))) + x,
      ]
    }
    let x = randomTensor([2, channels, 48, 40], seed: 3)
    let results = try [1, 2, 3].map { threads in
      var plan = try TrainingPlan(
        graph, inputShapes: [x.shape], gradientsOf: .inputs, engine: Engine(threads: threads))
      let outputs = try plan.forward([graph.inputs[0].name: x], parameters: [:], seed: 5).outputs
      return (try plan.backward(outputs).inputs).mapValues(\.floats)
    }
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }

  /// Dropout drops the same in the backward pass, what the seed says, and about as much as the rate
  /// says.
  @Test(arguments: [6, 32], [0.0, 0.25, 0.9])
  func dropout(_ channels: Int, _ rate: Double) throws {
    let graph = try Graph(channels: channels) { x in
      [
        x.convolution("a", channels, kernel: 1, bias: false).applying(
          .dropout(Dropout(rate: rate))),
        x.applying(.dropout(Dropout(rate: rate))),
      ]
    }
    let shape = [3, channels, 12, 11]
    let ones = try Tensor(shape: shape, [Float](repeating: 1, count: 3 * channels * 132))
    var identity = [Float](repeating: 0, count: channels * channels)
    for i in 0..<channels { identity[i * channels + i] = 1 }
    let weights = ["a.weight": try Tensor(shape: [channels, channels, 1, 1], identity)]
    let names = graph.outputs.map(\.name)
    var plan = try TrainingPlan(
      graph, inputShapes: [shape], gradientsOf: .inputs, engine: Engine())
    let input = graph.inputs[0].name
    func forward(_ seed: UInt64) throws -> [Tensor] {
      let outputs = try plan.forward([input: ones], parameters: weights, seed: seed).outputs
      return try names.map { try #require(outputs[$0]) }
    }
    let first = try forward(1), other = try forward(2), again = try forward(1)
    #expect(first.map(\.floats) == again.map(\.floats))
    let isRandom = rate > 0 && rate < 1
    #expect((first[0].floats != other[0].floats) == isRandom)
    #expect((first[0].floats != first[1].floats) == isRandom)
    for values in first.map(\.floats) {
      let kept = values.filter { $0 != 0 }
      #expect(kept.allSatisfy { abs(Double($0) * (1 - rate) - 1) < 1e-6 })
      let share = Double(kept.count) / Double(values.count)
      #expect(
        abs(share - (1 - rate)) < 4 * (rate * (1 - rate) / Double(values.count)).squareRoot()
          + 1e-12)
    }
    let gradients = try plan.backward([names[0]: ones, names[1]: ones]).inputs
    let found = try #require(gradients[input]).floats
    #expect(found == zip(first[0].floats, first[1].floats).map { $0 + $1 })
  }
}
