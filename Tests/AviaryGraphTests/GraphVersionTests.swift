@testable import AviaryGraph
import AviaryTestSupport
import AviaryTensor
import FoundationEssentials
import Testing

/// Files of every version of the graph's JSON stay readable, and mean what they meant.
@Suite struct GraphVersionTests {
  private func graph(version: Int) throws -> Graph {
    let url = SharedFolder.repository
      .appending(path: "Tests/Fixtures/graphs/version-\(version).json")
    return try Graph(json: JSON(parsing: String(contentsOf: url, encoding: .utf8)))
  }

  @Test func everyVersionHasAFile() throws {
    for version in Graph.versions { _ = try graph(version: version) }
  }

  /// The last version's file has every operation.
  @Test func lastVersionHasEveryOperation() throws {
    let graph = try graph(version: Graph.versions.upperBound)
    #expect(Set(graph.nodes.map(\.op.name)) == Set(Op.names))
  }

  /// What version 1 called otherwise is refused in version 2, and the other way round.
  @Test func namesBelongToTheirVersion() throws {
    func problem(_ version: Int, _ attributes: String) -> String? {
      let text =
        #"{"version":\#(version),"inputs":[{"name":"x","channels":3}],"nodes":[{"name":"a","#
        + #""op":"convolution","inputs":["x"],"kernel":3,\#(attributes)}],"#
        + #""outputs":[{"name":"y","value":"a"}]}"#
      do throws(GraphError) {
        let json = try JSON(parsing: text)
        _ = try Graph(json: json)
        return nil
      } catch {
        return error.description
      }
    }
    #expect(problem(1, #""filters":4,"border":1"#) == nil)
    #expect(problem(2, #""outChannels":4,"padding":1"#) == nil)
    #expect(
      problem(1, #""outChannels":4"#) == "a: filters: expected an integer, found nothing")
    #expect(
      problem(2, #""filters":4"#) == "a: outChannels: expected an integer, found nothing")
    #expect(problem(2, #""outChannels":4,"border":1"#)?.hasPrefix("a: convolution has no") == true)
  }

  @Test(arguments: Graph.versions) func version(_ version: Int) throws {
    let graph = try graph(version: version)
    let operations =
      GraphVersionTests.operationsOfVersionOne
      + (version == 1 ? [] : GraphVersionTests.operationsSinceVersionTwo)
    #expect(graph.nodes.count == operations.count)
    for (node, expected) in zip(graph.nodes, operations) {
      #expect(node.op == expected, "\(node.name)")
    }
    #expect(
      graph.inputs == [
        .init("image", channels: 4), .init("reference", channels: 1, size: Size(24, 36)),
      ])
    #expect(
      graph.outputs.map { "\($0.name): \(graph.name(ofValue: $0.value))" } == [
        "weights: weights", "picture: weights_channels", "mean: reduced", "largest: largest",
        "total: total", "image: image",
      ])
    #expect(
      graph.nodes.first { $0.name == "sum" }?.inputs.map(graph.name(ofValue:)) == ["up", "up_one"])
    #expect(graph.frozen == ["head.weight", "head.bias"])
    #expect(graph.aliases == ["tied.weight": "same.weight"])
    #expect(
      graph.parameters.prefix(8).map { "\($0.name) \($0.shape) \($0.role)" } == [
        "head.weight [12, 2, 3, 5] frozen", "head.bias [12] frozen",
        "same.weight [12, 12, 3, 3] weight", "norm.weight [12] weight", "norm.bias [12] weight",
        "norm.running_mean [12] statistic", "norm.running_var [12] statistic",
        "norm.num_batches_tracked [] nonPersistent",
      ])
    #expect(graph.nodes[2].parameters == ["same.weight"])
    #expect(try Graph(json: JSON(parsing: graph.json.text)) == graph)
  }

  @Test(arguments: Graph.versions) func runs(_ version: Int) throws {
    let graph = try graph(version: version)
    let outputs = try naive(
      graph, weights: randomWeights(for: graph, seed: 1),
      inputs: [
        "image": randomTensor([1, 4, 12, 18], seed: 2),
        "reference": randomTensor([1, 1, 24, 36], seed: 3),
      ])
    #expect(
      outputs.mapValues(\.shape) == [
        "weights": [1, 2, 2], "picture": [1, 2, 24, 36], "mean": [1, 2, 1, 1],
        "largest": [1, 24, 36], "total": [1, 1, 24, 36], "image": [1, 4, 12, 18],
      ])
  }

  private static let operationsSinceVersionTwo: [Op] = [
    .groupNormalization(GroupNormalization(groups: 2)),
    .groupNormalization(GroupNormalization(groups: 1, epsilon: 1e-3, scale: false, center: false)),
    InstanceNormalization().op, InstanceNormalization(epsilon: 1e-3, affine: false).op,
    LearnedConstant([1, 2, 1, 1], start: 0.5).op, LearnedConstant([25, 2]).op,
    ConstantGather(.relativePosition(window: Size(3, 2))).op,
    ConstantGather(.overlappingPosition(window: 2, keyWindow: 4)).op,
    ConstantGather(.list([1, -1, 0, 0], shape: [2, 2]), dimension: 1).op,
    WindowPartition(Size(4, 6)).op, WindowReverse(Size(4, 6)).op,
    WindowPartition(2, margin: Size(1, 2)).op, WindowPartition(2, .grid).op,
    WindowReverse(2, .grid).op, .permute(Permute([0, 1, 2, 4, 3])), .matmul,
    ShiftMask(Size(4, 6), shift: Size(2, 0), value: -50).op, ShiftMask(Size(4, 6), shift: 3).op,
    .concatenate(Concatenate()),
    WindowAttention(
      heads: 2, window: 4, shift: Size(2, 1), scale: 0.5, maskValue: -.infinity
    ).op,
    WindowAttention(heads: 1, window: Size(2, 4), .grid, positionBias: .none).op,
    WindowAttention(heads: 1, window: 4, keyMargin: 1).op,
    WindowAttention(heads: 2, window: 3, positionBias: .input).op,
    .transposedConvolution(
      TransposedConvolution(outChannels: 2, kernel: 3, stride: 2, dilation: Size(2, 1))),
    .reshape(Reshape([0, 4, 1, 12, 18])),
    .dynamicConvolution(
      DynamicConvolution(
        stride: Size(2, 1), dilation: Size(1, 2), groups: 4,
        padding: .explicit(PaddingAmounts(11, 17, 11, 17)))),
    .unfold(
      Unfold(
        kernel: Size(2, 3), stride: Size(2, 1), dilation: Size(1, 2),
        padding: .explicit(PaddingAmounts(1, 0, 2, 3)))),
    .unfold(Unfold(kernel: 2)),
    .fold(
      Fold(
        kernel: Size(2, 3), stride: Size(2, 1), dilation: Size(1, 2),
        padding: PaddingAmounts(1, 0, 2, -1))), .fold(Fold(kernel: 2)),
    .permute(Permute([0, 2, 3, 1])), .gridSample(GridSample()),
    .gridSample(GridSample(mode: .nearest, paddingMode: .border, alignCorners: true)),
    .gridSample(GridSample(coordinates: .offsets)),
    .realFFT(RealFFT()), .realFFT(RealFFT(norm: .ortho)),
    .inverseRealFFT(InverseRealFFT(norm: .forward)), .inverseRealFFT(InverseRealFFT()),
    .argReduction(ArgReduction(.argmax, dimension: 1)),
    .argReduction(ArgReduction(.argmin, dimension: 3, keepsDimensions: false)),
    .gatherElements(GatherElements(dimension: 1)), .sort(Sort(dimension: 1)),
    .sort(Sort(dimension: 3, descending: true, part: .indices)),
    .sort(Sort(top: 2, dimension: 1)),
    .sort(Sort(top: 3, dimension: 2, largest: false, part: .indices)),
    .activation(.celu(alpha: 1)), .activation(.celu(alpha: 0.5)), .activation(.selu),
    .activation(.mish), .activation(.hardSigmoid), .activation(.hardSwish),
    .activation(.softplus(beta: 1, threshold: 20)), .activation(.softplus(beta: 2, threshold: 15)),
    .activation(.softsign), .activation(.exp), .activation(.log), .activation(.abs),
    .activation(.sqrt), .activation(.rsqrt), .activation(.reciprocal), .activation(.erf),
    .activation(.floor), .activation(.sign), .binary(.divide), .binary(.power), .binary(.minimum),
    .binary(.maximum), .binary(.equal), .binary(.less), .binary(.lessOrEqual), .binary(.greater),
    .binary(.greaterOrEqual), .where,
    LayerNormalization(first: 1, epsilon: 1e-3, scale: false, center: false).op,
    LayerNormalization(.biasFree, first: 1, epsilon: 1e-3, center: true).op,
    LayerNormalization(.rms, first: 1).op,
    LayerNormalization(
      .rms, first: 1, epsilon: 1e-3, scale: false, center: true, addsEpsilonToRoot: true
    ).op,
    LayerNormalization(.l2, first: 1).op,
    LayerNormalization(.l2, first: 1, epsilon: 1e-3, scale: true, center: true).op,
    .softmax(Softmax(logarithm: true)), .softmax(Softmax(dimension: 3, logarithm: true)),
    .reduce(Reduction(.minimum, dimensions: [1])), .reduce(Reduction(.product, dimensions: [1])),
    .reduce(Reduction(.variance, dimensions: [1])),
    .reduce(Reduction(.unbiasedVariance, dimensions: [1])),
    .reduce(Reduction(.l1, dimensions: [1])), .reduce(Reduction(.l2, dimensions: [1])),
    .reduce(Reduction(.sumOfSquares, dimensions: [1])),
    .concatenate(Concatenate(dimension: 2)), .padToMultiple(PadToMultiple(8)),
    .padToMultiple(PadToMultiple(Size(5, 7), .symmetric)), .cropToSize(CropToSize()),
    .cropToSize(CropToSize(scale: Ratio(1, 2), axes: [.horizontal])), .pad(Pad(1, value: -1)),
    .pad(Pad(PaddingAmounts(1, 0, 2, 3), .circular)),
    .padDimension(PadDimension(dimension: 1, before: 1, after: 0)),
    .padDimension(PadDimension(dimension: 1, before: 2, after: 3, value: 0.5)),
    .stridedSlice(StridedSlice(dimension: 1, start: 1, end: -2, step: 2)), .stridedSlice(.flip(2)),
    .tile(Tile([1, 1, 2, 3])), .adaptivePool(AdaptivePool(.mean, to: .size(Size(1, 2)))),
    .adaptivePool(AdaptivePool(.maximum, to: .factor(Ratio(1, 3)))),
    .averagePool(AveragePool(Pool(kernel: 3, stride: 2, roundsUp: true), countsPadding: true)),
    .expand(Expand(to: .shape([-1, -1, 4, -1]))), .expand(Expand(to: .shapeOfSecondInput)),
    .reshape(
      Reshape(dimensions: [
        .kept, .rest, .input(2, times: Ratio(1, 2)), .size(2), .input(3, times: Ratio(1)),
      ])),
    .reshape(Reshape(dimensions: [.kept, .rest, .other(3, times: Ratio(1, 3))])),
  ]

  private static let operationsOfVersionOne: [Op] = [
    .convolution(
      Convolution(
        outChannels: 12, kernel: Size(3, 5), dilation: Size(2, 1), groups: 2,
        padding: .explicit(PaddingAmounts(2)))),
    .convolution(Convolution(outChannels: 12, kernel: 3, padding: .same, bias: false)),
    .convolution(Convolution(outChannels: 12, kernel: 3, padding: .same, bias: false)),
    .batchNormalization(
      BatchNormalization(epsilon: 1e-5, momentum: 0.1, scale: true, center: true)),
    .batchNormalization(
      BatchNormalization(epsilon: 1e-3, momentum: 0.01, scale: false, center: false)),
    .activation(.relu), .activation(.leakyRelu(slope: 0.05)), .activation(.elu(alpha: 1)),
    .activation(.elu(alpha: 0.5)), .activation(.gelu(approximate: false)),
    .activation(.gelu(approximate: true)), .activation(.silu), .activation(.sigmoid),
    .activation(.tanh), .activation(.clamp(minimum: -0.75, maximum: 1)),
    .prelu(PReLU(perChannel: true)), .prelu(PReLU(perChannel: false)), .scale(Scale([0.5])),
    .scale(Scale([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5])), .offset(Offset([-1])),
    .dropout(Dropout(rate: 0.1)),
    .maxPool(MaxPool(Pool(kernel: 2, stride: 2, padding: .valid))),
    .maxPool(MaxPool(Pool(kernel: Size(3, 2), stride: 1, padding: .same))),
    .averagePool(
      AveragePool(Pool(kernel: 3, stride: 1, padding: .explicit(1)), countsPadding: false)),
    .transposedConvolution(
      TransposedConvolution(
        outChannels: 6, kernel: 3, stride: 2, groups: 2, padding: PaddingAmounts(1, 1, 0, 0),
        bias: false)),
    .transposedConvolution(
      TransposedConvolution(outChannels: 6, kernel: 1, stride: 1, groups: 1, padding: 0, bias: true)
    ),
    .binary(.add), .binary(.subtract), .globalAveragePool, .binary(.multiply),
    .concatenate(Concatenate()),
    .slice(ChannelSlice(start: 2, count: 18)),
    .pixelShuffle(PixelShuffle(factor: 3, order: .pytorch)),
    .pixelUnshuffle(PixelUnshuffle(factor: 3, order: .tensorflow)),
    .pixelShuffle(PixelShuffle(factor: 3, order: .pytorch)),
    .resize(
      Resize(
        .nearest, to: .factor(Ratio(1, 3)), coordinates: .asymmetric, edge: .edge, antialias: false)
    ),
    .resize(
      Resize(
        .linear, to: .factor(Ratio(2)), coordinates: .alignCorners, edge: .edge, antialias: false)),
    .resize(
      Resize(
        .cubic(a: -0.5), to: .factor(Ratio(1, 2)), coordinates: .halfPixel, edge: .symmetric,
        antialias: true)),
    .resize(
      Resize(
        .lanczos(lobes: 3), to: .sizeOfSecondInput, coordinates: .halfPixel, edge: .edge,
        antialias: false)),
    .pad(Pad(PaddingAmounts(1, 2, 3, 0), .zero)), .pad(Pad(1, .reflect)), .pad(Pad(1, .edge)),
    .crop(Crop(PaddingAmounts(3, 4, 5, 2))),
    .reduce(Reduction(.mean, dimensions: [2, 3], keepsDimensions: true)),
    .reduce(Reduction(.maximum, dimensions: [1], keepsDimensions: false)),
    .reduce(Reduction(.sum, dimensions: [1], keepsDimensions: true)),
    .reshape(Reshape([0, 2, -1])),
    .permute(Permute([0, 2, 1])), .roll(Roll(shifts: [5, -1], dimensions: [1, 2])),
    .layerNormalization(LayerNormalization(dimensions: 1, epsilon: 1e-5)),
    .layerNormalization(LayerNormalization(dimensions: 2, epsilon: 1e-6)),
    .linear(Linear(outFeatures: 2, bias: true)),
    .linear(Linear(outFeatures: 2, bias: false)), .permute(Permute([0, 2, 1])), .matmul,
    .softmax(Softmax(dimension: 2)),
    .softmax(Softmax(dimension: 1)),
  ]
}
