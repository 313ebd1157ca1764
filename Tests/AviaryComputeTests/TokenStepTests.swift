import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Windowed attention and products of tokens in one pass, against the operations that they are made
/// of: windows, shifts, heads, sizes that leave blocks of tokens half empty, one thread and two, and
/// registers of every width.
@Suite struct TokenStepTests {
  private static let toTokens = Op.permute(Permute([0, 2, 3, 1]))
  private static let toImage = Op.permute(Permute([0, 3, 1, 2]))

  /// The registers that this processor has, in numbers that each holds.
  private static func widths() throws -> [Int] {
    let widest = try Engine(threads: 1).registerWidth
    return [4, 8, 16].filter { $0 <= widest }
  }

  /// A block of Swin Transformer, from an image to an image.
  private static func block(
    _ channels: Int, _ attention: WindowAttention, hidden: Int, bias: Bool = true,
    size: Size? = nil
  ) throws -> Graph {
    try Graph(channels: channels, size: size) { image in
      let x = image.applying(toTokens)
      let attended = x.layerNormalization("norm1").linear("qkv", 3 * channels, bias: bias)
        .applying(toImage).windowAttention("attn", attention).applying(toTokens)
        .linear("proj", channels)
      let y = x + attended
      let hidden = y.layerNormalization("norm2").linear("fc1", hidden)
      let result = y + hidden.activation(.gelu(approximate: false)).linear("fc2", channels)
      return [result.applying(toImage)]
    }
  }

  private static let attentionStep = "layer norm + linear + windowed attention + linear + add"
  private static let chainStep = "layer norm + linear + GELU + linear + add"

  /// Runs a graph in every way; the operations of its steps are given back.
  private func operations(
    _ graph: Graph, _ shapes: [[Int]], of values: ClosedRange<Float> = -1...1, seed: UInt64 = 1
  ) throws -> [String] {
    let weights = randomWeights(for: graph, seed: seed)
    var generator = SplitMix64(seed: seed &+ 1)
    var inputs: [String: Tensor] = [:]
    for (input, shape) in zip(graph.inputs, shapes) {
      inputs[input.name] = generator.tensor(shape, in: values)
    }
    let expected = try naive(graph, weights: weights, inputs: inputs)
    var operations: [String] = []
    for width in try Self.widths() {
      for threads in [1, 2] {
        var engine = try Engine(threads: threads)
        engine.registerWidth = width
        var plan = try Plan(
          graph, weights: PackedWeights(weights), inputShapes: shapes, engine: engine)
        // Twice: nothing may be left over from the first run.
        _ = try plan.run(inputs)
        for (name, tensor) in try plan.run(inputs) {
          let agreement = Agreement(tensor, expected: try #require(expected[name]))
          #expect(
            agreement.relative <= 1e-5,
            "\(name) of \(shapes), \(threads) threads, registers of \(width): \(agreement)")
        }
        operations = plan.steps.map(\.operation)
      }
    }
    return operations
  }

