import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryCompute

/// Products and elementwise passes that read through permutes, and what must not be read through.
@Suite struct PermuteFoldingTests {
  private func operations(_ graph: Graph, _ shapes: [[Int]]) throws -> [String] {
    let weights = PackedWeights(randomWeights(for: graph, seed: 1))
    return try Plan(graph, weights: weights, inputShapes: shapes, engine: Engine()).steps
      .map(\.operation)
  }

  /// Every order of four dimensions that leaves the first one, of which graphs are checked with one
  /// element.
  private static let orders = [
    [0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1],
  ]

  private static func input(_ name: String, _ shape: [Int]) -> Graph.Input {
    Graph.Input(name, channels: shape[1], size: Size(shape[2], shape[3]))
  }

  /// The shape that becomes another one in an order.
  private static func source(_ shape: [Int], _ order: [Int]) -> [Int] {
    order.indices.map { i in shape[order.firstIndex(of: i) ?? 0] }
  }

  @Test(arguments: orders) func products(_ order: [Int]) throws {
    // Of one size also: then nothing but the order tells what is read.
    for (a, b) in [([2, 3, 5, 7], [2, 3, 7, 6]), ([4, 4, 4, 4], [4, 4, 4, 4])] {
      let shapes = [Self.source(a, order), b, Self.source(b, order), a]
      let graph = try Graph(
        inputs: shapes.enumerated().map { Self.input("in\($0)", $1) },
        nodes: [
          Graph.Node("first", .permute(Permute(order)), inputs: [0]),
          Graph.Node("product", .matmul, inputs: [4, 1]),
          Graph.Node("second", .permute(Permute(order)), inputs: [2]),
          Graph.Node("other", .matmul, inputs: [3, 6]),
        ], outputs: [Graph.Output("a", value: 5), Graph.Output("b", value: 7)])
      try expectEqual(graph, shapes)
    }
  }

  /// Transposed matrices take no copy at all, whoever else takes them.
  @Test func transpositions() throws {
    let graph = try Graph(channels: 3) { x in
      let turned = x.applying(.permute(Permute([0, 1, 3, 2])))
      let scores = x.applying(.matmul, turned).applying(.softmax(Softmax(dimension: 3)))
      return [scores.applying(.matmul, turned.applying(.permute(Permute([0, 1, 3, 2]))))]
    }
    try expectEqual(graph, [[2, 3, 9, 9]])
    #expect(try operations(graph, [[2, 3, 9, 9]]) == ["matmul", "softmax", "matmul"])
  }

  /// An elementwise pass reads lines wherever they lie; what is turned about is copied before.
  @Test(arguments: orders) func passes(_ order: [Int]) throws {
    for shape in [[2, 3, 5, 24], [16, 16, 16, 16]] {
      let other = order.map { shape[$0] }
      let graph = try Graph(inputs: [Self.input("a", shape), Self.input("b", other)]) { inputs in
        let turned = inputs[0].applying(.permute(Permute(order)))
        return [((turned * inputs[1]).activation(.tanh) + inputs[1]).activation(.sigmoid)]
      }
      try expectEqual(graph, [shape, other])
      if order.last == 3 { #expect(try operations(graph, [shape, other]) == ["pointwise"]) }
    }
  }

  /// A result must not be written over what is still to be read in another order.
  @Test func operandsAreNotOverwritten() throws {
    let graph = try Graph(inputs: [Self.input("x", [1, 16, 16, 16])]) { inputs in
      let y = inputs[0].activation(.tanh).applying(.softmax(Softmax(dimension: 3)))
      let turned = y.applying(.permute(Permute([0, 2, 1, 3])))
      // The same value as it is and turned, and repeated lines of it.
      let sum = y + turned
      return [sum, (sum.applying(.permute(Permute([0, 2, 1, 3]))) - y).activation(.exp)]
    }
    try expectEqual(graph, [[2, 16, 16, 16]])
  }

  /// One that repeats along dimensions of the result.
  @Test func repeats() throws {
    let shapes = [[2, 6, 4, 20], [2, 6, 20, 20]]
    let graph = try Graph(
      inputs: [Self.input("a", shapes[0]), Self.input("b", shapes[1])]
    ) { inputs in
      // [2, 6, 4, 1, 20] of [2, 6, 4, 5, 20].
      let line = inputs[0].applying(.reshape(Reshape([0, 6, 1, 4, 20])))
        .applying(.permute(Permute([0, 1, 3, 2, 4])))
      let whole = inputs[1].applying(.reshape(Reshape([0, 6, 4, 5, 20])))
      return [(line * whole).activation(.tanh)]
    }
    try expectEqual(graph, shapes)
  }

  /// Gradients through permutes that are read through.
  @Test func gradients() throws {
    let graph = try Graph(channels: 3) { x in
      let q = x.convolution("q", 4, kernel: 1), k = x.convolution("k", 4, kernel: 1)
      let turned = k.applying(.permute(Permute([0, 2, 3, 1])))
      let other = q.applying(.permute(Permute([0, 2, 1, 3])))
      return [turned.applying(.matmul, other).activation(.tanh), other * other]
    }
    let weights = randomWeights(for: graph, seed: 4)
    let inputs = [graph.inputs[0].name: randomTensor([2, 3, 5, 18], seed: 5)]
    var plan = try TrainingPlan(
      graph, inputShapes: [[2, 3, 5, 18]], gradientsOf: [.parameters, .inputs],
      options: PlanOptions(exact: true), engine: Engine())
    var generator = SplitMix64(seed: 6)
    var cotangents: [String: Tensor] = [:]
    for (name, shape) in plan.outputShapes.sorted(by: { $0.key < $1.key }) {
      cotangents[name] = generator.tensor(shape)
    }
    _ = try plan.forward(inputs, parameters: weights)
    let gradients = try plan.backward(cotangents)
    let differences = try FiniteDifferences(
      graph, weights: weights, inputs: inputs, cotangents: cotangents)
    for (name, gradient) in gradients.parameters.merging(gradients.inputs, uniquingKeysWith: { $1 })
    {
      let direction = generator.tensor(gradient.shape)
      let slopes = try differences.slopes(by: name, along: direction)
      let products = zip(gradient.floats, direction.floats).map { Double($0) * Double($1) }
      let (found, expected) = (products.reduce(0, +), (slopes.below + slopes.above) / 2)
      let size = products.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(abs(found - expected) <= 1e-4 * max(size, abs(expected)), "\(name)")
    }
  }
}
