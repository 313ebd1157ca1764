import Aviary
import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Networks of people's own in PyTorch's state dicts, whose names say nothing: recognised by the order
/// and the shapes of their layers, or refused by name.
@Suite struct StateDictStructureTests {
  /// A layer as people write it: a name, and the shapes of its tensors.
  private struct Layer {
    var name: String
    var tensors: [(String, [Int])]

    static func convolution(
      _ name: String, _ outputs: Int, _ inputs: Int, _ kernel: Int, bias: Bool = true
    ) -> Layer {
      Layer(
        name: name,
        tensors: [("weight", [outputs, inputs, kernel, kernel])]
          + (bias ? [("bias", [outputs])] : []))
    }

    /// As PyTorch has it: inputs first.
    static func transposed(_ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int) -> Layer {
      Layer(
        name: name, tensors: [("weight", [inputs, outputs, kernel, kernel]), ("bias", [outputs])])
    }

    static func prelu(_ name: String, _ channels: Int) -> Layer {
      Layer(name: name, tensors: [("weight", [channels])])
    }

    static func normalization(_ name: String, _ channels: Int) -> Layer {
      Layer(
        name: name,
        tensors: ["weight", "bias", "running_mean", "running_var"].map { ($0, [channels]) }
          + [("num_batches_tracked", [])])
    }
  }

  private enum Container { case torch, safetensors }

  /// The layers in a file, in this order as PyTorch writes them, or by name as safetensors does.
  private func file(_ layers: [Layer], _ container: Container = .torch) throws -> WeightsFile {
    var generator = SplitMix64(seed: 7)
    var tensors: [(String, Tensor)] = []
    for layer in layers {
      for (slot, shape) in layer.tensors {
        tensors.append(
          (
            "\(layer.name).\(slot)",
            slot == "num_batches_tracked"
              ? try Tensor(zeros: [], elementType: .int64) : generator.tensor(shape)
          ))
      }
    }
    let folder = try TemporaryFolder()
    switch container {
    case .torch:
      let path = folder.file("own.pth")
      try TorchZip.write(TensorSource(NamedTensors(tensors)), record: nil, to: path)
      return try loaded(path)
    case .safetensors:
      let path = folder.file("own.safetensors")
      let sorted = NamedTensors(tensors.sorted { $0.0 < $1.0 })
      try SafeTensorsFile.write(TensorSource(sorted), metadata: ["format": "pt"], to: path)
      return try loaded(path)
    }
  }

  /// A file that outlives its folder.
  private func loaded(_ path: String) throws -> WeightsFile {
    var file = try WeightsFile.read(path)
    file.tensors = TensorSource(try file.tensors.loaded())
    return file
  }

  private func recognised(_ file: WeightsFile) throws -> StructureMatch {
    try #require(try StructureMatcher.recognise(file, registry: .builtin))
  }

  private static let srcnn: [Layer] = [
    .convolution("features.0", 64, 1, 9), .convolution("map.0", 32, 64, 5),
    .convolution("reconstruction", 1, 32, 5),
  ]

  private static func vdsr(bias: Bool) -> [Layer] {
    [.convolution("conv1.0", 64, 1, 3, bias: bias)]
      + (0..<18).map { .convolution("trunk.\($0).conv", 64, 64, 3, bias: bias) }
      + [.convolution("conv2", 1, 64, 3, bias: bias)]
  }

  private static let fsrcnn: [Layer] =
    [
      .convolution("feature_extraction.0", 56, 1, 5), .prelu("feature_extraction.1", 56),
      .convolution("shrink.0", 12, 56, 1), .prelu("shrink.1", 12),
    ]
    + (0..<4).flatMap { i -> [Layer] in
      [.convolution("map.\(2 * i)", 12, 12, 3), .prelu("map.\(2 * i + 1)", 12)]
    } + [
      .convolution("expand.0", 56, 12, 1), .prelu("expand.1", 56),
      .transposed("deconv", 56, 1, 9),
    ]