  @Test(arguments: [
    (Size(8, 8), 6, 60), (Size(8, 8), 4, 32), (Size(7, 7), 6, 60), (Size(16, 16), 2, 24),
    (Size(4, 6), 3, 18), (Size(8, 32), 2, 20), (Size(12, 12), 3, 45), (Size(2, 2), 1, 7),
    (Size(1, 3), 1, 13),
  ])
  func blocks(_ window: Size, _ heads: Int, _ channels: Int) throws {
    for shift in [Size(0), Size(window.height / 2, window.width / 2), Size(0, window.width - 1)] {
      // Graphs of any size are checked at one that not all windows divide.
      let rows = max(2, (9 + window.height - 1) / window.height)
      let size = Size(rows * window.height, 3 * window.width)
      let graph = try Self.block(
        channels, WindowAttention(heads: heads, window: window, shift: shift),
        hidden: 2 * channels + 1, bias: shift == 0, size: size)
      let shape = [2, channels, size.height, size.width]
      #expect(
        try operations(graph, [shape], seed: UInt64(channels + shift.width)).filter {
          $0 != "reorder"
        } == [Self.attentionStep, Self.chainStep],
        "\(shape)")
    }
  }

  /// Values and scores that are far apart, where a softmax could overflow.
  @Test func largeScores() throws {
    let graph = try Self.block(
      16, WindowAttention(heads: 2, window: 4, shift: 2, scale: 20), hidden: 32)
    #expect(try operations(graph, [[1, 16, 12, 8]], of: -30...30).contains(Self.attentionStep))
  }

  /// Every attribute of attention by itself: values of their own, grids, margins, tables that are
  /// computed, masks that keep apart altogether.
  @Test(arguments: [
    WindowAttention(heads: 2, window: 4), WindowAttention(heads: 2, window: 4, shift: 3),
    WindowAttention(heads: 4, window: Size(2, 4), .grid, positionBias: .none),
    WindowAttention(heads: 2, window: 4, keyMargin: 2),
    WindowAttention(heads: 1, window: Size(4, 2), keyMargin: Size(1, 3), positionBias: .none),
    WindowAttention(heads: 2, window: 4, shift: 2, scale: 0.3, maskValue: -.infinity),
    WindowAttention(heads: 2, window: 4, shift: Size(1, 0), maskValue: -3),
  ])
  func attributes(_ attention: WindowAttention) throws {
    let joined = try Graph(channels: 24) { [$0.windowAttention("attn", attention)] }
    #expect(try operations(joined, [[2, 24, 8, 12]]).contains("windowed attention"))
    let parts = try Graph(
      inputs: ["q", "k", "v"].map { Graph.Input($0, channels: $0 == "v" ? 12 : 20) }
    ) { [$0[0].windowAttention("attn", attention, keys: $0[1], values: $0[2])] }
    #expect(
      try operations(parts, [[2, 20, 8, 12], [2, 20, 8, 12], [2, 12, 8, 12]])
        .contains("windowed attention"))
  }

  /// Queries, keys and values that are some of the channels of an image, which others take too.
  @Test func slices() throws {
    let attention = WindowAttention(heads: 2, window: 4, shift: 2)
    let graph = try Graph(channels: 5) { image in
      func part(_ value: Value, _ start: Int, _ count: Int) -> Value {
        value.applying(.slice(ChannelSlice(start: start, count: count)))
      }
      let wide = image.applying(Self.toTokens).linear("qkv", 40).applying(Self.toImage)
      let values = part(part(wide, 10, 30), 16, 8)
      let attended = part(wide, 2, 12).windowAttention(
        "attn", attention, keys: part(wide, 15, 12), values: values)
      let joined = part(wide, 4, 24).windowAttention("joined", attention)
      return [attended, values * attended, joined]
    }
    let operations = try operations(graph, [[2, 5, 8, 12]])
    #expect(operations.count { $0 == "windowed attention" } == 2)
    #expect(operations.count { $0 == "slice" } == 2)
  }

  /// Of tables that are computed.
  @Test func computedTable() throws {
    var attention = WindowAttention(heads: 2, window: 4, shift: 2, positionBias: .input)
    for margin in [0, 1] {
      (attention.keyMargin, attention.shift) = (Size(margin), Size(margin == 0 ? 2 : 0))
      let rows = (2 * 4 - 1 + 2 * margin) * (2 * 4 - 1 + 2 * margin)
      let graph = try Graph(channels: 24) { x in
        let table = x.learnedConstant("table", [rows, 2], start: 1).activation(.sigmoid)
        return [x.making(attention.op, named: "attn", of: [x, table])]
      }
      let operations = try operations(graph, [[1, 24, 8, 8]])
      #expect(operations.contains("position bias") && operations.contains("windowed attention"))
    }
  }

  /// Results that somebody else takes too, what is added from elsewhere, several blocks one after
  /// another, convolutions between them.
  @Test func takers() throws {
    let graph = try Graph(channels: 16) { image in
      let first = image.convolution("first", 16, kernel: 3)
      let x = first.applying(Self.toTokens)
      let normal = x.layerNormalization("norm1")
      let wide = normal.linear("qkv", 48)
      let attended = wide.applying(Self.toImage)
        .windowAttention("attn", WindowAttention(heads: 2, window: 4, shift: 2))
        .applying(Self.toTokens)
      let y = attended.linear("proj", 16) + normal
      let hidden = y.linear("fc1", 20).activation(.gelu(approximate: false))
      let z = hidden.linear("fc2", 16) + x
      let last = z.layerNormalization("norm2").linear("fc3", 16)
      return [
        last.applying(Self.toImage).convolution("last", 3, kernel: 3), wide, hidden, z + y,
      ]
    }
    let operations = try operations(graph, [[2, 16, 12, 16]])
    #expect(operations.contains("windowed attention + linear + add"))
    #expect(operations.contains("layer norm + linear"))
  }

  /// A chain of products alone, over values of any rank; few tokens stay with the plain product.
  @Test(arguments: [1, 5, 16, 33]) func chains(_ channels: Int) throws {
    for tokens in [[13, 5], [8, 8], [1, 129]] {
      let graph = try Graph(inputs: [
        Graph.Input("x", channels: tokens[0], size: Size(tokens[1], channels))
      ]) { inputs in
        let x = inputs[0]
        let a = x.layerNormalization("norm", LayerNormalization(scale: false)).linear("a", 12)
        let b = x.linear("b", 7, bias: false).activation(.gelu(approximate: false))
        let c = x.linear("c", channels) + x
        let d = b.linear("d", channels, bias: false)
        return [a, b, c, d + c]
      }
      let operations = try operations(graph, [[1, tokens[0], tokens[1], channels]])
      for name in ["layer norm + linear", "linear + GELU", "linear + add"] {
        #expect(operations.contains(name), "\(operations)")
      }
    }
    let few = try Graph(inputs: [Graph.Input("x", channels: 3, size: Size(5, channels))]) {
      [$0[0].layerNormalization("norm").linear("a", 12)]
    }
    #expect(try operations(few, [[1, 3, 5, channels]]) == ["layerNormalization", "linear"])
  }

  /// GELU everywhere between where it is nothing and where it is its argument.
  @Test func gelu() throws {
    let graph = try Graph(inputs: [Graph.Input("x", channels: 16, size: Size(64, 1))]) {
      [$0[0].linear("a", 1, bias: false).activation(.gelu(approximate: false))]
    }
    let values =
      [.infinity, 1e30, 1e-30, -1e-30, .nan] + (0..<1019).map { Float($0 - 512) / 64 }
    let tensor = try Tensor(shape: [1, 16, 64, 1], values)
    let weights = ["a.weight": try Tensor(shape: [1, 1], [1 as Float])]
    let expected = try #require(
      naive(graph, weights: weights, inputs: ["x": tensor])["output"])
    for width in try Self.widths() {
      var engine = try Engine(threads: 1)
      engine.registerWidth = width
      var plan = try Plan(
        graph, weights: PackedWeights(weights), inputShapes: [tensor.shape], engine: engine)
      #expect(plan.steps.map(\.operation) == ["linear + GELU"])
      let found = try #require(try plan.run(["x": tensor])["output"])
      #expect(Agreement(found, expected: expected).largest <= 1e-6, "registers of \(width)")
    }
  }

  /// What is no number stays so, in its window and nowhere else.
  @Test func notANumber() throws {
    let graph = try Self.block(8, WindowAttention(heads: 2, window: 4, shift: 2), hidden: 16)
    let weights = randomWeights(for: graph, seed: 3)
    var values = randomTensor([1, 8, 12, 12], seed: 4).floats
    values[5 * 12 + 7] = .nan
    values[3 * 144 + 11 * 12] = .infinity
    let tensor = try Tensor(shape: [1, 8, 12, 12], values)
    let expected = try #require(
      naive(graph, weights: weights, inputs: ["image": tensor])["output"]
    ).floats
    for width in try Self.widths() {
      var engine = try Engine(threads: 2)
      engine.registerWidth = width
      var plan = try Plan(
        graph, weights: PackedWeights(weights), inputShapes: [tensor.shape], engine: engine)
      let found = try #require(try plan.run(["image": tensor])["output"]).floats
      #expect(found.map(\.isNaN) == expected.map(\.isNaN), "registers of \(width)")
      #expect(expected.contains { $0.isNaN } && expected.contains { !$0.isNaN })
    }
  }

  /// Weights and what they are multiplied with in bfloat16, of which there are odd numbers too: as far
  /// from the truth as eight bits are, and everything else in float32.
  @Test(.enabled(if: Engine.hasBfloat16), arguments: [12, 15, 60]) func bfloat16(_ channels: Int)
    throws
  {
    let graph = try Self.block(
      channels, WindowAttention(heads: 3, window: 4, shift: 2), hidden: 2 * channels + 1)
    for threads in [1, 2] {
      let comparison = try Comparison(
        graph, [[2, channels, 12, 20]], seed: UInt64(channels),
        options: PlanOptions(precision: .bfloat16), engine: Engine(threads: threads))
      #expect((1e-6...1e-2).contains(comparison.largestError), "\(comparison.largestError)")
      #expect(
        comparison.steps.map(\.operation).filter { $0 != "reorder" }
          == [Self.attentionStep, Self.chainStep].map { "\($0) (bfloat16)" })
    }
  }

  /// Training takes the operations that attention is made of.
  @Test func sizesAndTraining() throws {
    let graph = try Self.block(12, WindowAttention(heads: 2, window: 8), hidden: 24)
    #expect(throws: ComputeError.self) {
      try Plan.arenaBytes(graph, inputShapes: [[1, 12, 16, 20]], engine: Engine())
    }
    let training = try TrainingPlan(graph, inputShapes: [[1, 12, 16, 16]], engine: Engine())
    #expect(!training.steps.contains { $0.operation.contains("windowed attention") })
    #expect(training.steps.contains { $0.operation == "softmax" })
  }
}
