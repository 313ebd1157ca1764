import Aviary
import AviaryCheckpoint
import AviaryCompute
import AviaryFormats
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// The folder that Tests/Interop/zoo.py filled; nil where it did not.
private let zooFolder = ProcessInfo.processInfo.environment["AVIARY_ZOO_FOLDER"]

/// Published networks train: their gradients are those of the references' own code in float64.
@Suite("gradients of published networks", .enabled(if: zooFolder != nil))
struct PublishedGradientTests {
  private static let ending = ".gradients.h5"

  @Test func gradientsAgreeWithTheReferences() throws {
    let folder = try #require(zooFolder)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".0\(Self.ending)") }
      .map { String($0.dropLast(Self.ending.count + 2)) }.sorted()
    #expect(!names.isEmpty)
    var worst = (0.0, "none")
    for name in names {
      do {
        // A value that rounding puts on the other side of a kink is so by chance, a fault is one for
        // every image.
        let passes = try (0..<3).map { try check("\(folder)/\(name)", pass: $0) }
          // Where PyTorch's own float32 is off by a hundredth, nothing can be told of ours.
          .filter { $0.rounding < 1e-2 }
        guard let (error, rounding) = passes.min(by: { $0.error < $1.error }) else {
          print("\(name): float32 tells nothing of its gradients")
          continue
        }
        #expect(error <= max(1e-4, 3 * rounding), "\(name): \(error), PyTorch's own \(rounding)")
        if error > worst.0 { worst = (error, name) }
      } catch {
        Issue.record("\(name): \(error)")
      }
    }
    print(
      "gradients of \(names.count) published networks differ by \(worst.0) at most (\(worst.1))")
  }

  /// The largest difference of a gradient, as a part of the largest of its tensor, and that of
  /// PyTorch's own in float32.
  private func check(_ stem: String, pass turn: Int) throws -> (error: Double, rounding: Double) {
    let zoo = Zoo(folders: [])
    let model = try zoo.model("\(stem).h5").model
    let expected = try zoo.model("\(stem).\(turn)\(Self.ending)").model
    let pass = try WeightsFile.read("\(stem).\(turn).pass.safetensors").tensors.loaded()
    let image = try #require(pass["input"])
    var cotangent = try #require(pass["cotangent"])
    // The reference subtracts the noise that the network finds.
    if model.picture.output == .noise {
      cotangent = try Tensor(shape: cotangent.shape, cotangent.floats.map { -$0 })
    }
    let input = try #require(model.graph.inputs.first?.name)
    let output = try #require(model.graph.outputs.first?.name)
    var plan = try TrainingPlan(
      model.graph, inputShapes: [image.shape], gradientsOf: .parameters,
      options: PlanOptions(exact: true), engine: Engine(threads: 2))
    _ = try plan.forward(
      [input: image],
      parameters: Dictionary(uniqueKeysWithValues: model.weights.map { ($0.name, $0.tensor) }))
    let found = try plan.backward([output: cotangent]).parameters
    #expect(!found.isEmpty, "\(stem)")
    let largest = found.keys.compactMap { expected.weights[$0]?.floats.map(abs).max() }.max() ?? 0
    var worst = 0.0
    for (name, gradient) in found {
      let wanted = try #require(expected.weights[name])
      // What the reference does not learn stands in its file as it is.
      if wanted.floats == model.weights[name]?.floats { continue }
      let agreement = Agreement(gradient, expected: wanted)
      // The gradient of a bias before a normalisation is zero but for rounding, which has no scale
      // of its own.
      let isZero = agreement.scale < 1e-9 * Double(largest)
      let scale = isZero ? Double(largest) : max(agreement.scale, 1e-4 * Double(largest))
      worst = max(worst, agreement.largest / scale)
    }
    return (worst, Double(try #require(pass["rounding"]?.floats.first)))
  }
}
