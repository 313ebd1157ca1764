import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Our architectures as users write them in Keras: recognised by the layers' kinds and places, and
/// computed as Keras computes them.
@Suite struct KerasStructureTests {
  /// An input and what Keras gives for it, NHWC.
  struct Example: Decodable {
    var shape: [Int]
    var input: [Float]
    var outputShape: [Int]
    var output: [Float]
  }

  /// What the shapes do not show, for each architecture of the fixtures.
  static let stated: [String: JSON] = [
    "plain-cae": ["padding": "valid"], "fsrcnn": ["scale": 3],
  ]

  static let files = [
    "espcn-2.h5", "espcn-2.weights.h5", "espcn-3.weights.h5", "fsrcnn-2.h5",
    "fsrcnn-2.weights.h5", "fsrcnn-3.weights.h5", "fusion-cae-2.h5", "fusion-cae-2.weights.h5",
    "fusion-cae-3.weights.h5", "plain-cae-2.h5", "plain-cae-2.weights.h5",
    "plain-cae-3.weights.h5", "residual-cae-2.h5", "residual-cae-2.weights.h5",
    "residual-cae-3.weights.h5", "srcnn-2.h5", "srcnn-2.weights.h5", "srcnn-3.weights.h5",
    "vdsr-2.h5", "vdsr-2.weights.h5", "vdsr-3.weights.h5",
  ]

  static func path(_ file: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/keras/networks/" + file).path
  }

  static func examples() throws -> [String: Example] {
    try JSONDecoder().decode(
      [String: Example].self, from: Data(contentsOf: URL(filePath: path("expected.json"))))
  }

  @Test func everyFixtureIsTested() throws {
    #expect(try Self.examples().keys.sorted() == Self.files)
  }

  @Test(arguments: files) func isRecognisedAndComputedAsByKeras(file: String) throws {
    let name = String(file.prefix { $0 != "." }.dropLast(2))
    let read = try WeightsFile.read(Self.path(file))
    let found = try #require(
      try StructureMatcher.recognise(
        read, registry: .builtin, overrides: Self.stated[name] ?? [:]))
    #expect(found.fit.network.architecture == name)
    let example = try #require(try Self.examples()[file])
    let input = try Tensor(shape: example.shape, example.input).permuted([0, 3, 1, 2])
    let expected = try Tensor(shape: example.outputShape, example.output).permuted([0, 3, 1, 2])
    let graph = found.fit.network.graph
    let weights = Dictionary(
      uniqueKeysWithValues: try found.tensors.loaded().map { ($0.name, $0.tensor) })
    let result = try naive(graph, weights: weights, inputs: [graph.inputs[0].name: input])
    let agreement = Agreement(try #require(result["output"]), expected: expected)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
    #expect(found.tensors.count == read.tensors.count)
    #expect(found.renamed.allSatisfy { $0.from != $0.to })
  }

  /// The class as it was first published has no padding, which no shape shows.
  @Test(arguments: ["plain-cae-3.weights.h5", "plain-cae-2.h5"])
  func bordersOfTheFirstAutoencoderAreAssumed(file: String) throws {
    let read = try WeightsFile.read(Self.path(file))
    let found = try #require(try StructureMatcher.recognise(read, registry: .builtin))
    #expect(found.fit.assumed == ["activation", "padding"])
    #expect(found.fit.network.configuration["padding"] == "same")
    #expect(found.fit.network.configuration["origin"] == "keras")
    #expect(found.notes.last == "origin \"keras\": the framework that the file is of")
  }

  /// A dozen residual blocks are no chain of as many convolutions, though kinds and shapes agree.
  @Test func blocksAreNoChain() throws {
    func file(_ paths: [[String]]) throws -> WeightsFile {
      var tensors = NamedTensors()
      var layers: [ExternalLayer] = []
      for (number, path) in paths.enumerated() {
        let name = path.joined(separator: ".")
        let (inputs, outputs) = (number == 0 ? 1 : 4, number == paths.count - 1 ? 1 : 4)
        tensors["\(name).weight"] = try Tensor(zeros: [outputs, inputs, 3, 3])
        tensors["\(name).bias"] = try Tensor(zeros: [outputs])
        layers.append(ExternalLayer(name: name, path: path, kind: .convolution, isOrdered: false))
      }
      return WeightsFile(
        path: "x", format: .kerasWeightsHDF5, tensors: TensorSource(tensors),
        origin: Origin(.keras), layers: layers)
    }
    let chain = (0..<6).map { [$0 == 0 ? "conv2d" : "conv2d_\($0)"] }
    let found = try StructureMatcher.recognise(file(chain), registry: .builtin)
    #expect(found?.fit.network.architecture == "vdsr")
    let blocks =
      [["head"]] + (0..<2).flatMap { [["blocks", "\($0)", "c1"], ["blocks", "\($0)", "c2"]] }
      + [["tail"]]
    #expect(try StructureMatcher.recognise(file(blocks), registry: .builtin) == nil)
  }

  @Test func aPixelShuffleIsSettledOnceAndCanBeStated() throws {
    let read = try WeightsFile.read(Self.path("espcn-3.weights.h5"))
    let found = try #require(try StructureMatcher.recognise(read, registry: .builtin))
    #expect(
      found.assumed == [
        "how the layers are connected, which kinds, places and shapes do not show",
        "TensorFlow's pixel shuffle order (assumed of a file of Keras's): 12 channels of"
          + " conv3.weight, conv3.bias permuted",
      ])
    let steps = try #require(found.tensors["conv3.bias"]).steps
    #expect(
      steps == [
        .reordered(dimension: 0, indices: [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])
      ])
    let stated = try #require(
      try StructureMatcher.recognise(read, registry: .builtin, shuffle: .pytorch))
    #expect(stated.assumed == Array(found.assumed.prefix(1)))
    #expect(stated.tensors["conv3.bias"]?.steps == [])
  }

  @Test func whatNoArchitectureHasIsNone() throws {
    let path = SharedFolder.repository.appending(path: "Tests/Fixtures/keras/layers/three.h5").path
    #expect(try StructureMatcher.recognise(WeightsFile.read(path), registry: .builtin) == nil)
  }

  @Test func aStatedArchitectureWithAnUnknownMemberIsAnError() throws {
    let read = try WeightsFile.read(Self.path("srcnn-2.h5"))
    let error = try #require(throws: GraphError.self) {
      try StructureMatcher.recognise(
        read, registry: .builtin, as: "srcnn", overrides: ["depth": 3])
    }
    #expect(error.description.contains("depth"))
  }
}
