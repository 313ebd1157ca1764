import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// VGG in the files that people have: Keras's of 2016 and torchvision's, with narrow layers.
@Suite struct FeatureNetworkFileTests {
  private func model(_ file: String) throws -> (model: Model, report: LoadReport?) {
    try Zoo(folders: []).model(path(file))
  }

  private func path(_ file: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/vgg/\(file)").path
  }

  @Test(arguments: [("keras-notop.h5", "keras"), ("torchvision.pth", "pytorch")])
  func agreesWithItsFramework(_ file: String, origin: String) throws {
    let (model, report) = try model(file)
    #expect(model.architecture == "vgg")
    #expect(model.configuration["origin"] == .string(origin))
    #expect(report?.assumed.contains("origin") != true)
    let example = try WeightsFile.read(path("example.pt")).tensors.loaded()
    let input = try #require(example["input"])
    // As the model's own image says it.
    let picture = model.picture
    let plane = input.shape[2] * input.shape[3]
    let span = picture.range.upperBound - picture.range.lowerBound
    let prepared = try Tensor(
      shape: input.shape,
      input.floats.enumerated().map { position, value in
        let channel = position / plane
        let deviation = picture.deviation.isEmpty ? 1 : picture.deviation[channel]
        return Float((Double(value) * span - picture.mean[channel]) / deviation)
      })
    let weights = Dictionary(uniqueKeysWithValues: model.weights.map { ($0.name, $0.tensor) })
    // The first output is relu3_3; the classifier would want larger images, and is not needed.
    let outputs = try naive(model.graph, weights: weights, inputs: ["image": prepared])
    let expected = try #require(example[origin == "keras" ? "keras" : "torchvision"])
    let agreement = Agreement(try #require(outputs["output_0"]), expected: expected)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  @Test(arguments: ["keras-notop.h5", "torchvision.pth"])
  func restoresNoImages(_ file: String) throws {
    let model = try model(file).model
    let error = #expect(throws: AviaryError.self) { try Upscaler(model, scale: 2) }
    #expect(
      error?.description
        == "vgg: does not restore images: its output is not an image in proportion to its input")
  }

  @Test func discriminatorsRestoreNoImages() throws {
    let network = try Registry.builtin["patch-discriminator"].network(["features": 2, "layers": 1])
    let weights = randomWeights(for: network.graph, seed: 2)
    let folder = try TemporaryFolder()
    let path = folder.file("discriminator.pt")
    try TorchZip.write(
      TensorSource(NamedTensors(weights.map { ($0.key, $0.value) })), record: nil, to: path)
    let model = try Zoo(folders: []).model(path).model
    #expect(model.architecture == "patch-discriminator")
    let error = #expect(throws: AviaryError.self) { try Upscaler(model) }
    #expect(
      error?.description
        == "patch-discriminator: does not restore images: its output is not an image in proportion to "
        + "its input")
  }
}
