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
          "n\(i)", .convolution(Convolution(filters: 4, kernel: 1)), inputs: [i], parameters: names)
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
        .init("m", .prelu(perChannel: true), inputs: [1], parameters: ["weight"]),
      ], outputs: [.init("y", value: 2)])
    #expect(try Graph(json: JSON(parsing: graph.json.text)) == graph)
  }

  @Test func whatIsRefused() {
    #expect(
      problem { try sharing([["a.weight"]]) }
        == #"n0: parameters for ["weight", "bias"] expected, ["a.weight"] found"#)
    #expect(
      problem { try sharing([["a", "a"]]) }
        == "a: shape [4, 4, 1, 1] expected by its first node, [4] by a later one")
    #expect(
      problem { try sharing([["", "a"]]) }
        == "graph: at least one letter in every name expected, none found")
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
    #expect(problem([]) == "input x: shape [n, 2, height, width] expected, none found")
    #expect(
      problem([[1, 2, 6, 7]]) == "input z: shape [n, 1, 3, 4] expected, none found")
    #expect(
      problem([[1, 3, 6, 7], [1, 1, 3, 4]])
        == "input x: shape [n, 2, height, width] expected, [1, 3, 6, 7] found")
    #expect(
      problem([[1, 2, 0, 7], [1, 1, 3, 4]])
        == "input x: shape [n, 2, height, width] expected, [1, 2, 0, 7] found")
    #expect(
      problem([[1, 2, 6], [1, 1, 3, 4]])
        == "input x: shape [n, 2, height, width] expected, [1, 2, 6] found")
    #expect(
      problem([[1, 2, 6, 7], [1, 1, 4, 3]])
        == "input z: shape [n, 1, 3, 4] expected, [1, 1, 4, 3] found")
    #expect(
      problem([[1, 2, .max, 7], [1, 1, 3, 4]])
        == "input x: shape [n, 2, height, width] expected, [1, 2, 9223372036854775807, 7] found")
    #expect(
      problem([[1, 2, 6, 7], [1, 1, 3, 4], [1, 1, 3, 4]])
        == "shapes for inputs: at most 2 expected, 3 found")
    #expect(
      problem([[1, 2, 1 << 30, 1 << 30], [1, 1, 3, 4]])
        == "up: resize: fewer than 2^48 elements expected, shape [1, 2, 2147483648, 2147483648] found"
    )
  }
}

/// Networks written down with `Value`.
@Suite struct ValueTests {
  private func problem(channels: Int = 3, _ build: (Value) -> Value) -> String {
    do throws(GraphError) {
      return "\(try Graph(channels: channels) { [build($0)] }.nodes.count) nodes"
    } catch {
      return "\(error)"
    }
  }

