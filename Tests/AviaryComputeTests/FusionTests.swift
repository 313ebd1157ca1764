import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Networks in which operations are done together, or in memory that others have given up. Widths
/// are those of every memory format: 3 and 17 leave registers half empty, 16 and 32 are for blocks.
@Suite struct FusionTests {
  static let widths = [1, 3, 16, 17, 32]

  /// Names, for reading `steps`.
  private func operations(_ graph: Graph, _ shape: [Int]) throws -> [String] {
    let weights = PackedWeights(randomWeights(for: graph, seed: 1))
    let plan = try Plan(graph, weights: weights, inputShapes: [shape], engine: Engine())
    return plan.steps.map(\.operation)
  }

  @Test(arguments: widths)
  func normalizationFoldsIntoConvolutions(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3).batchNormalization("a.norm").relu()
      let b = a.transposedConvolution("b", width, kernel: 4, stride: 2, bias: false)
        .applying(.scale(Scale([0.5]))).applying(.offset(Offset([0.1]))).batchNormalization(
          "b.norm"
        ).leakyRelu(
          0.2)
      let c = b.convolution("c", width, kernel: 1, groups: width)
        .applying(.offset(Offset((0..<width).map { Double($0) }))).batchNormalization("c.norm")
      return [c.batchNormalization("again")]
    }
    try expectEqual(graph, [[2, 3, 8, 7]])
    #expect(try !operations(graph, [1, 3, 8, 8]).contains("scaleShift"))
  }

  /// A value that is wanted before its normalisation too, or after an activation, is not folded.
  @Test(arguments: widths)
  func normalizationStaysByItself(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3)
      let b = a.batchNormalization("norm") + a
      let c = x.convolution("c", width, kernel: 3).relu().batchNormalization("c.norm")
      return [b, c, x.batchNormalization("first").convolution("d", width, kernel: 3)]
    }
    try expectEqual(graph, [[2, 3, 8, 7]])
  }

  /// A convolution's result times a learned number, or one a channel, as layer scale has it.
  @Test(arguments: widths)
  func layerScaleFoldsIntoConvolutions(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3)
      let beta = x.learnedConstant("beta", [1, width, 1, 1])
      let gamma = x.learnedConstant("gamma", [1, 1, 1, 1])
      let b = a + a.convolution("b", width, kernel: 1) * beta
      let c = gamma * b.convolution("c", width, kernel: 3, bias: false).batchNormalization("norm")
      // The constant is wanted elsewhere too, and a value before its product.
      let d = b.convolution("d", width, kernel: 1)
      return [c, d * beta + d, b.relu() * beta]
    }
    try expectEqual(graph, [[2, 3, 8, 7]])
    let found = try operations(graph, [1, 3, 8, 8])
    #expect(found.filter { $0 == "learnedConstant" }.count == 1, "\(found)")
  }

  @Test(arguments: widths, [false, true])
  func residuals(_ width: Int, _ exact: Bool) throws {
    let graph = try Graph(channels: 3) { x in
      let first = x.convolution("first", width, kernel: 3).relu()
      var y = first
      for i in 0..<3 {
        // x + conv(relu(conv(x))), relu(conv(x) + x), relu(relu(conv(x)) + x): all fused forms.
        let inner = y.convolution("\(i).a", width, kernel: 3).relu()
          .convolution("\(i).b", width, kernel: 3)
        y = y + inner
        y = (y.convolution("\(i).c", width, kernel: 3) + y).relu()
        y = (y.convolution("\(i).d", width, kernel: 3).relu() + y).leakyRelu(0.1)
      }
      return [
        (y.convolution("last", width, kernel: 3) + first).convolution("end", 3, kernel: 3) + x
      ]
    }
    try expectEqual(graph, [[1, 3, 11, 9]], options: PlanOptions(exact: exact))
  }

  /// Summands that cannot be written over: wanted later, the convolution's own input, an input or
  /// an output of the network, broadcast, two convolutions.
  @Test(arguments: widths, [false, true])
  func residualsThatAreKept(_ width: Int, _ exact: Bool) throws {
    let graph = try Graph(channels: width) { x in
      let a = x.convolution("a", width, kernel: 3)
      let b = x + x.convolution("b", width, kernel: 3)
      let c = a + a.convolution("c", width, kernel: 3)
      let d = (b.convolution("d", width, kernel: 3) + c).relu()
      let e = c.convolution("e1", width, kernel: 3) + d.convolution("e2", width, kernel: 1)
      let f = e.applying(.globalAveragePool).convolution("f", width, kernel: 1) + e
      let g = f + f
      return [c, g, g.transposedConvolution("h", width, kernel: 3) + f, d]
    }
    try expectEqual(graph, [[2, width, 8, 7]], options: PlanOptions(exact: exact))
  }

  @Test(arguments: widths)
  func transposedResiduals(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3)
      let up = x.resize(.nearest, by: 2).convolution("b", width, kernel: 3)
      let sum = (a.transposedConvolution("c", width, kernel: 3, stride: 2).relu() + up).relu()
      return [sum, sum.transposedConvolution("d", 1, kernel: 3)]
    }
    try expectEqual(graph, [[1, 3, 6, 5]])
  }

  @Test(arguments: FusionTests.widths, ElementwiseTests.activations)
  func activations(_ width: Int, _ activation: Activation) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3).activation(activation)
      let b = a.transposedConvolution("b", width, kernel: 2, stride: 2).activation(activation)
      return [b.convolution("c", 2, kernel: 3).activation(activation)]
    }
    try expectEqual(graph, [[1, 3, 8, 7]])
  }

  /// Operands that lie in one another's memory: written over only where nothing is read again.
  @Test(arguments: [Binary.add, .subtract, .multiply])
  func operandsThatOverlap(_ binary: Binary) throws {
    let op = Op.binary(binary)
    for channels in [2, 32] {
      let graph = try Graph(channels: channels) { x in
        let a = x.activation(.tanh), b = x.activation(.tanh)
        let c = x.activation(.tanh), d = x.activation(.tanh)
        let half = channels / 2
        return [
          a.applying(op, a.applying(.slice(ChannelSlice(start: 0, count: 1)))),
          b.applying(.slice(ChannelSlice(start: 0, count: half)))
            .applying(op, b.applying(.slice(ChannelSlice(start: half, count: half)))),
          c.applying(.slice(ChannelSlice(start: 0, count: half + 1)))
            .applying(op, c.applying(.slice(ChannelSlice(start: half - 1, count: half + 1)))),
          d.applying(op, d),
        ]
      }
      // Large enough for several threads.
      try expectEqual(graph, [[1, channels, 40, 33]])
    }
  }

  /// Chains of elementwise operations are one pass over memory, whatever their length, and give what
  /// single operations give; what is wanted elsewhere, or repeats, is computed once.
  @Test(arguments: widths)
  func chains(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", width, kernel: 3)
      let gate = a.applying(.globalAveragePool)
      // A decomposed GELU, whose parts are taken twice, times a gate; normalised, with slopes.
      let curve = (a * 0.5.squareRoot()).activation(.erf) + 1
      var y = (a * 0.5 * curve) * (gate * 2).activation(.sigmoid)
      y = y.batchNormalization("norm").prelu("slopes").applying(
        .scale(Scale((0..<width).map { 1 + Double($0) / 8 })))
      let wanted = y.activation(.mish)
      var z = wanted
      for _ in 0..<12 { z = (z * 0.9 + a).activation(.tanh).applying(.binary(.maximum), z) }
      let compared = z.applying(.binary(.less), a)
      return [wanted, compared.applying(.where, z, a) - z, (z * z) / (a.activation(.abs) + 1)]
    }
    try expectEqual(graph, [[2, 3, 11, 9]])
    // Beside the pooling and the convolution: the gate, the two outputs that share the long chain,
    // and what both take of it.
    let passes = try operations(graph, [1, 3, 8, 8]).filter { $0 != "reorder" && $0 != "copy" }
    #expect(passes.count { $0 == "pointwise" } == 5, "\(passes)")
  }

  /// A chain may write over what it takes, and reads what repeats in it all the same.
  @Test(arguments: [2, 32])
  func chainsThatOverlap(_ channels: Int) throws {
    let graph = try Graph(channels: channels) { x in
      let a = x.activation(.tanh)
      let part = a.applying(.slice(ChannelSlice(start: 0, count: 1)))
      let b = x.activation(.tanh)
      return [(a * 2 + part).activation(.exp), (b * b).activation(.exp) + b]
    }
    try expectEqual(graph, [[1, channels, 40, 33]])
  }

  /// More operands than one pass takes.
  @Test func longChains() throws {
    let graph = try Graph(channels: 3) { x in
      let parts = (0..<40).map { x.applying(.offset(Offset([Double($0)]))).maxPool(1) }
      return [parts.dropFirst().reduce(parts[0]) { ($0 + $1).activation(.tanh) }]
    }
    try expectEqual(graph, [[1, 3, 8, 7]])
  }

  /// Outputs that are an input, the same value twice, a part of another, dropout of either.
  @Test func unusualOutputs() throws {
    let graph = try Graph(channels: 4) { x in
      let y = x.convolution("a", 32, kernel: 3)
      let dropped = y.applying(.dropout(Dropout(rate: 0.5)))
      return [
        x, x.applying(.dropout(Dropout(rate: 0.1))), y, dropped,
        y.applying(.slice(ChannelSlice(start: 0, count: 16))),
        x.applying(.slice(ChannelSlice(start: 1, count: 2))), dropped.relu(), x.relu(),
        x.applying(.reshape(Reshape([0, -1]))),
      ]
    }
    try expectEqual(graph, [[1, 4, 6, 7]])
    try expectEqual(graph, [[2, 4, 6, 7]])
  }

  /// Parameters that several nodes share, with and without something folded into them.
  @Test func sharedParameters() throws {
    let graph = try Graph(channels: 32) { x in
      let a = x.convolution("a", 32, kernel: 3)
      let b = a.convolution("a", 32, kernel: 3, shared: true).batchNormalization("norm")
      return [b.convolution("a", 32, kernel: 3, shared: true).relu()]
    }
    try expectEqual(graph, [[1, 32, 9, 8]])
  }
}
