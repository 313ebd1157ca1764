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
