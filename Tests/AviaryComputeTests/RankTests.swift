import AviaryGraph
import AviaryTestSupport
import Testing

/// Values of up to eight dimensions, in the operations that take any number of them.
@Suite struct RankTests {
  /// What is done to a value of shape [2, 2, 2, 3, 2, 2, 2, 4].
  private static let operations: [(name: String, build: @Sendable (Value) -> Value)] = [
    ("permute", { $0.applying(.permute(Permute([7, 2, 0, 5, 1, 3, 6, 4]))) }),
    ("turned", { $0.applying(.permute(Permute([0, 1, 2, 3, 4, 5, 7, 6]))) }),
    ("roll", { $0.applying(.roll(Roll(shifts: [1, -1, 2], dimensions: [3, 6, 7]))) }),
    ("softmax-last", { $0.applying(.softmax(Softmax(dimension: 7))) }),
    ("softmax-inside", { $0.applying(.softmax(Softmax(dimension: 3))) }),
    ("add", { $0 + $0.applying(.stridedSlice(StridedSlice(dimension: 5, end: 1))) }),
    (
      "multiply",
      { x in
        x.applying(.stridedSlice(StridedSlice(dimension: 7, end: 1)))
          * x.applying(.stridedSlice(StridedSlice(dimension: 2, end: 1)))
      }
    ),
    ("activation", { $0.activation(.gelu(approximate: false)) }),
    ("sum", { $0.applying(.reduce(Reduction(.sum, dimensions: [3, 7]))) }),
    ("maximum", { $0.applying(.reduce(Reduction(.maximum, dimensions: [2, 5]))) }),
    (
      "product", { $0.applying(.matmul, $0.applying(.permute(Permute([0, 1, 2, 3, 4, 5, 7, 6])))) }
    ),
    (
      "product-repeats",
      { x in
        let turned = x.applying(.permute(Permute([0, 1, 2, 3, 4, 5, 7, 6])))
        return x.applying(
          .matmul, turned.applying(.stridedSlice(StridedSlice(dimension: 3, end: 1))))
      }
    ),
    ("linear", { $0.linear("linear", 5) }),
    ("concatenate", { Value.concatenate([$0, $0.relu()], dimension: 6) }),
    ("flip", { $0.applying(.stridedSlice(.flip(4))) }),
    (
      "pad",
      { $0.applying(.padDimension(PadDimension(dimension: 3, before: 1, after: 2, .reflect))) }
    ),
    ("tile", { $0.applying(.tile(Tile([1, 2, 1, 1, 3, 1, 1, 2]))) }),
  ]

  private static func graph(_ build: (Value) -> Value) throws -> Graph {
    let free = try Graph(channels: 24) { x in
      [build(x.applying(.reshape(Reshape([2, 2, 2, 3, 2, 2, 2, -1]))))]
    }
    // Weights over the last dimension are those of one size.
    return try Graph(
      inputs: [Graph.Input(free.inputs[0].name, channels: 24, size: Size(4, 8))],
      nodes: free.nodes, outputs: free.outputs)
  }

  @Test(arguments: operations.map(\.name)) func value(_ name: String) throws {
    let operation = try #require(Self.operations.first { $0.name == name })
    try expectEqual(Self.graph(operation.build), [[1, 24, 4, 8]], name)
  }

  @Test(arguments: operations.map(\.name)) func gradient(_ name: String) throws {
    let operation = try #require(Self.operations.first { $0.name == name })
    try GradientTests().expectGradients(
      Self.graph(operation.build), [[1, 24, 4, 8]], isFast: false, name)
  }
}
