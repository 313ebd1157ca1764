import AviaryGraph
import Testing

@Suite struct MatrixTests {
  @Test func matmul() throws {
    for (a, b) in [
      ([1, 1, 3, 4], [1, 1, 4, 5]), ([2, 3, 5, 7], [2, 3, 7, 2]), ([2, 1, 5, 7], [2, 3, 7, 2]),
      ([2, 3, 5, 1], [1, 3, 1, 9]), ([2, 3, 33, 65], [2, 3, 65, 17]),
    ] {
      try expectEqual(.matmul, a, others: [b])
    }
  }

  @Test func softmax() throws {
    for dimension in 0..<4 {
      try expectEqual(.softmax(Softmax(dimension: dimension)), [3, 5, 7, 11])
    }
  }

  @Test(arguments: [Reduction.Kind.mean, .sum, .maximum])
  func reduce(_ kind: Reduction.Kind) throws {
    for dimensions in [[0], [1], [2], [3], [2, 3], [1, 3], [3, 0], [0, 1, 2, 3]] {
      for keeps in [true, false] {
        let reduction = Reduction(kind, dimensions: dimensions, keepsDimensions: keeps)
        try expectEqual(.reduce(reduction), [3, 5, 4, 6])
        try expectEqual(.reduce(reduction), [1, 1, 1, 1])
      }
    }
  }

  @Test func permute() throws {
    for order in [[0, 1, 2, 3], [0, 2, 3, 1], [3, 2, 1, 0], [0, 1, 3, 2], [1, 0, 3, 2]] {
      try expectEqual(.permute(Permute(order)), [2, 3, 5, 7])
    }
  }

  @Test func roll() throws {
    for (shifts, dimensions) in [
      ([1], [3]), ([-2, 3], [2, 3]), ([7, -9, 1], [0, 1, 3]), ([0], [2]),
    ] {
      try expectEqual(.roll(Roll(shifts: shifts, dimensions: dimensions)), [2, 3, 5, 7])
    }
  }

  /// Window attention as in SwinIR, in small: every operation of matrices at work together, on
  /// values of up to six dimensions.
  @Test func attention() throws {
    let (side, window, channels) = (8, 4, 6)
    let windows = side / window
    // By hand, as builders check on large images and this network takes one size only.
    var nodes: [Graph.Node] = []
    func add(_ op: Op, _ inputs: Int..., parameters: [String] = []) -> Int {
      let name = "node_\(nodes.count)"
      nodes.append(
        Graph.Node(name, op, inputs: inputs, parameters: parameters.map { "\(name).\($0)" }))
      return nodes.count
    }
    let both = ["weight", "bias"]
    let embed = add(
      .convolution(Convolution(outChannels: channels, kernel: 3, padding: .same)), 0,
      parameters: both)
    let rolled = add(.roll(Roll(shifts: [-2, -2], dimensions: [2, 3])), embed)
    let split = add(.reshape(Reshape([0, channels, windows, window, windows, window])), rolled)
    let grouped = add(.permute(Permute([0, 2, 4, 3, 5, 1])), split)
    let flat = add(.reshape(Reshape([-1, window * window, channels])), grouped)
    let tokens = add(
      .layerNormalization(LayerNormalization(dimensions: 1, epsilon: 1e-5)), flat, parameters: both)
    let q = add(.linear(Linear(outFeatures: channels, bias: true)), tokens, parameters: both)
    let k = add(.linear(Linear(outFeatures: channels, bias: false)), tokens, parameters: ["weight"])
    let v = add(.linear(Linear(outFeatures: channels, bias: true)), tokens, parameters: both)
    let products = add(.matmul, q, add(.permute(Permute([0, 2, 1])), k))
    let scores = add(.softmax(Softmax(dimension: 2)), add(.scale(Scale([0.4])), products))
    let mixed = add(.binary(.add), add(.matmul, scores, v), tokens)
    let active = add(.activation(.gelu(approximate: false)), mixed)
    let apart = add(.reshape(Reshape([-1, windows, windows, window, window, channels])), active)
    let picture = add(
      .reshape(Reshape([0, channels, side, side])),
      add(.permute(Permute([0, 5, 1, 3, 2, 4])), apart))
    let back = add(.roll(Roll(shifts: [2, 2], dimensions: [2, 3])), picture)
    let mean = add(.reduce(Reduction(.mean, dimensions: [2, 3])), back)
    let sum = add(.binary(.add), add(.binary(.multiply), back, mean), embed)
    let normalized = add(
      .layerNormalization(LayerNormalization(dimensions: 2, epsilon: 1e-3)), sum, parameters: both)
    let graph = try Graph(
      inputs: [Graph.Input("image", channels: 3, size: Size(side))], nodes: nodes,
      outputs: [Graph.Output("output", value: normalized)])
    try expectEqual(graph, [[2, 3, side, side]])
  }
}
