import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Glibc
import Testing

@Suite struct PlanTests {
  private let graph: Graph
  private let weights: [String: Tensor]
  private let engine: Engine

  init() throws {
    graph = try Graph(channels: 3, input: "picture") { x in
      let a = x.convolution("a", 32, kernel: 3).relu()
      return [a.convolution("b", 32, kernel: 3), a.convolution("c", 3, kernel: 3, stride: 2)]
    }
    weights = randomWeights(for: graph, seed: 1)
    engine = try Engine()
  }

  private func plan(
    _ weights: [String: Tensor]? = nil, shape: [Int] = [1, 3, 8, 8], outputs: [String]? = nil
  ) throws -> Plan {
    try Plan(
      graph, weights: PackedWeights(weights ?? self.weights), inputShapes: [shape],
      outputs: outputs, engine: engine)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func wrongWeights() throws {
    var lacking = weights
    lacking["b.bias"] = nil
    #expect(
      message { _ = try plan(lacking) } == "b.bias: missing; a tensor of shape [32] is needed")
    // What an output does not need may be absent.
    _ = try plan(lacking, outputs: ["output_1"])
    var misshapen = weights
    misshapen["a.weight"] = try Tensor(zeros: [32, 3, 5, 5])
    #expect(
      message { _ = try plan(misshapen) }
        == "a.weight: expected shape [32, 3, 3, 3], found [32, 3, 5, 5]")
  }

  @Test func wrongSizes() throws {
    #expect(
      message { _ = try plan(shape: [1, 4, 8, 8]) }
        == "input picture: expected shape [n, 3, height, width], found [1, 4, 8, 8]")
    #expect(
      message { _ = try plan(shape: [1, 3, 1 << 20, 1 << 20]) }
        == "picture: shape [1, 3, 1048576, 1048576] has 2^31 elements or more;"
        + " compute it in tiles")
    #expect(
      message { _ = try plan(outputs: ["output_7"]) }
        == "output output_7: no such output (the network has output_0, output_1)")
  }

  @Test func wrongInputs() throws {
    var plan = try plan()
    let picture = randomTensor([1, 3, 8, 8], seed: 1)
    #expect(
      throws: ComputeError.missingInput("picture"), performing: { _ = try plan.run([:]) })
    #expect(
      throws: ComputeError.unknownInput("photo", known: ["picture"]),
      performing: { _ = try plan.run(["picture": picture, "photo": picture]) })
    #expect(
      throws: ComputeError.input(
        "picture", expected: "float32 [1, 3, 8, 8]", found: "float32 [1, 3, 8, 9]"),
      performing: { _ = try plan.run(["picture": randomTensor([1, 3, 8, 9], seed: 1)]) })
    #expect(
      throws: ComputeError.input(
        "picture", expected: "float32 [1, 3, 8, 8]", found: "float64 [1, 3, 8, 8]"),
      performing: { _ = try plan.run(["picture": picture.converted(to: .float64)]) })
  }

  @Test func messages() {
    for (error, text) in [
      (ComputeError.threads(0), "threads: expected 1 to 4096, found 0"),
      (.missingInput("x"), "input x: missing; give a tensor for it"),
      (.unknownInput("y", known: ["x", "z"]), "input y: no such input (the network has x, z)"),
      (
        .input("x", expected: "float32 [1]", found: "int8 [1]"),
        "input x: expected float32 [1], found int8 [1]"
      ),
      (.outOfMemory(bytes: 12), "memory: 12 bytes cannot be allocated"),
      (
        .library(call: "dnnl_f", status: "unimplemented"),
        "oneDNN: dnnl_f failed: unimplemented"
      ),
      (
        .noImplementation(node: "a", operation: "convolution"),
        "a: convolution: oneDNN has only its slow reference code for it"
      ),
    ] {
      #expect(error.description == text)
    }
  }

  /// Memory that the system does not have is refused, not taken.
  @Test func outOfMemory() throws {
    let graph = try Graph(channels: 1) { x in
      let first = x.convolution("first", 64, kernel: 1)
      let pool = Op.maxPool(MaxPool(Pool(kernel: 3, stride: 1, padding: .same)))
      let kept = (1...40).map { _ in first.applying(pool) }
      return [kept.dropFirst().reduce(kept[0], +)]
    }
    let shape = [1, 1, 5_792, 5_792]
    let bytes = try Plan.arenaBytes(graph, inputShapes: [shape], engine: engine)
    #expect(bytes > 300 << 30)
    let weights = PackedWeights(randomWeights(for: graph, seed: 1))
    #expect(throws: ComputeError.outOfMemory(bytes: bytes)) {
      _ = try Plan(graph, weights: weights, inputShapes: [shape], engine: engine)
    }
  }

  @Test func someOutputs() throws {
    let picture = randomTensor([1, 3, 8, 8], seed: 2)
    var both = try plan(), second = try plan(outputs: ["output_1"])
    let all = try both.run(["picture": picture])
    let one = try second.run(["picture": picture])
    #expect(Set(all.keys) == ["output_0", "output_1"])
    // Alone it may be computed in other memory formats, so rounded in other places.
    let (found, wanted) = (try #require(one["output_1"]), try #require(all["output_1"]))
    let largest = wanted.floats.reduce(0) { max($0, abs($1)) }
    #expect(one.count == 1 && found.shape == wanted.shape)
    #expect(zip(found.floats, wanted.floats).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
    #expect(both.steps.contains { $0.name == "b" } && !second.steps.contains { $0.name == "b" })
    #expect(both.outputShapes == ["output_0": [1, 32, 8, 8], "output_1": [1, 3, 4, 4]])
  }

  /// Inputs are read where they lie, and stay as they are; results do not change afterwards.
  @Test func tensorsStayTheirOwn() throws {
    let relu = try Graph(channels: 2, input: "x") {
      [$0.relu(), $0.relu().applying(.scale(Scale([2])))]
    }
    var plan = try Plan(
      relu, weights: PackedWeights([:]), inputShapes: [[1, 2, 3, 3]], engine: engine)
    let negative = try Tensor(shape: [1, 2, 3, 3], [Float](repeating: -1, count: 18))
    let positive = try Tensor(shape: [1, 2, 3, 3], [Float](repeating: 1, count: 18))
    let first = try plan.run(["x": negative])
    let second = try plan.run(["x": positive])
    #expect(negative.floats.allSatisfy { $0 == -1 })
    #expect(first["output_0"]?.floats.allSatisfy { $0 == 0 } == true)
    #expect(second["output_0"]?.floats.allSatisfy { $0 == 1 } == true)
    #expect(second["output_1"]?.floats.allSatisfy { $0 == 2 } == true)
  }

  /// Plans for other sizes take what the first has prepared.
  @Test func preparedWeightsAreShared() throws {
    let graph = try NetworkTests.residualCAE([32, 64])
    let weights = PackedWeights(randomWeights(for: graph, seed: 1))
    func bytes(_ side: Int) throws -> Int {
      _ = try Plan(graph, weights: weights, inputShapes: [[1, 3, side, side]], engine: engine)
        .arenaBytes
      return weights.byteCount
    }
    let first = try bytes(128)
    #expect(first > 0)
    #expect(try bytes(128) == first)
    #expect(try bytes(136) == first)
  }

  /// Half floats and integers are weights too.
  @Test func weightsOfOtherTypes() throws {
    let graph = try Graph(channels: 1, input: "x") { [$0.convolution("a", 2, kernel: 1)] }
    let weights = [
      "a.weight": try Tensor(shape: [2, 1, 1, 1], [1.5, -2]).converted(to: .float16),
      "a.bias": try Tensor(shape: [2], [3, 4]).converted(to: .int64),
    ]
    var plan = try Plan(
      graph, weights: PackedWeights(weights), inputShapes: [[1, 1, 1, 1]], engine: engine)
    #expect(try plan.run(["x": Tensor(shape: [1, 1, 1, 1], [2])])["output"]?.floats == [6, 0])
  }

  /// The estimate is what a plan takes, and values that are not needed at once share memory.
  @Test func arena() throws {
    let graph = try Graph(channels: 16) { x in
      [(0..<30).reduce(x) { $0.convolution("\($1)", 16, kernel: 1).prelu("\($1).slopes") }]
    }
    let shape = [1, 16, 160, 64]
    let estimate = try Plan.arenaBytes(graph, inputShapes: [shape], engine: engine)
    let plan = try Plan(
      graph, weights: PackedWeights(randomWeights(for: graph, seed: 1)), inputShapes: [shape],
      engine: engine)
    #expect(plan.arenaBytes == estimate)
    // Two values at a time, whatever the number of layers, and a little scratch memory.
    #expect(estimate <= 2 * shape.reduce(4, *) * 11 / 10)
  }

  /// The number of threads changes how work is divided, not what comes out.
  @Test(arguments: [1, 2, 3, 7])
  func threads(_ count: Int) throws {
    let engine = try Engine(threads: count)
    #expect(engine.threads == count)
    let graph = try NetworkTests.residualCAE([16, 32])
    let comparison = try Comparison(graph, [[1, 3, 33, 40]], engine: engine)
    #expect(comparison.largestError <= 1e-5)
    #expect(throws: ComputeError.threads(0)) { _ = try Engine(threads: 0) }
  }

  /// Plans run at the same time on several threads of the caller's, sharing engine and weights.
  @Test func concurrency() async throws {
    let graph = try NetworkTests.residualCAE([16, 32])
    let tensors = randomWeights(for: graph, seed: 1)
    let weights = PackedWeights(tensors)
    let picture = randomTensor([1, 3, 32, 32], seed: 4)
    let name = graph.inputs[0].name
    let expected = try naive(graph, weights: tensors, inputs: [name: picture])
    let engine = engine
    try await withThrowingTaskGroup(of: Tensor?.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var plan = try Plan(
            graph, weights: weights, inputShapes: [[1, 3, 32, 32]], engine: engine)
          _ = try plan.run([name: picture])
          return try plan.run([name: picture])["output"]
        }
      }
      for try await result in group {
        let agreement = Agreement(
          try #require(result), expected: try #require(expected["output"]))
        #expect(agreement.relative <= 1e-5)
      }
    }
  }
}

