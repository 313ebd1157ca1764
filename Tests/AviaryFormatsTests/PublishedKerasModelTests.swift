import AviaryCheckpoint
import AviaryFormats
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Other people's whole models: what our engine gives is what the real Keras gives.
@Suite(.enabled(if: SharedFolder.isPresent)) struct PublishedKerasModelTests {
  @Test(arguments: [
    ("itsadnanlone_CAE/autoencoder.h5", "shared-autoencoder"),
    ("itsadnanlone_CAE/encoder.h5", "shared-encoder"),
    ("itsadnanlone_CAE/decoder.h5", "shared-decoder"),
    ("keras3/Achira/srcnn_model.keras", "shared-achira"),
    ("keras3/Vietanh/srcnn.keras", "shared-vietanh"),
  ])
  func runsAsInKeras(_ file: String, _ runs: String) throws {
    let path = try #require(SharedFolder.path("weights/keras/\(file)"))
    try KerasFixture(path: path, runs: runs).check()
  }

  /// A model that a converter wrote: its kernels stand in the configuration, its pixel shuffle is
  /// written out for 512x512.
  @Test func aModelWithoutWeightsRunsByItsConfiguration() throws {
    let path = try #require(
      SharedFolder.path("weights/keras/HTAKM_CAE/denoising_autoencoder.h5"))
    let imported = try #require(try KerasGraph.graph(of: WeightsFile.read(path)))
    let fixture = try KerasFixture(path: path, runs: "shared-htakm")
    let expected = try #require(fixture.runs[0].outputs["output"])
    let side = 512
    var values = [Float](repeating: 0, count: 3 * side * side)
    for pixel in 0..<side * side {
      for channel in 0..<3 {
        values[channel * side * side + pixel] =
          Float((pixel * 3 + channel) * 7919 % 257) / 256
      }
    }
    var weights: [String: Tensor] = [:]
    for (name, tensor) in try imported.weights.loaded() { weights[name] = tensor }
    let shape = [1, 3, side, side]
    var plan = try Plan(
      imported.graph, weights: PackedWeights(weights), inputShapes: [shape], engine: Engine())
    let found = try plan.run([imported.graph.inputs[0].name: Tensor(shape: shape, values)])
    let output = try #require(found["output"]).floats
    var sample: [Float] = []
    for channel in 0..<3 {
      for row in stride(from: 0, to: side, by: 16) {
        for column in stride(from: 0, to: side, by: 16) {
          sample.append(output[(channel * side + row) * side + column])
        }
      }
    }
    let agreement = Agreement(try Tensor(shape: expected.shape, sample), expected: expected)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  @Test func weightsAloneHoldNoGraph() throws {
    for file in ["cszn_DnCNN/DnCNN_sigma25_model.h5", "titu1994/ResNetSR 2X.h5"] {
      let path = try #require(SharedFolder.path("weights/keras/\(file)"))
      #expect(try KerasGraph.graph(of: WeightsFile.read(path)) == nil)
    }
  }
}
