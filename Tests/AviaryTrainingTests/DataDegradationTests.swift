import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryTraining

/// Noise and strengths are drawn anew for every patch.
@Suite struct DataDegradationTests {
  @Test func noiseIsNormal() throws {
    var data = DataRecipe(targets: "")
    data.degradations = [.noise(deviation: 25...25)]
    var generator = SeededGenerator(seed: 5)
    let gray = try Image(width: 101, height: 99, format: PixelFormat(.gray))
    let noise = try data.degraded(gray, using: &generator).pixels.floats.map { $0 * 255 }
    let count = Float(noise.count)
    func moment(_ order: Int) -> Float {
      noise.reduce(0) { sum, x in sum + (0..<order).reduce(1) { power, _ in power * x / 25 } }
        / count
    }
    // Four deviations of the estimates: √(1, 2, 15, 96) / 100.
    #expect(abs(moment(1)) < 0.04)
    #expect(abs(moment(2) - 1) < 0.057)
    #expect(abs(moment(3)) < 0.155)
    #expect(abs(moment(4) - 3) < 0.39)
    // Neighbours, which come of one draw, know nothing of each other.
    let product = (0..<noise.count - 1).reduce(Float(0)) { $0 + noise[$1] * noise[$1 + 1] }
    #expect(abs(product / count / 625) < 0.04)
  }

  @Test(arguments: [
    [DataRecipe.Degradation.noise(deviation: 1...50)], [.jpeg(quality: 10...90)],
    [.blur(deviation: 0.5...3)],
  ])
  func patchesSufferDifferently(_ degradations: [DataRecipe.Degradation]) throws {
    let folder = try TemporaryFolder()
    try DataFixture.write(try DataFixture.waves(16, 16), "a.png", in: folder)
    var data = DataRecipe(targets: folder.path)
    data.degradations = degradations
    let set = try TrainingSet(
      data, DataFixture.recipe(size: 6, patch: 16), picture: ImageSpec(.rgb),
      geometry: DataFixture.geometry(patch: 16), seed: 1)
    let first = try set.batch(step: 0), second = try set.batch(step: 1)
    let patches = [first, second].flatMap { batch in
      let floats = batch.input.floats
      return (0..<6).map { Array(floats[$0 * 768..<($0 + 1) * 768]) }
    }
    #expect(Set(patches).count >= 11)
    #expect(first.target == second.target)
    #expect(try set.batch(step: 1).input == second.input)
  }

  @Test func strengthsLieWithinTheirRange() {
    var generator = SeededGenerator(seed: 1)
    var qualities: Set<Int> = []
    for _ in 0..<200 {
      guard
        case .jpeg(let quality) = DrawnDegradation(.jpeg(quality: 30...34), using: &generator)
      else { continue }
      qualities.insert(quality)
    }
    #expect(qualities == [30, 31, 32, 33, 34])
  }

  @Test(arguments: [
    (
      DataRecipe.Degradation.noise(deviation: -1...5),
      "data.degradations.noise: expected 0.0 to 255.0, found -1.0 to 5.0"
    ),
    (
      .jpeg(quality: 0...50), "data.degradations.jpeg: expected 1.0 to 100.0, found 0.0 to 50.0"
    ),
    (
      .blur(deviation: 1...65), "data.degradations.blur: expected 0.0 to 64.0, found 1.0 to 65.0"
    ),
  ])
  func strengthsThatThereAreNot(_ degradation: DataRecipe.Degradation, _ message: String) throws {
    var data = DataRecipe(targets: "nowhere")
    data.degradations = [degradation]
    #expect {
      try TrainingSet(
        data, DataFixture.recipe(), picture: ImageSpec(.rgb), geometry: DataFixture.geometry(),
        seed: 1)
    } throws: { "\($0)" == message }
  }
}