  private static let dncnn: [Layer] =
    [.convolution("layers.0", 64, 1, 3, bias: false)]
    + (0..<15).flatMap { i -> [Layer] in
      [
        .convolution("layers.\(3 * i + 2)", 64, 64, 3, bias: false),
        .normalization("layers.\(3 * i + 3)", 64),
      ]
    } + [.convolution("layers.47", 1, 64, 3, bias: false)]

  /// As many write it: all that goes up is made before what goes down.
  private static let unet: [Layer] = {
    func two(_ name: String, _ inputs: Int, _ outputs: Int) -> [Layer] {
      [
        .convolution("\(name).conv.0", outputs, inputs, 3, bias: false),
        .normalization("\(name).conv.1", outputs),
        .convolution("\(name).conv.3", outputs, outputs, 3, bias: false),
        .normalization("\(name).conv.4", outputs),
      ]
    }
    let ups = [32, 16, 8].enumerated().flatMap { i, features in
      [Layer.transposed("ups.\(2 * i)", 2 * features, features, 2)]
        + two("ups.\(2 * i + 1)", 2 * features, features)
    }
    return ups + two("downs.0", 3, 8) + two("downs.1", 8, 16) + two("downs.2", 16, 32)
      + two("bottleneck", 32, 64) + [.convolution("final_conv", 3, 8, 1)]
  }()

