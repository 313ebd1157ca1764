@testable import AviaryGraph
import Testing

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
            outChannels: 1, kernel: Size(5, 3), dilation: Size(1, 2),
            padding: .explicit(PaddingAmounts(2)))),
        // PyTorch's padding 1 and output padding 1.
        .transposedConvolution(
          TransposedConvolution(
            outChannels: 1, kernel: 3, stride: 2, padding: PaddingAmounts(1, 1, 0, 0))),
        .transposedConvolution(
          TransposedConvolution(outChannels: 1, kernel: 4, stride: 2, padding: 1)),
        .transposedConvolution(
          TransposedConvolution(
            outChannels: 1, kernel: 2, stride: 3, padding: PaddingAmounts(0, 0, -1, -1))),
      ])
    #expect(try graph.shapes(height: 5, width: 7).last == [1, 1, 60, 84])
  }

  /// The first mistake is thrown, and what follows it does no harm.
  @Test func mistakes() {
    #expect(
      problem { $0.convolution("a", 4, kernel: 2).convolution("b", 0, kernel: 3) }
        == "a: padding: expected a stated padding for an even kernel, found nothing")
    #expect(
      problem { $0.convolution("a", 4, kernel: 3) + $0 }
        == "add_1: add: inputs of shapes [1, 4, 7680, 7680] and "
        + "[1, 3, 7680, 7680] do not fit together")
    #expect(
      problem { $0.convolution("a", 3, kernel: 3).convolution("a", 3, kernel: 3) }
        == "a: a second layer of this name (say `shared: true` to use the same parameters)")
    #expect(
      problem { $0.convolution("a", 3, kernel: 3, shared: true) }
        == "a: said to share parameters, but no earlier layer has this name")
    #expect(
      problem {
        $0.convolution("a", 3, kernel: 3).convolution("a", 3, kernel: 5, shared: true)
      } == "a.weight: its first node needs shape [3, 3, 3, 3], a later one [3, 3, 5, 5]")
    #expect(
      problem { $0.pixelShuffle(2) }
        == "pixelShuffle_1: pixelShuffle: expected channels divisible by 4, found 3")
    #expect(
      problem { $0.resize(.nearest, by: 0) } == "resize: factor: expected 1 to 4096, found 0")
    #expect(
      problem { $0.resize(.nearest, by: .min) }
        == "resize: factor: expected 1 to 4096, found -9223372036854775808")
    #expect(
      problem { $0.convolution("image", 3, kernel: 3) }
        == "image: a second layer of this name (say `shared: true` to use the same parameters)")
    #expect(
      problem { $0.convolution("a", .max, kernel: Size(.max), dilation: Size(.max)) }
        == "a: outChannels: expected 1 to 1048576, found 9223372036854775807")
    #expect(
      problem { $0.transposedConvolution("a", 1, kernel: Size(.max), stride: Size(.min)) }
        == "a: kernel: expected 1 to 4096, found 9223372036854775807")
    for channels in [0, -1, .max] {
      #expect(
        problem(channels: channels) { $0 }
          == "image: channels: expected 1 to 1048576, found \(channels)")
    }
    #expect(problem { $0 } == "0 nodes")
    #expect(
      problem { x in (0...GraphLimits.nodes).reduce(x) { x, _ in x.relu() } }
        == "nodes: 20001 exceeds the limit of 20000")
  }

  @Test func valuesOfAnotherGraph() throws {
    var external: [Value] = []
    _ = try Graph(channels: 1) { x in
      external.append(x.relu())
      return [x]
    }
    #expect(
      problem(channels: 1) { $0 + external[0] }
        == "add: takes 'a value of another graph', which is no input or node")
    #expect(
      problem(channels: 1) { _ in external[0] }
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
