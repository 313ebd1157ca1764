import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// ncnn's networks as graphs, against what the real ncnn computes.
@Suite struct NCNNImportTests {
  private struct Numbers: Decodable {
    var shape: [Int]
    var values: [Float]

    /// As one image of a batch.
    func tensor() throws -> Tensor { try Tensor(shape: [1] + shape, values) }
  }

  private struct Case: Decodable {
    var input: Numbers
    var outputs: [String: Numbers]
  }

  private static func path(_ name: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/ncnn/" + name).path
  }

  private static func decoded<Content: Decodable>(_ name: String) throws -> Content {
    try JSONDecoder().decode(Content.self, from: Data(contentsOf: URL(filePath: path(name))))
  }

  private static func weights(_ imported: ImportedGraph) throws -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: try imported.weights.loaded().map {
        ($0.name, $0.tensor.converted(to: .float32))
      })
  }

  @Test(arguments: ["convolutions", "transposed", "values", "pixels", "fixed"])
  func valuesAreThoseOfNCNN(name: String) throws {
    let cases: [String: Case] = try Self.decoded("expected.json")
    let expected = try #require(cases[name])
    let imported = try NCNNModel.graph(WeightsFile.read(Self.path(name + ".param")))
    let outputs = try naive(
      imported.graph, weights: Self.weights(imported),
      inputs: [imported.graph.inputs[0].name: expected.input.tensor()])
    #expect(outputs.keys.sorted() == expected.outputs.keys.sorted())
    for (blob, numbers) in expected.outputs {
      let agreement = Agreement(try #require(outputs[blob]), expected: try numbers.tensor())
      #expect(agreement.relative < 1e-5, "\(blob): \(agreement)")
    }
  }

  @Test func whatWasAssumedAndLeftOutIsSaid() throws {
    let pixels = try NCNNModel.graph(WeightsFile.read(Self.path("pixels.param")))
    #expect(pixels.graph.inputs[0].size == nil)
    #expect(pixels.notes == ["input in: the size of 5x6 was let go"])
    #expect(pixels.assumed.isEmpty)
    // A product over the whole image holds for one size alone.
    let fixed = try NCNNModel.graph(WeightsFile.read(Self.path("fixed.param")))
    #expect(fixed.graph.inputs[0].size == Size(3, 4))
    #expect(fixed.notes.isEmpty)
    let values = try NCNNModel.graph(WeightsFile.read(Self.path("values.param")))
    #expect(values.notes == ["dr: dropout has no effect and was left out"])
  }

  @Test(.enabled(if: SharedFolder.isPresent, "needs the shared folder"))
  func publishedNetworkGivesWhatNCNNGives() throws {
    let path = try #require(
      SharedFolder.path("weights/ncnn/realesr/realesr-animevideov3-x4.param"))
    let file = try WeightsFile.read(path)
    #expect(file.format == .ncnnParameters)
    #expect(file.origin.framework == .ncnn)
    #expect(file.tensors["Conv_0.weight"]?.elementType == .float16)
    let imported = try NCNNModel.graph(file)
    #expect(imported.graph.inputs.map(\.channels) == [3])
    let expected: Numbers = try Self.decoded("realesr.json")
    let outputs = try naive(
      imported.graph, weights: Self.weights(imported),
      inputs: [imported.graph.inputs[0].name: randomTensor([1, 3, 6, 7], seed: 7)])
    let agreement = Agreement(try #require(outputs["output"]), expected: try expected.tensor())
    #expect(agreement.relative < 1e-5, "\(agreement)")
  }

  @Test(arguments: [
    ("GLU g 1 1 in out", "layer g of class GLU (line 4): no operation computes it"),
    (
      "Pooling p 1 1 in out 0=0 1=2 2=3",
      "layer p of class Pooling (line 4): sizes rounded up (attribute 5 is 0) with such windows"
    ),
    (
      "Interp i 1 1 in out 0=2 1=2.0 2=3.0",
      "layer i of class Interp (line 4): expected one factor for height and width, found [2.0, 3.0]"
    ),
    (
      "PixelShuffle s 1 1 in out 0=99999",
      "layer s of class PixelShuffle (line 4): attribute 0: expected 1 to 64, found 99999.0"
    ),
  ]) func whatIsNotComputedIsNamed(line: String, message: String) throws {
    let folder = try TemporaryFolder()
    let text = "7767517\n2 2\nInput in 0 1 in 2=3\n\(line)\n"
    let path = try folder.file("x.param", Array(text.utf8))
    let error = #expect(throws: InterchangeError.self) {
      try NCNNModel.graph(WeightsFile.read(path))
    }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    ("LSTM l 1 1 in out", "line 4, layer l: class LSTM is not supported"),
    ("ReLU r 1 1 other out", "damaged: line 4: blob other is given by no layer"),
    ("ReLU r 1 1 in in", "damaged: line 4: blob in is given twice"),
    ("ReLU in 1 1 in out", "damaged: line 4: a second layer in"),
    ("ReLU r 1 1 in out 0=x", "damaged: line 4: r: expected number=value, found 0=x"),
    ("ReLU r 9 1 in out", "damaged: line 4: expected a type, a name and blobs"),
    (
      "Convolution c 1 1 in out 0=4 1=3 6=100",
      "a kernel of 100 numbers does not divide by [4, 3, 3]"
    ),
    ("Convolution c 1 1 in out 0=4 1=3 6=108 8=1", "layer c: weights of 8 bits is not supported"),
    ("PReLU p 1 1 in out 0=3", "x.bin: cannot be read: no such file or directory"),
  ]) func whatIsBrokenIsRefused(line: String, message: String) throws {
    let folder = try TemporaryFolder()
    let text = "7767517\n2 2\nInput in 0 1 in 2=3\n\(line)\n"
    let path = try folder.file("x.param", Array(text.utf8))
    let error = #expect(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(error?.description.contains(message) == true, "\(error as Any)")
  }

  @Test func factorsMayComeFromAnotherLayer() throws {
    let folder = try TemporaryFolder()
    let text = """
      7767517
      3 3
      Input in 0 1 in 2=3
      Pooling mean 1 1 in mean 0=1 4=1
      Scale scale 2 1 in mean out 0=-233
      """
    let imported = try NCNNModel.graph(
      WeightsFile.read(folder.file("x.param", Array("\(text)\n".utf8))))
    let input = randomTensor([1, 3, 4, 5], seed: 3)
    let results = try naive(
      imported.graph, weights: [:], inputs: [imported.graph.inputs[0].name: input])
    let found = try #require(results["out"]).floats
    let values = input.floats
    for channel in 0..<3 {
      let plane = channel * 20..<channel * 20 + 20
      let mean = plane.reduce(0) { $0 + Double(values[$1]) } / 20
      for i in plane { #expect(abs(Double(found[i]) - Double(values[i]) * mean) < 1e-6) }
    }
  }

  @Test func namesWithSlashesBecomeNamesOfTensors() throws {
    let folder = try TemporaryFolder()
    let text = """
      7767517
      4 4
      Input in 0 1 in 2=3
      PReLU a/p 1 1 in a/b 0=3
      PReLU a.p 1 1 a/b c 0=3
      PReLU a//p 1 1 c out 0=3
      """
    let path = try folder.file("x.param", Array("\(text)\n".utf8))
    _ = try folder.file("x.bin", [UInt8](repeating: 0, count: 36))
    let file = try WeightsFile.read(path)
    #expect(file.tensors.names == ["a.p_2.weight", "a.p.weight", "a.p_3.weight"])
    #expect(try NCNNModel.graph(file).graph.parameters.map(\.name) == file.tensors.names)
  }

  @Test func eitherFileLeadsToBoth() throws {
    let text = try WeightsFile.read(Self.path("values.param"))
    let weights = try WeightsFile.read(Self.path("values.bin"))
    #expect(weights.format == .ncnnParameters)
    #expect(weights.tensors.descriptions == text.tensors.descriptions)
  }

  @Test func weightsThatEndTooEarlyOrTooLateAreRefused() throws {
    let folder = try TemporaryFolder()
    let text = "7767517\n2 2\nInput in 0 1 in 2=3\nPReLU p 1 1 in out 0=3\n"
    let path = try folder.file("x.param", Array(text.utf8))
    _ = try folder.file("x.bin", [UInt8](repeating: 0, count: 8))
    let early = #expect(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(
      early?.description
        == "\(folder.file("x.bin")): truncated: p.weight: expected 12 bytes, found 8")
    _ = try folder.file("x.bin", [UInt8](repeating: 0, count: 16))
    let late = #expect(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(
      late?.description == "\(folder.file("x.bin")): damaged: the weights: "
        + "expected 12 bytes for the layers, found 16")
  }
}
