@testable import AviaryGraph
import AviaryTestSupport
import Testing

/// What networks make of sizes: scale, multiple, shrinkage, the least size.
@Suite struct SizeRuleTests {
  private func rule(channels: Int = 2, _ build: (Value) -> Value) throws -> SizeRule {
    try Graph(channels: channels) { [build($0)] }.sizeRule()
  }

  @Test func convolutionsKeepTheSize() throws {
    #expect(
      try rule { $0.convolution("a", 2, kernel: 3).relu().convolution("b", 2, kernel: 5) }
        == SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1))
  }

  @Test func withoutPadding() throws {
    #expect(
      try rule {
        $0.convolution("a", 2, kernel: 9, padding: .valid)
          .convolution("b", 2, kernel: 5, padding: .valid)
          .convolution("c", 2, kernel: 5, padding: .valid)
      } == SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 1, shrinkage: 16, minimum: 17))
  }

  /// Down by two and up again: 65 pixels become 66.
  @Test func stridesMakeAnotherSize() throws {
    #expect(
      try rule {
        $0.convolution("a", 2, kernel: 3, stride: 2)
          .transposedConvolution("b", 2, kernel: 3, stride: 2)
      } == SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 2, shrinkage: 0, minimum: 1))
  }

  @Test func sumOfBothSizesIsOnlyPossibleAtMultiples() throws {
    #expect(
      try rule { x in
        x
          + x.maxPool(2).maxPool(2)
          .transposedConvolution("b", 2, kernel: 2, stride: 2)
          .transposedConvolution("c", 2, kernel: 2, stride: 2)
      } == SizeRule(scale: Ratio(1), multiple: 4, exactMultiple: 4, shrinkage: 0, minimum: 4))
  }

  @Test func unshuffleWantsAMultipleAndSameMakesTheRest() throws {
    // Heights must be even, and only those divisible by 6 come out as three halves less nothing.
    #expect(
      try rule {
        $0.applying(.pixelUnshuffle(PixelUnshuffle(factor: 2, order: .pytorch)))
          .convolution("a", 2, kernel: 3, stride: 3, padding: .same)
      } == SizeRule(scale: Ratio(1, 6), multiple: 2, exactMultiple: 6, shrinkage: 0, minimum: 2))
  }

  @Test func enlargement() throws {
    #expect(
      try rule { $0.resize(.nearest, by: 3).convolution("a", 4, kernel: 3).pixelShuffle(2) }
        == SizeRule(scale: Ratio(6), multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1))
    #expect(
      try rule { $0.applying(.resize(Resize(.linear, to: .factor(Ratio(3, 2))))) }
        == SizeRule(scale: Ratio(3, 2), multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1))
  }

  @Test func noScale() throws {
    #expect(try rule { $0.applying(.globalAveragePool) }.scale == nil)
    #expect(try rule { $0.convolution("a", 2, kernel: 3, stride: Size(1, 2)) }.scale == nil)
    // Of another size along one axis only.
    let lopsided = try rule {
      $0.convolution("a", 2, kernel: Size(1, 3), padding: .explicit(PaddingAmounts(0, 0, 0, 1)))
    }
    #expect(lopsided.scale == nil)
  }

  @Test func oneSizeOnly() throws {
    let graph = try Graph(
      inputs: [.init("image", channels: 4, size: Size(6, 5))],
      nodes: [.init("a", .pixelShuffle(PixelShuffle(factor: 2, order: .pytorch)), inputs: [0])],
      outputs: [.init("output", value: 1)])
    #expect(
      graph.sizeRule()
        == SizeRule(
          scale: Ratio(2), multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1,
          size: Size(6, 5)))
  }

  /// A network of one size is asked about that one: a row of as many numbers as it has pixels fits
  /// no other, and what is lost along the edges is counted there.
  @Test func oneSizeThroughARow() throws {
    let dense = try Graph(
      inputs: [.init("image", channels: 1, size: Size(6, 5))],
      nodes: [
        .init("row", .reshape(Reshape([0, 30])), inputs: [0]),
        .init(
          "l", .linear(Linear(outFeatures: 120, bias: false)), inputs: [1], parameters: ["l.weight"]
        ),
        .init("back", .reshape(Reshape([0, 1, 12, 10])), inputs: [2]),
      ],
      outputs: [.init("output", value: 3)])
    #expect(dense.sizeRule().scale == Ratio(2) && dense.sizeRule().size == Size(6, 5))
    let valid = try Graph(
      inputs: [.init("image", channels: 1, size: Size(7, 5))],
      nodes: [
        .init(
          "c", .convolution(Convolution(outChannels: 1, kernel: 3, padding: .valid, bias: false)),
          inputs: [0], parameters: ["c.weight"])
      ],
      outputs: [.init("output", value: 1)])
    #expect(valid.sizeRule().scale == Ratio(1) && valid.sizeRule().shrinkage == 2)
  }

  /// Three times down with the odd pixel kept, three times up with two pixels lost on the way: 28
  /// pixels give 28, though multiples of 8 lose four.
  @Test func residuesThatFitAsTheyStand() throws {
    let rule = try rule { x in
      x.maxPool(2, padding: .same).maxPool(2, padding: .same).maxPool(2, padding: .same)
        .resize(.nearest, by: 2).resize(.nearest, by: 2)
        .convolution("c", 2, kernel: 3, padding: .valid).resize(.nearest, by: 2)
    }
    #expect(rule.scale == Ratio(1) && rule.shrinkage == 4 && rule.exactMultiple == 8)
    #expect((20..<44).filter(rule.isExact) == [20, 28, 36])
  }

  /// What has no ratio by its operations is tried.
  @Test func scaleThroughPermutations() throws {
    let there = try rule(channels: 4) { x in
      x.applying(.permute(Permute([0, 2, 3, 1]))).linear("l", 8).applying(
        .permute(Permute([0, 3, 1, 2]))
      )
      .pixelShuffle(2)
    }
    #expect(
      there == SizeRule(scale: Ratio(2), multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1))
    // Halved behind the permutation, where no ratio counts the stride.
    let halved = try rule(channels: 4) { x in
      x.applying(.permute(Permute([0, 2, 3, 1]))).applying(.permute(Permute([0, 3, 1, 2]))).maxPool(
        4
      )
      .resize(.nearest, by: 4)
    }
    #expect(halved.scale == Ratio(1) && halved.exactMultiple == 4)
    // Height and width exchanged: no proportion.
    #expect(try rule { $0.applying(.permute(Permute([0, 1, 3, 2]))) }.scale == nil)
  }

  @Test func outputsHaveRulesOfTheirOwn() throws {
    let graph = try Graph(channels: 4) { x in [x.pixelShuffle(2), x.maxPool(2)] }
    #expect(graph.sizeRule(output: 0).scale == Ratio(2))
    #expect(graph.sizeRule(output: 1).scale == Ratio(1, 2))
  }

  /// Ratios of sizes whose product does not fit into 64 bits must not trap.
  @Test func ratiosThatOverflow() throws {
    func graph(_ steps: Int) throws -> Graph {
      try Graph(channels: 1) { x in
        [
          (0..<steps).reduce(x) { x, _ in
            x.applying(.resize(Resize(.nearest, to: .factor(Ratio(4_096, 4_095)))))
          }
        ]
      }
    }
    for steps in 1...12 {
      let graph = try graph(steps)
      #expect(graph.sizeRule().multiple >= 1)
      _ = try graph.tiling(height: 8_000, width: 8_000)
    }
    #expect(
      try graph(5).tiling(height: 8_000, width: 8_000)
        == .whole(reason: "the network's strides multiply to more than 1024"))
    #expect(
      try graph(6).tiling(height: 8_000, width: 8_000)
        == .whole(reason: "the network's strides multiply to more than 1024"))
  }

  @Test func multiplyAddsAndParameters() throws {
    let graph = try Graph(channels: 3) { x in
      [
        x.convolution("a", 8, kernel: 3, stride: 2, groups: 1).batchNormalization("n")
          .convolution("b", 8, kernel: 5, groups: 4, bias: false).prelu("p")
          .transposedConvolution("c", 4, kernel: 4, stride: 2)
      ]
    }
    // 10x12 pixels; half of each after the first layer.
    let a = 8 * 5 * 6 * 3 * 9
    let b = 8 * 5 * 6 * 2 * 25
    let c = 8 * 5 * 6 * 4 * 16
    #expect(try graph.multiplyAdds(height: 10, width: 12) == Double(a + b + c))
    // Running statistics and the counter are no learned values.
    #expect(graph.parameterCount == (8 * 27 + 8) + 16 + 8 * 2 * 25 + 8 + (8 * 4 * 16 + 4))
    let matrices = try Graph(
      inputs: [.init("image", channels: 6, size: Size(4, 5))],
      nodes: [
        .init("flat", .reshape(Reshape([0, 0, -1])), inputs: [0]),
        .init("tokens", .permute(Permute([0, 2, 1])), inputs: [1]),
        .init(
          "l", .linear(Linear(outFeatures: 5, bias: false)), inputs: [2], parameters: ["l.weight"]),
        .init("other", .reshape(Reshape([0, 5, -1])), inputs: [0]),
        .init("product", .matmul, inputs: [3, 4]),
      ], outputs: [.init("output", value: 5)])
    // 20 tokens of 6 become 5 each; times 5 rows of 24.
    #expect(try matrices.multiplyAdds(height: 4, width: 5) == Double(20 * 6 * 5 + 20 * 24 * 5))
  }

  @Test func resolvingPadding() throws {
    let graph = try Graph(channels: 1) { x in
      [
        x.convolution("a", 1, kernel: 3, stride: 2, padding: .same)
          .maxPool(3, stride: 2, padding: .same)
          .applying(
            .averagePool(
              AveragePool(Pool(kernel: 2, stride: 1, padding: .same), countsPadding: true))
          )
          .convolution("b", 1, kernel: 3, dilation: 2, padding: .same)
      ]
    }
    // 10x7: 10 rows give 5 with one row of padding at the end, 7 columns give 4 with one at either
    // end; then 5x4 to 3x2, and so on.
    let resolved = try graph.resolvingPadding(height: 10, width: 7)
    let borders = resolved.nodes.map { node in
      switch node.op {
      case .convolution(let c): c.padding
      case .maxPool(let pool): pool.window.padding
      case .averagePool(let pool): pool.window.padding
      default: Padding.same
      }
    }
    #expect(
      borders == [
        .explicit(PaddingAmounts(0, 1, 1, 1)), .explicit(PaddingAmounts(1, 0, 1, 1)),
        .explicit(PaddingAmounts(0, 0, 1, 1)),
        .explicit(PaddingAmounts(2, 2, 2, 2)),
      ])
    #expect(
      try resolved.shapes(height: 10, width: 7) == graph.shapes(height: 10, width: 7))
    // What is explicit stays, and so does everything that is not an operation.
    let plain = try Graph(channels: 2) { [$0.convolution("a", 2, kernel: 3)] }
    #expect(try plain.resolvingPadding(height: 9, width: 9) == plain)
  }

  @Test("sizes of which none is valid tell no period")
  func partsOfAnImage() throws {
    // Sixteen parts as images of their own, and back: sides are multiples of 4.
    let graph = try Graph(channels: 1) { image in
      let parts = image.applying(
        .reshape(
          Reshape(dimensions: [
            .kept, .kept, .size(4), .input(2, times: Ratio(1, 4)), .size(4),
            .input(3, times: Ratio(1, 4)),
          ]))
      ).applying(.permute(Permute([0, 1, 3, 2, 5, 4])))
      return [
        parts.applying(
          .reshape(
            Reshape(dimensions: [
              .kept, .kept, .input(2, times: Ratio(4)), .input(4, times: Ratio(4)),
            ])))
      ]
    }
    let rule = graph.sizeRule()
    #expect(rule.multiple == 4 && rule.exactMultiple == 4 && rule.minimum == 4)
    #expect(rule.scale == Ratio(1))
  }
}
