import AviaryCompute
import AviaryGraph
import Testing

/// Plans of whose primitives oneDNN has dropped some since they were lowered: it keeps the last 1024
/// of a process, whose plans may be many or large. Serialized, as the number is that of the process.
@Suite(.serialized) struct PrimitiveCacheTests {
  @Test("what was dropped is made anew, with its own activations", arguments: [0, 1, 2, 3, 5, 8])
  func droppedPrimitives(_ most: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", 17, kernel: 3).relu()
      let b = a.transposedConvolution("b", 17, kernel: 4, stride: 2).leakyRelu(0.2)
      let c = b.convolution("c", 17, kernel: 1, groups: 17).activation(
        .clamp(minimum: 0, maximum: 1))
      let d = (c.convolution("d", 17, kernel: 3).leakyRelu(0.7) + c).relu()
      return [d.convolution("e", 32, kernel: 3, groups: 1) + b.convolution("f", 32, kernel: 1)]
    }
    try Engine.keepingPrimitives(most) {
      for _ in 0..<3 {
        try expectEqual(graph, [[1, 3, 8, 7]])
        try expectEqual(graph, [[2, 3, 8, 7]])
      }
    }
  }

  @Test("gradients too", arguments: [1, 4])
  func droppedGradients(_ most: Int) throws {
    try Engine.keepingPrimitives(most) { try GradientTests().slices(2) }
  }
}
