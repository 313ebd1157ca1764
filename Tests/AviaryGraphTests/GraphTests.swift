@testable import AviaryGraph
import Testing

/// Graphs made in Swift: what is derived, what is refused.
@Suite struct GraphTests {
  private func problem(_ body: () throws -> Graph) -> String {
    do { return "\(try body().nodes.count) nodes" } catch { return "\(error)" }
  }

  private func sharing(_ parameters: [[String]]) throws(GraphError) -> Graph {
    try Graph(
      inputs: [.init("x", channels: 4)],
      nodes: parameters.enumerated().map { i, names in
        .init(
          "n\(i)", .convolution(Convolution(outChannels: 4, kernel: 1)), inputs: [i],
          parameters: names)
      }, outputs: [.init("y", value: parameters.count)])
  }

  @Test func sharedParametersAreListedOnce() throws {
    let graph = try sharing([["a.weight", "a.bias"], ["b.w", "b.b"], ["a.weight", "b.b"]])
    #expect(graph.parameters.map(\.name) == ["a.weight", "a.bias", "b.w", "b.b"])
    #expect(graph.parameterCount == 16 + 4 + 16 + 4)
    #expect(try Graph(json: JSON(parsing: graph.json.text)) == graph)
  }

  /// The customary names are left out of the JSON, but not where they stand in for each other.
  @Test func parametersThatExchangeNames() throws {
    let graph = try Graph(
      inputs: [.init("x", channels: 4)],
      nodes: [
        .init(
          "n", .batchNormalization(BatchNormalization()), inputs: [0],
          parameters: [
            "n.bias", "n.weight", "n.running_var", "n.running_mean", "n.num_batches_tracked",
          ]),
        .init("m", .prelu(PReLU(perChannel: true)), inputs: [1], parameters: ["weight"]),
      ], outputs: [.init("y", value: 2)])
    #expect(try Graph(json: JSON(parsing: graph.json.text)) == graph)
  }

  @Test func whatIsRefused() {
    #expect(
      problem { try sharing([["a.weight"]]) }
        == #"n0: expected parameters for ["weight", "bias"], found ["a.weight"]"#)
    #expect(
      problem { try sharing([["a", "a"]]) }
        == "a: its first node needs shape [4, 4, 1, 1], a later one [4]")
    #expect(
      problem { try sharing([["", "a"]]) }
        == "graph: at least one letter in every name is needed; there is none")
    let relu = Graph.Node("a", .activation(.relu), inputs: [0])
    #expect(
      problem {
        try Graph(inputs: [.init("x", channels: 1)], nodes: [relu], outputs: [.init("y", value: 2)])
      }
        == "output y: takes 'value 2', which is no input or node")
    #expect(
      problem {
        try Graph(
          inputs: [.init("x", channels: 1)], nodes: [relu], outputs: [.init("y", value: -1)])
      }
        == "output y: takes 'value -1', which is no input or node")
    for value in [-1, 1, 2, .max] {
      #expect(
        problem {
          try Graph(
            inputs: [.init("x", channels: 1)],
            nodes: [.init("a", .activation(.relu), inputs: [value])],
            outputs: [.init("y", value: 0)])
        } == "a: takes 'value \(value)', which comes later or is the node itself; a graph has no "
          + "cycles and lists nodes in order of execution")
    }
  }

  @Test("a batch of kernels that gives other channels than there are weights for is refused")
  func channelsOfABatch() throws {
    let graph = try Graph(
      inputs: [
        .init("image", channels: 2, size: Size(7, 8)),
        .init("kernels", channels: 2, size: Size(3, 3)),
      ],
      nodes: [
        .init("dynamic", .dynamicConvolution(DynamicConvolution()), inputs: [0, 1]),
        .init(
          "last", .convolution(Convolution(outChannels: 3, kernel: 1)), inputs: [2],
          parameters: ["last.weight", "last.bias"]),
      ], outputs: [.init("y", value: 3)])
    #expect(try graph.shapes(for: [[1, 2, 7, 8], [1, 2, 3, 3]]).last == [1, 3, 5, 6])
    #expect {
      try graph.shapes(for: [[1, 2, 7, 8], [4, 2, 3, 3]])
    } throws: {
      "\($0)"
        == "last: convolution: expected a size for which 'last.weight' has shape [3, 1, 1, 1], "
        + "found one for [3, 4, 1, 1]"
    }
  }

  @Test func shapesOfAllValues() throws {
    let graph = try Graph(
      inputs: [.init("x", channels: 2), .init("z", channels: 1, size: Size(3, 4))],
      nodes: [
        .init("up", .resize(Resize(.nearest, to: .factor(Ratio(2)))), inputs: [0]),
        .init("to", .resize(Resize(.linear, to: .sizeOfSecondInput)), inputs: [2, 1]),
      ], outputs: [.init("y", value: 3)])
    #expect(
      try graph.shapes(for: [[5, 2, 6, 7], [1, 1, 3, 4]])
        == [[5, 2, 6, 7], [1, 1, 3, 4], [5, 2, 12, 14], [5, 2, 3, 4]])
    #expect(graph.valueCount == 4)
    #expect((0..<4).map(graph.name(ofValue:)) == ["x", "z", "up", "to"])
    func problem(_ shapes: [[Int]]) -> String {
      do throws(GraphError) { return "\(try graph.shapes(for: shapes))" } catch {
        return "\(error)"
      }
    }
    #expect(problem([]) == "input x: expected shape [n, 2, height, width], found none")
    #expect(
      problem([[1, 2, 6, 7]]) == "input z: expected shape [n, 1, 3, 4], found none")
    #expect(
      problem([[1, 3, 6, 7], [1, 1, 3, 4]])
        == "input x: expected shape [n, 2, height, width], found [1, 3, 6, 7]")
    #expect(
      problem([[1, 2, 0, 7], [1, 1, 3, 4]])
        == "input x: expected shape [n, 2, height, width], found [1, 2, 0, 7]")
    #expect(
      problem([[1, 2, 6], [1, 1, 3, 4]])
        == "input x: expected shape [n, 2, height, width], found [1, 2, 6]")
    #expect(
      problem([[1, 2, 6, 7], [1, 1, 4, 3]])
        == "input z: expected shape [n, 1, 3, 4], found [1, 1, 4, 3]")
    #expect(
      problem([[1, 2, .max, 7], [1, 1, 3, 4]])
        == "input x: expected shape [n, 2, height, width], found [1, 2, 9223372036854775807, 7]")
    #expect(
      problem([[1, 2, 6, 7], [1, 1, 3, 4], [1, 1, 3, 4]])
        == "shapes for inputs: 3 exceeds the limit of 2")
    #expect(
      problem([[1, 2, 1 << 30, 1 << 30], [1, 1, 3, 4]])
        == "up: resize: shape [1, 2, 2147483648, 2147483648] has 2^48 elements or more"
    )
  }
}
