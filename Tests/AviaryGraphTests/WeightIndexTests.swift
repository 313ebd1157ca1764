@testable import AviaryGraph
import Testing

/// Names and shapes, by which networks are recognised.
@Suite struct WeightIndexTests {
  @Test func ofAGraphWithoutBookkeeping() throws {
    let graph = try Graph(channels: 3) { x in
      [x.convolution("a", 4, kernel: 3, bias: false).batchNormalization("n").prelu("p")]
    }
    let index = WeightIndex(graph)
    #expect(
      index.shapes == [
        "a.weight": [4, 3, 3, 3], "n.weight": [4], "n.bias": [4], "n.running_mean": [4],
        "n.running_var": [4], "p.weight": [4],
      ])
    #expect(index["n.bias"] == [4])
    #expect(index["n.num_batches_tracked"] == nil)
  }

  @Test func convolutions() {
    let index = WeightIndex(["a.weight": [8, 3, 5, 5], "b.weight": [8, 3], "c": [8, 3, 5, 5]])
    #expect(index.convolution("a") == [8, 3, 5, 5])
    #expect(index.convolution("b") == nil)
    #expect(index.convolution("c") == nil)
    #expect(index.convolution("a.weight") == nil)
  }

  @Test func consecutiveNumbers() {
    let names = [
      "body.0.weight", "body.0.bias", "body.1.conv.weight", "body.2.weight", "body.4.weight",
      "body.x.weight", "bodyguard.3.weight", "head.1.weight", "tail.7",
      "body.99999999999999999999.w",
    ]
    let index = WeightIndex(Dictionary(uniqueKeysWithValues: names.map { ($0, [1]) }))
    #expect(index.count(of: "body") == 3)
    #expect(index.count(of: "body", from: 4) == 1)
    #expect(index.count(of: "head") == 0)
    #expect(index.count(of: "head", from: 1) == 1)
    #expect(index.count(of: "none") == 0)
    #expect(index.count(of: "tail", from: 7) == 1)
  }

  @Test func differences() throws {
    let graph = try Graph(channels: 3) { x in
      [x.convolution("a", 4, kernel: 3).batchNormalization("n")]
    }
    var shapes = WeightIndex(graph).shapes
    #expect(StateDictDifference(WeightIndex(shapes), graph, network: "n").isEmpty)
    // A counter may be there or not, of whatever shape.
    shapes["n.num_batches_tracked"] = []
    #expect(StateDictDifference(WeightIndex(shapes), graph, network: "n").isEmpty)
    shapes["n.num_batches_tracked"] = [1]
    #expect(StateDictDifference(WeightIndex(shapes), graph, network: "n").isEmpty)
    shapes["a.weight"] = [4, 3, 5, 5]
    shapes["a.bias"] = nil
    for name in ["z", "y", "x", "w"] { shapes[name] = [1] }
    let difference = StateDictDifference(WeightIndex(shapes), graph, network: "net {}")
    #expect(!difference.isEmpty)
    #expect(difference.count == 6)
    #expect(
      "\(difference)" == "net {} (missing a.bias; unexpected w, x, y and 1 more; mismatched "
        + "a.weight: expected shape [4, 3, 3, 3], found [4, 3, 5, 5] (kernel height: deduced 3, found 5; kernel width: deduced 3, found 5))"
    )
  }

  @Test func aliasesAreExpected() throws {
    let graph = try Graph(
      inputs: [.init("x", channels: 2)],
      nodes: [.init("p", .prelu(PReLU(perChannel: true)), inputs: [0], parameters: ["p.weight"])],
      outputs: [.init("y", value: 1)], aliases: ["tied.weight": "p.weight"])
    let both = WeightIndex(["p.weight": [2], "tied.weight": [2]])
    #expect(StateDictDifference(both, graph, network: "n").isEmpty)
  }
}
