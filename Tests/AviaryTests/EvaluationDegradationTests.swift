import Aviary
import AviaryGraph
import AviaryTestSupport
import AviaryTraining
import Testing

/// Figures of images that were made worse.
@Suite struct EvaluationDegradationTests {
  @Test("what the network is given is measured beside it, the same every time")
  func noise() throws {
    let example = try TrainingExample()
    let folder = example.folder.file("data")
    // At scale 1 it gives what it is given.
    let identity = try Model(
      withoutWeights: Registry.builtin["bicubic"].network(["scale": 1]))
    func evaluate(_ degradations: [DataRecipe.Degradation]) throws -> Evaluation {
      try Evaluation(identity, originals: folder, scale: 1, degradations: degradations)
    }
    let first = try evaluate([.noise(deviation: 25...25)])
    let second = try evaluate([.noise(deviation: 25...25)])
    #expect(first.images == second.images)
    // Noise of 25 in each of three channels is 12.7 in luma, less what is cut off at black and
    // white.
    #expect((24...29).contains(first.mean.psnr), "\(first.mean)")
    #expect(abs(first.mean.psnr - first.mean.bicubic.psnr) < 0.01, "\(first.mean)")
    let weaker = try evaluate([.noise(deviation: 5...5)])
    #expect(weaker.mean.psnr > first.mean.psnr + 8)
    #expect(try evaluate([]).mean.psnr == .infinity)
  }
}