  @Test func namesOfNodesAndParameters() throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("body.0", 3, kernel: 3).relu()
      let b = a.convolution("body.0", 3, kernel: 3, shared: true).relu()
      return [b + x, (b * 2) - x]
    }
    #expect(
      graph.nodes.map(\.name) == [
        "body.0", "relu_1", "body.0_1", "relu_2", "add_1", "scale_1", "subtract_1",
      ])
    #expect(graph.nodes[2].parameters == ["body.0.weight", "body.0.bias"])
    #expect(graph.parameters.map(\.name) == ["body.0.weight", "body.0.bias"])
    #expect(graph.inputs == [.init("image", channels: 3)])
    #expect(graph.outputs == [.init("output_0", value: 5), .init("output_1", value: 7)])
    #expect(try Graph(json: graph.json) == graph)
  }

  @Test func takenNamesAreLeftAlone() throws {
    let graph = try Graph(channels: 1) { x in
      [x.prelu("relu_1").relu().convolution("relu_3", 1, kernel: 1).relu().relu()]
    }
    #expect(graph.nodes.map(\.name) == ["relu_1", "relu_2", "relu_3", "relu_4", "relu_5"])
  }

  @Test func customaryBorders() throws {
    let graph = try Graph(channels: 1) { x in
      [
        x.convolution("a", 1, kernel: Size(5, 3), dilation: Size(1, 2))
          .transposedConvolution("b", 1, kernel: 3, stride: 2)
          .transposedConvolution("c", 1, kernel: 4, stride: 2)
          .transposedConvolution("d", 1, kernel: 2, stride: 3)
      ]
    }
    let ops = graph.nodes.map(\.op)
    #expect(
      ops == [
        .convolution(
          Convolution(
            filters: 1, kernel: Size(5, 3), dilation: Size(1, 2), border: .explicit(Edges(2)))),
        // PyTorch's padding 1 and output padding 1.
        .transposedConvolution(
          TransposedConvolution(filters: 1, kernel: 3, stride: 2, crops: Edges(1, 1, 0, 0))),
        .transposedConvolution(TransposedConvolution(filters: 1, kernel: 4, stride: 2, crops: 1)),
        .transposedConvolution(
          TransposedConvolution(filters: 1, kernel: 2, stride: 3, crops: Edges(0, 0, -1, -1))),
      ])
    #expect(try graph.shapes(height: 5, width: 7).last == [1, 1, 60, 84])
  }

  /// The first mistake is thrown, and what follows it does no harm.
  @Test func mistakes() {
    #expect(
      problem { $0.convolution("a", 4, kernel: 2).convolution("b", 0, kernel: 3) }
        == "a: border: a stated border for an even kernel expected, nothing found")
    #expect(
      problem { $0.convolution("a", 4, kernel: 3) + $0 }
        == "add_1: add: inputs that fit together expected, [1, 4, 7680, 7680] and "
        + "[1, 3, 7680, 7680] found")
    #expect(
      problem { $0.convolution("a", 3, kernel: 3).convolution("a", 3, kernel: 3) }
        == "a: a second layer of this name (say `shared: true` to use the same parameters)")
    #expect(
      problem { $0.convolution("a", 3, kernel: 3, shared: true) }
        == "a: said to share parameters, but no earlier layer has this name")
    #expect(
      problem {
        $0.convolution("a", 3, kernel: 3).convolution("a", 3, kernel: 5, shared: true)
      } == "a.weight: shape [3, 3, 3, 3] expected by its first node, [3, 3, 5, 5] by a later one")
    #expect(
      problem { $0.pixelShuffle(2) }
        == "pixelShuffle_1: pixelShuffle: channels divisible by 4 expected, 3 found")
    #expect(
      problem { $0.resize(.nearest, by: 0) } == "resize: factor: 1 to 4096 expected, 0 found")
    #expect(
      problem { $0.resize(.nearest, by: .min) }
        == "resize: factor: 1 to 4096 expected, -9223372036854775808 found")
    #expect(
      problem { $0.convolution("image", 3, kernel: 3) }
        == "image: a second layer of this name (say `shared: true` to use the same parameters)")
    #expect(
      problem { $0.convolution("a", .max, kernel: Size(.max), dilation: Size(.max)) }
        == "a: filters: 1 to 1048576 expected, 9223372036854775807 found")
    #expect(
      problem { $0.transposedConvolution("a", 1, kernel: Size(.max), stride: Size(.min)) }
        == "a: kernel: 1 to 4096 expected, 9223372036854775807 found")
    for channels in [0, -1, .max] {
      #expect(
        problem(channels: channels) { $0 }
          == "image: channels: 1 to 1048576 expected, \(channels) found")
    }
    #expect(problem { $0 } == "0 nodes")
    #expect(
      problem { x in (0...GraphLimits.nodes).reduce(x) { x, _ in x.relu() } }
        == "nodes: at most 20000 expected, 20001 found")
  }

  @Test func valuesOfAnotherGraph() throws {
    var foreign: [Value] = []
    _ = try Graph(channels: 1) { x in
      foreign.append(x.relu())
      return [x]
    }
    #expect(
      problem(channels: 1) { $0 + foreign[0] }
        == "add: takes 'a value of another graph', which is no input or node")
    #expect(
      problem(channels: 1) { _ in foreign[0] }
        == "output: takes 'a value of another graph', which is no input or node")
  }

  @Test func channels() throws {
    var seen: [Int] = []
    _ = try Graph(channels: 3) { x in
      seen = [
        x.channels, x.convolution("a", 12, kernel: 1).channels, x.prelu("p").channels,
        Value.concatenate([x, x]).channels,
        x.convolution("b", 12, kernel: 1).pixelShuffle(2).channels,
      ]
      return [x]
    }
    #expect(seen == [3, 12, 3, 6, 3])
  }
}
