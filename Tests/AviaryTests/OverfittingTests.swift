import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTraining
import Aviary
import AviaryTestSupport
import Foundation
import Testing

/// Every architecture that restores images learns: tiny, it brings one small batch to 45 dB.
@Suite struct OverfittingTests {
  /// The architectures with parameters to learn: also those that are not known here. Published
  /// ones at their full size, millions of parameters, take hours: with `AVIARY_ALL` only.
  static let architectures = Registry.builtin.architectures.filter {
    guard $0.info.kind == .restoration, let graph = (try? $0.network())?.graph else { return false }
    return graph.parameters.contains { $0.role == .weight }
      && (Extent.isWhole || OverfittingTests.tiny[$0.info.name] != nil
        || graph.parameterCount <= 60_000)
  }.map(\.info.name)

  /// Less is asked of what cannot learn any image by heart: AOD-Net has 1,761 weights, and scales and
  /// shifts the image by one map.
  private static let bars = ["aod-net": 35.0]

  /// What makes each tiny; an architecture that is not named is as large as its default.
  static let tiny: [String: JSON] = [
    "autoencoder": ["widths": [16, 32], "decoderConvolutions": 1, "skips": "concatenate"],
    "espcn": ["scale": 2, "features": [32, 32]],
    "fsrcnn": ["features": 16, "shrunk": 8, "mapping": 2],
    "fusion-cae": ["channels": 1, "features": [8], "blocks": [2], "gate": 4],
    "plain-cae": ["features": [16, 32]],
    "residual-cae": ["channels": 1, "features": [8, 16]],
    "srcnn": ["filters": [16, 16], "kernels": [5, 3, 3]],
    "vdsr": ["features": 8, "layers": 5],
  ]

  @Test(arguments: architectures)
  func reaches45dB(_ name: String) throws {
    var recipe = Recipe(name, data: DataRecipe(targets: "none"))
    recipe.configuration = OverfittingTests.tiny[name]
    // What is halved three times takes no 12.
    recipe.batch.patch = name == "drunet" || name == "plain-unet" ? 16 : 12
    let trainable = try RecipeNetwork(recipe, registry: .builtin)
    let network = trainable.network
    let batch = try OverfittingTests.batch(network, trainable.geometry)
    let graph = network.graph
    let engine = try Engine(threads: 1)
    var settings = Trainer.Settings()
    settings.output = trainable.geometry.output
    settings.clipNorm = 1
    var trainer = try Trainer(
      graph, batchShape: batch.input.shape,
      parameters: try Initializer(graph, .he, seed: 1).parameters(),
      losses: try CombinedLoss(
        [LossRecipe(.l2)], picture: network.picture, engine: engine,
        features: { _ in throw CancellationError() }),
      optimizer: try Optimizer(
        OptimizerRecipe(learningRate: 3e-3),
        parameters: graph.parameters.filter { $0.role == .weight }.map { ($0.name, $0.shape) }),
      settings: settings, engine: engine)
    let steps = 4_000
    let rate = try LearningRate(ScheduleRecipe(), rate: 3e-3, steps: steps)
    let range = network.picture.range.upperBound - network.picture.range.lowerBound
    let start = ContinuousClock.now
    var psnr = 0.0
    let bar = OverfittingTests.bars[name] ?? 45
    while psnr < bar, trainer.stepCount < steps {
      let report = try trainer.step([batch], rate: rate.at(trainer.stepCount))
      psnr = 10 * log10(range * range / report.loss)
    }
    #expect(psnr >= bar, "\(name): \(psnr) dB after \(trainer.stepCount) steps")
    if OverfittingTests.tiny[name] != nil {
      #expect(ContinuousClock.now - start < .seconds(60))
    }
  }

  /// Two soft patterns, and what is left of them in blocks of 2x2: an enlargement that does not
  /// interpolate.
  private static func batch(_ network: Network, _ geometry: PatchGeometry) throws -> Batch {
    let channels = network.graph.inputs[0].channels
    let scale = geometry.enlargesFirst || geometry.scale == 1 ? 1 : geometry.scale
    func value(_ sample: Int, _ channel: Int, _ row: Double, _ column: Double) -> Float {
      let phase = Double(sample * 2 + channel)
      return Float(
        0.5 + 0.2 * sin(0.45 * row + 0.3 * column + phase) + 0.2 * cos(0.4 * column - phase))
    }
    /// The pattern in pixels of `pixel` of the target's on a side, each repeated `repeated` times.
    func picture(_ height: Int, _ width: Int, pixel: Int, repeated: Int) throws -> Tensor {
      var values: [Float] = []
      for sample in 0..<2 {
        for channel in 0..<channels {
          for row in 0..<height {
            for column in 0..<width {
              func centre(_ i: Int) -> Double {
                Double(i / repeated * repeated * pixel) + Double(repeated * pixel - 1) / 2
              }
              values.append(value(sample, channel, centre(row), centre(column)))
            }
          }
        }
      }
      return try Tensor(shape: [2, channels, height, width], values)
    }
    return Batch(
      input: try picture(
        geometry.side, geometry.side, pixel: scale, repeated: scale == 1 ? 2 : 1),
      target: try picture(geometry.outputHeight, geometry.outputWidth, pixel: 1, repeated: 1))
  }
}
