import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Testing

@Suite("initialisation")
struct InitializerTests {
  private func begun(
    _ graph: Graph, _ kind: Recipe.Initialization, seed: UInt64 = 1
  ) throws -> [String: Tensor] {
    let parameters = try Initializer(graph, kind, seed: seed).parameters()
    // All there are, each in its shape.
    #expect(parameters.count == graph.parameters.count)
    for parameter in graph.parameters {
      let tensor = try #require(parameters[parameter.name])
      #expect(tensor.shape == parameter.shape)
      #expect(tensor.elementType == (parameter.role == .nonPersistent ? .int64 : .float32))
    }
    return parameters
  }

  private func network(_ name: String, _ configuration: JSON) throws -> Graph {
    try Registry.builtin[name].network(configuration).graph
  }

  /// Mean, deviation and largest absolute value of some weights.
  private func moments(_ tensor: Tensor?) throws -> (mean: Double, deviation: Double, most: Double)
  {
    let values = try #require(tensor).floats.map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, square.squareRoot(), values.map(abs).max() ?? 0)
  }

  /// A network with a layer of each kind.
  private func layers() throws -> Graph {
    try Graph(channels: 8) { image in
      [
        image.convolution("convolution", 16, kernel: Size(3, 5), groups: 2).prelu("prelu"),
        image.transposedConvolution(
          "transposed", 6, kernel: Size(3, 4), stride: 2, groups: 2, padding: PaddingAmounts.none),
        image.convolution("other", 64, kernel: 5).batchNormalization("norm").leakyRelu(0.5),
      ]
    }
  }

  @Test("PyTorch's: uniform within one over the root of its fan, biases too")
  func pytorch() throws {
    let fans = try OptimizerFixture.read().fans
    let weights = try begun(try layers(), .pytorch)
    for name in ["convolution", "transposed"] {
      let bound = 1 / (try #require(fans[name])).squareRoot()
      let found = try moments(weights["\(name).weight"])
      #expect(found.most <= bound && found.most > 0.97 * bound)
      #expect(abs(found.mean) < 0.1 * bound)
      // Uniform numbers have a deviation of the bound over √3.
      #expect(abs(found.deviation * 3.0.squareRoot() / bound - 1) < 0.06)
      let bias = try moments(weights["\(name).bias"])
      #expect(bias.most <= bound && bias.most > 0.5 * bound)
    }
    #expect(weights["prelu.weight"]?.floats == [Float](repeating: 0.25, count: 16))
    #expect(weights["norm.weight"]?.floats == [Float](repeating: 1, count: 64))
    #expect(weights["norm.running_var"]?.floats == [Float](repeating: 1, count: 64))
    for zero in ["norm.bias", "norm.running_mean", "norm.num_batches_tracked"] {
      #expect(try moments(weights[zero]).most == 0, "\(zero)")
    }
  }

  @Test("Keras's: Glorot's uniform, biases and slopes zero")
  func keras() throws {
    let limits: [String: Double] = try OptimizerFixture.decoded("keras.json")
    let graph = try Graph(channels: 8) { image in
      [
        image.convolution("convolution", 16, kernel: Size(3, 5), groups: 2).prelu("prelu"),
        image.transposedConvolution(
          "transposed", 6, kernel: Size(3, 4), stride: 2, padding: PaddingAmounts.none),
      ]
    }
    let weights = try begun(graph, .keras)
    for name in ["convolution", "transposed"] {
      let limit = try #require(limits[name])
      let found = try moments(weights["\(name).weight"])
      #expect(found.most <= limit && found.most > 0.97 * limit)
      #expect(try moments(weights["\(name).bias"]).most == 0)
    }
    #expect(try moments(weights["prelu.weight"]).most == 0)
  }

  @Test("He's: normal, by what reaches a pixel and by the slope after it")
  func he() throws {
    let graph = try Graph(channels: 8) { image in
      [
        image.convolution("convolution", 32, kernel: Size(3, 5), groups: 2).prelu("prelu"),
        image.transposedConvolution(
          "transposed", 64, kernel: Size(3, 4), stride: 2, groups: 2, padding: PaddingAmounts.none),
        image.convolution("other", 32, kernel: 5).batchNormalization("norm").leakyRelu(0.5),
      ]
    }
    let weights = try begun(graph, .he)
    // Of a window of 3x4 at stride 2 three products of each channel reach a pixel; PReLU's slope is
    // 0.25, the leaky ReLU's is behind a normalisation.
    for (name, variance) in [
      ("convolution", 2 / (1 + 0.0625) / 60), ("transposed", 2 / (4.0 * 3)), ("other", 2 / 200.0),
    ] {
      let found = try moments(weights["\(name).weight"])
      #expect(abs(found.deviation / variance.squareRoot() - 1) < 0.06, "\(name)")
      #expect(abs(found.mean) < 0.15 * variance.squareRoot(), "\(name)")
      // Normal numbers have no bound, and none of thousands is five deviations out.
      #expect(found.most > 2.5 * variance.squareRoot() && found.most < 5 * variance.squareRoot())
      #expect(try moments(weights["\(name).bias"]).most == 0)
    }
  }

  @Test("normal numbers are the same on every machine")
  func portable() throws {
    // Those of the same method in Python, with the C library, in this case to the last bit.
    let graph = try Graph(channels: 1) {
      [$0.convolution("a", 1, kernel: Size(1, 5), padding: .same)]
    }
    let weights = try begun(graph, .he, seed: 7)
    #expect(
      weights["a.weight"]?.floats.map(\.bitPattern)
        == [3_177_263_660, 3_191_174_978, 1_053_744_643, 1_043_372_567, 1_067_500_594])
  }

