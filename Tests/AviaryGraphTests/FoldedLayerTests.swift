import AviaryGraph
import Testing

/// Layers in the form in which they were trained, told by names and shapes.
@Suite struct FoldedLayerTests {
  @Test(arguments: [
    ["a.weight_g": [8, 1, 1, 1], "a.weight_v": [8, 4, 3, 3]],
    [
      "a.parametrizations.weight.original0": [8, 1, 1, 1],
      "a.parametrizations.weight.original1": [8, 4, 3, 3],
    ],
    ["a.weight_orig": [8, 4, 3, 3], "a.weight_u": [8], "a.weight_v": [36]],
    [
      "a.parametrizations.weight.original": [8, 4, 3, 3],
      "a.parametrizations.weight.0._u": [8], "a.parametrizations.weight.0._v": [36],
    ],
  ])
  func normalisedWeights(_ shapes: [String: [Int]]) {
    let (index, layers) = WeightIndex(shapes.merging(["a.bias": [8], "b.weight": [2]]) { $1 })
      .folded()
    #expect(index.shapes == ["a.weight": [8, 4, 3, 3], "a.bias": [8], "b.weight": [2]])
    #expect(layers.map(\.layer) == ["a"])
  }

  private let branches: [String: [Int]] = [
    "a.sk.weight": [6, 4, 1, 1], "a.conv.0.weight": [8, 4, 1, 1],
    "a.conv.1.weight": [12, 8, 3, 3], "a.conv.2.weight": [6, 12, 1, 1],
    "a.sk.bias": [6], "a.conv.0.bias": [8], "a.conv.1.bias": [12], "a.conv.2.bias": [6],
    "a.eval_conv.weight": [6, 4, 3, 3], "a.eval_conv.bias": [6],
  ]

  @Test func parallelBranches() {
    let (index, layers) = WeightIndex(branches).folded()
    #expect(index.shapes == ["a.weight": [6, 4, 3, 3], "a.bias": [6]])
    #expect(layers.map(\.kind) == [.branches])
    // A file for inference may hold the result alone.
    let fused = WeightIndex(branches.filter { $0.key.contains("eval_conv") }).folded()
    #expect(fused.index.shapes == ["a.weight": [6, 4, 3, 3], "a.bias": [6]])
    #expect(fused.layers.map(\.kind) == [.fusedBranches])
  }

  private var parallel: [String: [Int]] {
    Dictionary(uniqueKeysWithValues: branches.map { ("a.conv3" + $0.dropFirst(), $1) }).merging([
      "a.conv1.k0": [12, 4, 1, 1], "a.conv1.b0": [12], "a.conv1.k1": [6, 12, 3, 3],
      "a.conv1.b1": [6], "a.conv2.weight": [6, 4, 3, 3], "a.conv2.bias": [6], "a.alpha": [3],
      "a.conv_3x3_rep.weight": [6, 4, 3, 3], "a.conv_3x3_rep.bias": [6],
    ]) { $1 }
  }

  /// The branches within are no layer of their own.
  @Test func parallelConvolutions() {
    let (index, layers) = WeightIndex(parallel).folded()
    #expect(index.shapes == ["a.weight": [6, 4, 3, 3], "a.bias": [6]])
    #expect(layers.map(\.kind) == [.parallel])
    let fused = WeightIndex(parallel.filter { $0.key.contains("rep") }).folded()
    #expect(fused.index.shapes == ["a.weight": [6, 4, 3, 3], "a.bias": [6]])
    #expect(fused.layers.map(\.kind) == [.fusedBranches])
    // With a part of another shape, the branches alone are a layer.
    let (rest, others) = WeightIndex(parallel.merging(["a.alpha": [2]]) { $1 }).folded()
    #expect(others.map(\.layer) == ["a.conv3"])
    #expect(rest.shapes["a.alpha"] == [2])
  }

  private let depthwise: [String: [Int]] = [
    "a.conv1x1.weight": [6, 1, 1, 1], "a.conv1x1.bias": [6],
    "a.conv3x3.weight": [6, 1, 3, 3], "a.conv3x3.bias": [6],
    "a.conv5x5.weight": [6, 1, 5, 5], "a.conv5x5.bias": [6],
    "a.alpha1": [1, 6, 1, 1], "a.alpha2": [1, 6, 1, 1], "a.alpha3": [1, 6, 1, 1],
    "a.alpha4": [1, 6, 1, 1],
    "a.conv5x5_reparam.weight": [6, 1, 5, 5], "a.conv5x5_reparam.bias": [6],
  ]

  @Test func depthwiseConvolutions() {
    let (index, layers) = WeightIndex(depthwise).folded()
    #expect(index.shapes == ["a.weight": [6, 1, 5, 5], "a.bias": [6]])
    #expect(layers.map(\.kind) == [.depthwise])
    let fused = WeightIndex(depthwise.filter { $0.key.contains("reparam") }).folded()
    #expect(fused.index.shapes == index.shapes)
  }

  @Test func collapsibleBlocks() {
    let shapes = [
      "a.conv_expand.weight": [40, 4, 5, 5], "a.conv_squeeze.weight": [6, 40, 1, 1],
      "a.conv_squeeze.bias": [6],
    ]
    let (index, layers) = WeightIndex(shapes).folded()
    #expect(index.shapes == ["a.weight": [6, 4, 5, 5], "a.bias": [6]])
    #expect(layers.map(\.kind) == [.collapsible])
    // Collapsed already: the layer is as it stands.
    let collapsed = ["a.conv_expand.weight": [6, 4, 5, 5], "a.conv_expand.bias": [6]]
    #expect(WeightIndex(collapsed).folded().index.shapes == collapsed)
  }

  @Test(arguments: [
    // A magnitude for every element, and one for no dimension that there is.
    ["a.weight_g": [8, 4, 3, 3], "a.weight_v": [8, 4, 3, 3]],
    ["a.weight_g": [7, 1, 1, 1], "a.weight_v": [8, 4, 3, 3]],
    ["a.weight_g": [8, 1, 1, 1]],
    // The layer has its weight already.
    ["a.weight_g": [8, 1, 1, 1], "a.weight_v": [8, 4, 3, 3], "a.weight": [8, 4, 3, 3]],
    // Vectors of other lengths, and products that overflow.
    ["a.weight_orig": [8, 4, 3, 3], "a.weight_u": [8], "a.weight_v": [35]],
    ["a.weight_orig": [Int.max, 4], "a.weight_u": [Int.max], "a.weight_v": [4]],
    // Branches that do not meet.
    [
      "a.sk.weight": [6, 4, 1, 1], "a.conv.0.weight": [8, 4, 1, 1],
      "a.conv.1.weight": [12, 9, 3, 3], "a.conv.2.weight": [6, 12, 1, 1],
    ],
    // Convolutions that do not meet, and those of other sizes.
    [
      "a.conv_expand.weight": [40, 4, 5, 5], "a.conv_squeeze.weight": [6, 39, 1, 1],
      "a.conv_squeeze.bias": [6],
    ],
    ["a.alpha4": [1, 6, 1, 1], "a.conv5x5.weight": [6, 1, 5, 5], "a.conv5x5.bias": [6]],
  ])
  func whatIsNoneOfThem(_ shapes: [String: [Int]]) {
    let (index, layers) = WeightIndex(shapes).folded()
    #expect(index.shapes == shapes)
    #expect(layers.isEmpty)
  }
}
