import AviaryGraph
import Testing

/// Tensors that an architecture knows and does not read.
@Suite struct UnusedTensorsTests {
  @Test func patterns() {
    let unused = [
      UnusedTensors("upsample.up{i}.*", "another scale's"),
      UnusedTensors("residual.{i}.act.weight", "not applied"),
    ]
    #expect(unused.reason(for: "upsample.up3.body.0.weight") == "another scale's")
    #expect(unused.reason(for: "residual.12.act.weight") == "not applied")
    for name in [
      "upsample.up.body.0.weight", "upsample.up3", "residual.1.act.weight.0",
      "residual.x.act.weight",
    ] {
      #expect(unused.reason(for: name) == nil, "\(name)")
    }
  }

  @Test func positionsInWindows() {
    // Of 2x2 pixels to 2x2, in a table of 3x3, and to the upper left ones of 4x4 in steps of two.
    let plain = UnusedTensors.Buffer(relativePositionsOf: 2)
    #expect(plain.shape == [4, 4])
    #expect(plain.element == .int64)
    #expect(plain.values == [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4])
    let halved = UnusedTensors.Buffer(relativePositionsOf: 4, keyStep: 2)
    #expect(halved.shape == [16, 4])
    #expect(Array(halved.values.prefix(12)) == [4, 3, 1, 0, 4, 3, 1, 0, 5, 4, 2, 1])
    let index = UnusedTensors.Buffer(.relativePosition(window: Size(2, 4)))
    #expect(
      index.values == (0..<64).map { Double(GatherIndex.relativePosition(window: Size(2, 4))[$0]) })
  }

  @Test func masksOfShiftedWindows() {
    // Two windows of 1x2 side by side, shifted by one column: the last has pixels of both ends.
    let mask = ShiftMask(Size(1, 2), shift: Size(0, 1))
    let buffer = UnusedTensors.Buffer(mask, image: Size(1, 4))
    #expect(buffer.shape == [2, 2, 2])
    #expect(buffer.values == [0, 0, 0, 0, 0, -100, -100, 0])
    let halved = UnusedTensors.Buffer(
      ShiftMask(4, shift: 2), image: 4, keyStep: 2)
    #expect(halved.shape == [1, 16, 4])
    #expect(Array(halved.values.prefix(4)) == [0, -100, -100, -100])
  }

  @Test func areNoDifference() throws {
    let graph = try Graph(channels: 1) { [$0.convolution("a", 1, kernel: 3)] }
    let weights = WeightIndex(["a.weight": [1, 1, 3, 3], "a.bias": [1], "mask": [4], "other": [4]])
    let difference = StateDictDifference(
      weights, graph, network: "", unused: [UnusedTensors("mask", "a mask")])
    #expect(difference.extra == ["other"])
    let renamed = difference.renamed { "net.\($0)" }
    #expect(renamed.extra == ["net.other"])
  }
}