  @Test("a state dict under any names is told by order and shape")
  func ordered() throws {
    for (layers, name, source, target) in [
      (Self.srcnn, "srcnn", "map.0.weight", "conv2.weight"),
      (Self.vdsr(bias: false), "vdsr", "trunk.17.conv.weight", "layers.17.weight"),
      (Self.fsrcnn, "fsrcnn", "map.6.weight", "map.3.weight"),
      (Self.dncnn, "dncnn", "layers.47.weight", "model.47.weight"),
    ] {
      let file = try file(layers)
      let found = try recognised(file)
      #expect(found.fit.network.architecture == name)
      #expect(found.notes.contains("layers in the file's order, which is the model's"))
      #expect(
        found.assumed.contains(
          "how the layers are connected, which kinds, places and shapes do not show"))
      // The very tensors, under the network's names.
      #expect(try found.tensors.tensor(target) == file.tensors.tensor(source))
      let difference = StateDictDifference(
        WeightIndex(found.tensors), found.fit.network.graph, network: name)
      #expect(difference.isEmpty, "\(difference)")
    }
  }

  @Test("the activation is assumed, and its alternative known")
  func activation() throws {
    let fit = try recognised(try file(Self.srcnn)).fit
    #expect(fit.assumed.first == "activation")
    #expect(fit.alternatives["activation"] == ["tanh"])
    #expect(fit.asked == [])
  }

  @Test("where a file's order is not the model's, containers and shapes tell it")
  func unordered() throws {
    for container in [Container.torch, .safetensors] {
      let found = try recognised(try file(Self.unet, container))
      #expect(found.fit.network.architecture == "plain-unet")
      #expect(found.fit.network.configuration["features"] == [8, 16, 32, 64])
      let names = Dictionary(found.renamed.map { ($0.from, $0.to) }) { $1 }
      #expect(names["bottleneck.conv.3.weight"] == "down3.conv1.weight")
      #expect(names["ups.4.bias"] == "up2.up.bias")
      #expect(names["ups.1.conv.4.running_var"] == "up0.norm1.running_var")
    }
  }

  @Test("safetensors lists layers by name, and their places and shapes tell them")
  func sorted() throws {
    for (layers, name) in [
      (Self.srcnn, "srcnn"), (Self.vdsr(bias: false), "vdsr"), (Self.dncnn, "dncnn"),
    ] {
      let found = try recognised(try file(layers, .safetensors))
      #expect(found.fit.network.architecture == name)
      #expect(found.notes.contains("layers told by their classes, counters and containers"))
    }
    let found = try recognised(try file(Self.fsrcnn, .safetensors))
    let names = Dictionary(found.renamed.map { ($0.from, $0.to) }) { $1 }
    #expect(names["shrink.1.weight"] == "shrink_prelu.weight")
    #expect(names["expand.0.bias"] == "expand.bias")
  }

  @Test("a chain that two networks have is refused, and both are named")
  func ambiguous() throws {
    let file = try file(Self.vdsr(bias: true))
    let error = try #require(throws: RegistryError.self) {
      try StructureMatcher.recognise(file, registry: .builtin)
    }
    guard case .ambiguous(let fits) = error else { throw error }
    #expect(fits.count == 2)
    #expect(fits[0].hasPrefix("dncnn {") && fits[1].hasPrefix("vdsr {"), "\(fits)")
    let stated = try #require(
      try StructureMatcher.recognise(file, registry: .builtin, as: "vdsr"))
    #expect(stated.fit.network.configuration["layers"] == 20)
  }

  @Test("normalisations have the framework's epsilon, which is said")
  func epsilon() throws {
    let fit = try recognised(try file(Self.dncnn)).fit
    #expect(fit.network.configuration["epsilon"] == .number(1e-5))
    #expect(fit.assumed.contains("epsilon"))
  }

  @Test("what was weight-normalised is folded, and told by its shapes too")
  func folded() throws {
    var layers = Self.srcnn
    layers[1].tensors = [
      ("bias", [32]), ("weight_g", [32, 1, 1, 1]), ("weight_v", [32, 64, 5, 5]),
    ]
    let found = try recognised(try file(layers))
    #expect(found.fit.network.architecture == "srcnn")
    #expect(found.notes.contains { $0.hasPrefix("weight normalisation of 1 layer folded (map.0)") })
  }

  @Test("a layer too many, or one of another shape, is no network of ours")
  func others() throws {
    var layers = Self.srcnn
    layers.append(.convolution("refine", 1, 1, 7))
    #expect(try StructureMatcher.recognise(file(layers), registry: .builtin) == nil)
    layers = Self.srcnn
    layers[1] = .convolution("map.0", 32, 63, 5)
    #expect(try StructureMatcher.recognise(file(layers), registry: .builtin) == nil)
    // Residual blocks are no chain.
    layers =
      [.convolution("head", 16, 1, 3)]
      + (0..<4).flatMap { i -> [Layer] in
        [.convolution("b.\(i).one", 16, 16, 3), .convolution("b.\(i).two", 16, 16, 3)]
      } + [.convolution("tail", 1, 16, 3)]
    let found = try StructureMatcher.recognise(file(layers), registry: .builtin)
    #expect(found?.fit.network.architecture != "vdsr")
  }

  @Test("only where layers may be told by structure")
  func byNamesAlone() throws {
    let file = try file(Self.srcnn)
    #expect(
      try StructureMatcher.recognise(file, registry: .builtin, byNamesAlone: true) == nil)
  }

  /// An architecture under names that say nothing is recognised as itself, or refused as one of several,
  /// or not told at all; never as another.
  @Test(
    "no network is taken for another",
    arguments: [
      "srcnn", "vdsr", "fsrcnn", "dncnn", "plain-cae", "residual-cae", "fusion-cae",
      "plain-unet",
    ])
  func neverAnother(_ name: String) throws {
    let network = try Registry.builtin[name].network()
    guard !network.graph.parameters.isEmpty else { return }
    var stems: [String: String] = [:]
    var tensors: [TensorDescription] = []
    for parameter in network.graph.parameters {
      guard let dot = parameter.name.lastIndex(of: ".") else { return }
      let stem = String(parameter.name[..<dot])
      stems[stem] = stems[stem] ?? "unit\(stems.count)"
      let slot = parameter.name[dot...]
      tensors.append(
        TensorDescription(
          name: "\(stems[stem] ?? "")\(slot)", shape: parameter.shape, elementType: .float32))
    }
    // No elements are looked at.
    let source = TensorSource(tensors) { (position) throws(CheckpointError) in
      throw .invalidName("\(position)")
    }
    let file = WeightsFile(
      path: "own.pth", format: .torchZip, tensors: source, origin: Origin(.pytorch))
    do {
      let found = try StructureMatcher.recognise(file, registry: .builtin)
      #expect(found == nil || found?.fit.network.architecture == name, "\(name)")
    } catch let error as RegistryError {
      guard case .ambiguous(let fits) = error else { throw error }
      #expect(fits.contains { $0.hasPrefix("\(name) ") }, "\(fits)")
    }
  }
}
