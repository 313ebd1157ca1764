import AviaryCheckpoint
import AviaryFormats
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// A network goes out as ONNX and comes back.
enum ONNXRoundTrip {
  /// Writes a network with random weights, reads it back, and compares what the two give.
  static func check(
    _ graph: Graph, _ name: String, sizes: [(Int, Int)]
  ) throws {
    try check(
      graph, name,
      shapes: sizes.map { height, width in
        graph.inputs.map { [1, $0.channels, height, width] }
      })
  }

  /// The same for inputs of these shapes.
  ///
  /// - Parameter isKept: whether ONNX Runtime is held against it, too.
  static func check(
    _ graph: Graph, _ name: String, shapes: [[[Int]]],
    values: ClosedRange<Float> = -1...1, isKept: Bool = true
  ) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.onnx")
    let weights = randomWeights(for: graph, seed: 5)
    try ONNXExport.write(graph: graph, weights: source(graph, weights), to: path)
    let file = try WeightsFile.read(path)
    let imported = try ONNXNetwork.graph(file)
    let again = try tensors(imported.weights)
    var cases: [([String: Tensor], [String: Tensor])] = []
    for shapes in shapes {
      var inputs: [String: Tensor] = [:]
      var generator = SplitMix64(seed: UInt64(shapes.first?[2] ?? 1))
      for (input, shape) in zip(graph.inputs, shapes) {
        inputs[input.name] = generator.tensor(shape, in: values)
      }
      let expected = try naive(graph, weights: weights, inputs: inputs)
      let found = try naive(imported.graph, weights: again, inputs: inputs)
      for (output, tensor) in expected {
        let agreement = Agreement(try #require(found[output]), expected: tensor)
        #expect(
          agreement.relative <= 1e-5, "\(shapes): \(agreement); of \(graph.json.text.prefix(3000))")
      }
      cases.append((inputs, expected))
    }
    if isKept { try keep(path, name, graph, cases) }
  }

  static func source(_ graph: Graph, _ weights: [String: Tensor]) -> TensorSource {
    TensorSource(
      NamedTensors(
        graph.parameters.compactMap { parameter in
          weights[parameter.name].map { (parameter.name, $0) }
        }))
  }

  static func tensors(_ source: TensorSource) throws -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: try source.loaded().map { ($0.name, $0.tensor) })
  }

  /// Random weights with which the rounding of an input stays rounding: through hundreds of layers,
  /// large ones make values of 1e8, of which any two runtimes have nothing in common.
  static func stableWeights(_ graph: Graph, _ shape: [Int]) throws -> [String: Tensor] {
    let name = graph.inputs[0].name
    let input = randomTensor(shape, seed: 3)
    let moved = try Tensor(
      shape: shape,
      input.floats.enumerated().map { $0 % 2 == 0 ? $1 * (1 + .ulpOfOne) : $1 * (1 - .ulpOfOne) })
    var weights = randomWeights(for: graph, seed: 7)
    var best = (move: Double.infinity, weights: weights)
    for _ in 0..<12 where best.move > 1e-6 {
      let outputs = try Self.outputs(graph, weights, [name: input])
      let other = try Self.outputs(graph, weights, [name: moved])
      let move = try outputs.map { key, tensor in
        Agreement(try #require(other[key]), expected: tensor).relative
      }.max()
      if let move, move < best.move { best = (move, weights) }
      for parameter in graph.parameters where parameter.shape.count > 1 {
        guard let tensor = weights[parameter.name] else { continue }
        weights[parameter.name] = try Tensor(
          shape: tensor.shape, tensor.floats.map { $0 * 0.7 })
      }
    }
    // What is still moved further than this has no 1e-5 to be held to.
    #expect(best.move <= 4e-6)
    return best.weights
  }

  /// By the engine, or the oracle where the engine has not all operations.
  static func outputs(
    _ graph: Graph, _ weights: [String: Tensor], _ inputs: [String: Tensor]
  ) throws -> [String: Tensor] {
    do {
      return try engineOutputs(graph, weights, inputs)
    } catch ComputeError.unsupported {
      return try naive(graph, weights: weights, inputs: inputs)
    }
  }

  private static func engineOutputs(
    _ graph: Graph, _ weights: [String: Tensor], _ inputs: [String: Tensor]
  ) throws -> [String: Tensor] {
    var plan = try Plan(
      graph, weights: PackedWeights(weights),
      inputShapes: graph.inputs.map { inputs[$0.name]?.shape ?? [] },
      options: PlanOptions(exact: true), engine: Engine(threads: 1))
    return try plan.run(inputs)
  }

  /// Leaves a model for check.py where that was asked for.
  static func keep(
    _ path: String, _ name: String, _ graph: Graph,
    _ cases: [(inputs: [String: Tensor], outputs: [String: Tensor])]
  ) throws {
    guard let folder = ProcessInfo.processInfo.environment["AVIARY_ONNX_FOLDER"] else { return }
    let base = URL(filePath: folder).appending(path: name)
    try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
    try Data(bytes(path)).write(to: base.appending(path: "model.onnx"))
    let shapes = try cases.enumerated().map { number, pair in
      JSON.object([
        "inputs": try store(pair.inputs, graph.inputs.map(\.name), "\(number).input", base),
        "outputs": try store(pair.outputs, graph.outputs.map(\.name), "\(number).output", base),
      ])
    }
    try Data(JSON.array(shapes).text.utf8).write(to: base.appending(path: "cases.json"))
  }

  private static func store(
    _ tensors: [String: Tensor], _ names: [String], _ file: String, _ folder: URL
  ) throws -> JSON {
    var data = Data()
    var entries: [JSON] = []
    for name in names {
      guard let tensor = tensors[name] else { continue }
      unsafe tensor.withUnsafeBytes { unsafe data.append(contentsOf: $0) }
      entries.append(
        .object(["name": .string(name), "shape": .array(tensor.shape.map { .int($0) })]))
    }
    try data.write(to: folder.appending(path: file))
    return .array(entries)
  }
}