  @Test("a parameter's numbers depend on the seed and its name alone")
  func seeds() throws {
    func graph(_ names: [String]) throws -> Graph {
      try Graph(channels: 1) { image in names.map { image.convolution($0, 4, kernel: 3) } }
    }
    let first = try begun(try graph(["a", "b"]), .he)
    let second = try begun(try graph(["c", "b", "a"]), .he)
    #expect(first["a.weight"] == second["a.weight"])
    #expect(first["b.weight"] == second["b.weight"])
    #expect(first["a.weight"] != first["b.weight"])
    #expect(try begun(try graph(["a", "b"]), .he, seed: 2)["a.weight"] != first["a.weight"])
  }

  private static let networks:
    [(name: String, configuration: JSON, branches: [String], last: [String])] = [
      (
        "fusion-cae", ["features": [16, 32], "blocks": [2, 1]],
        [
          "decoder.0.blocks.0.conv2", "decoder.0.blocks.1.conv2", "encoder.0.blocks.0.conv2",
          "encoder.0.blocks.1.conv2", "encoder.1.blocks.0.conv2", "gather", "tail",
        ], ["tail"]
      ),
      (
        "fusion-cae", ["scale": 1, "features": [16, 32], "blocks": [1, 1]],
        [
          "decoder.0.blocks.0.conv2", "encoder.0.blocks.0.conv2", "encoder.1.blocks.0.conv2",
          "gather", "tail",
        ], ["tail"]
      ),
      (
        // A product is not linear: what a gate lets through begins as large as ever.
        "fusion-cae", ["features": [16], "blocks": [1], "convolutions": 3, "gate": 8],
        [
          "decoder.0.blocks.0.conv3", "decoder.0.gate.conv", "encoder.0.blocks.0.conv3",
          "encoder.0.gate.conv", "gather", "tail",
        ], ["tail"]
      ),
      (
        "fusion-cae", ["features": [16], "blocks": [1], "gate": 0],
        [
          "decoder.0.blocks.0.conv4", "decoder.0.fuse", "encoder.0.blocks.0.conv4",
          "encoder.0.fuse", "gather", "tail",
        ], ["tail"]
      ),
      (
        "residual-cae", ["features": [16, 32]],
        ["decoder.2.conv2", "encoder.2.conv2", "encoder.5.conv2"], ["decoder.3"]
      ),
      (
        "residual-cae", ["features": [16, 32], "residual": true],
        ["decoder.2.conv2", "decoder.3", "encoder.2.conv2", "encoder.5.conv2"], ["decoder.3"]
      ),
      ("plain-cae", ["features": [8, 16]], [], ["decoder.2"]),
    ]

