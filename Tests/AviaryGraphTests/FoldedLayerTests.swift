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
  ])
  func whatIsNoneOfThem(_ shapes: [String: [Int]]) {
    let (index, layers) = WeightIndex(shapes).folded()
    #expect(index.shapes == shapes)
    #expect(layers.isEmpty)
  }
}