/// Graphs and sizes as a hostile file might have them: refused, or planned in a reasonable time.
@Suite struct HostileSizeTests {
  private func message(_ op: Op, _ shape: [Int]) throws -> String {
    let graph = try Graph(of: op, channels: [shape[1]])
    do {
      let bytes = try Plan.arenaBytes(graph, inputShapes: [shape], engine: Engine())
      return "\(bytes) bytes"
    } catch {
      return "\(error)"
    }
  }

  @Test func sizesThatOverflow() throws {
    let side = Int(Int32.max)
    #expect(
      try message(.activation(.relu), [side, 1, side, side])
        == "node: relu: shape \([side, 1, side, side]) has 2^48 elements or more")
    #expect(
      try message(.reduce(Reduction(.sum, dimensions: [0, 2, 3])), [side, 1, side, side])
        == "input_0: shape \([side, 1, side, side]) has 2^31 elements or more;"
        + " compute it in tiles")
    #expect(
      try message(.crop(Crop(PaddingAmounts(0))), [1, 1, 1 << 16, 1 << 15])
        == "input_0: shape [1, 1, 65536, 32768] has 2^31 elements or more;"
        + " compute it in tiles")
  }

  @Test func enormousStride() throws {
    let c = TransposedConvolution(outChannels: 16, kernel: 64, stride: 64)
    #expect(
      try message(.transposedConvolution(c), [1, 16, 2, 2])
        == "node: transposedConvolution of stride 64x64 cannot be computed yet (the graph may say"
        + " it, the engine has no lowering)")
    // A small kernel has few polyphase components whatever the stride.
    let sparse = TransposedConvolution(
      outChannels: 16, kernel: 2, stride: 400, padding: PaddingAmounts(3))
    try expectEqual(.transposedConvolution(sparse), [1, 16, 2, 2])
  }

  /// As many nodes as a graph may have.
  @Test func longChain() throws {
    let nodes = (0..<GraphLimits.nodes).map { i in
      Graph.Node(
        "node_\(i)",
        i % 2 == 0
          ? .convolution(Convolution(outChannels: 16, kernel: 1, bias: false)) : .activation(.tanh),
        inputs: [i], parameters: i % 2 == 0 ? ["weight"] : [])
    }
    let graph = try Graph(
      inputs: [Graph.Input("x", channels: 16)], nodes: nodes,
      outputs: [Graph.Output("y", value: nodes.count)])
    // The thread's own time: the wall's tells how much else the machine has to do.
    func seconds() -> Double {
      var time = timespec()
      unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
    let start = seconds()
    _ = try Plan.arenaBytes(graph, inputShapes: [[1, 16, 16, 16]], engine: Engine())
    // Ten seconds without optimisation, most of them for the arena, which compares all with all.
    #expect(seconds() - start < 60)
  }
}