  @Test("the last layers of branches begin small", arguments: networks.indices)
  func branches(index: Int) throws {
    let (name, configuration, branches, last) = Self.networks[index]
    let graph = try network(name, configuration)
    let full = try begun(graph, .he), zero = try begun(graph, .zeroLast)
    var small: [String] = []
    for parameter in graph.parameters where parameter.name.hasSuffix(".weight") {
      let layer = String(parameter.name.dropLast(7))
      let found = try moments(full[parameter.name])
      // Deviations are at least √(2 / 3) / √(fan in), and small ones a tenth of that.
      let fan = Double(parameter.shape.dropFirst().reduce(1, *))
      if found.deviation < 0.3 / fan.squareRoot() { small.append(layer) }
      #expect(
        try moments(zero[parameter.name]).deviation == (last.contains(layer) ? 0 : found.deviation))
    }
    #expect(small.sorted() == branches)
  }

  @Test("networks begin near what their skip connection gives", arguments: networks.indices)
  func starts(index: Int) throws {
    let (name, configuration, _, _) = Self.networks[index]
    let graph = try network(name, configuration)
    let channels = graph.inputs[0].channels
    let picture = randomTensor([1, channels, 12, 12], seed: 3)
    func output(_ kind: Recipe.Initialization) throws -> [Double] {
      let values = try naiveValues(
        graph, weights: try begun(graph, kind), inputs: [graph.inputs[0].name: picture])
      let name = graph.name(ofValue: graph.outputs[0].value)
      return try #require(values[name]).floats.map(Double.init)
    }
    let (he, zero) = (try output(.he), try output(.zeroLast))
    let difference = zip(he, zero).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let deviation = (difference / Double(he.count)).squareRoot()
    // With a skip connection from end to end a tenth of what is learned is added to it; without one
    // the result is of the size of an image, and not saturated behind a sigmoid.
    let isResidual = Self.networks[index].branches.contains {
      Self.networks[index].last.contains($0)
    }
    #expect(deviation > 1e-3 && deviation < (isResidual ? 0.2 : 1.5), "\(name): \(deviation)")
    if name == "plain-cae" {
      #expect(zero.allSatisfy { $0 == 0.5 })
      #expect(he.allSatisfy { (0.02...0.98).contains($0) })
    }
  }

  @Test("a normalisation at the end of a branch is what begins small")
  func normalisedBranches() throws {
    let graph = try Graph(channels: 4) { image in
      let block = image.convolution("conv", 4, kernel: 3).batchNormalization("norm") + image
      // A projection on the other side is no branch: less was done to it.
      let deep = block.convolution("deep.0", 8, kernel: 3).relu().convolution(
        "deep.1", 8, kernel: 3)
      return [deep * 0.5 + block.convolution("projection", 8, kernel: 1)]
    }
    let weights = try begun(graph, .he)
    #expect(weights["norm.weight"]?.floats == [0.1, 0.1, 0.1, 0.1])
    #expect(try moments(weights["deep.1.weight"]).deviation < 0.03)
    for name in ["conv", "deep.0", "projection"] {
      #expect(try moments(weights["\(name).weight"]).deviation > 0.1, "\(name)")
    }
  }

  @Test("zero-last wants a layer at the end")
  func noLastLayer() throws {
    let graph = try Graph(channels: 1) { [$0.convolution("a", 1, kernel: 3).relu()] }
    let error = #expect(throws: TrainingError.self) { try Initializer(graph, .zeroLast, seed: 1) }
    #expect(
      error?.description
        == "initialization: expected a network with a layer before its output, "
        + "found zero-last of another")
  }
}
