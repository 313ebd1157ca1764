import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Testing

@Suite("norms and sums of gradients")
struct GradientNormTests {
  @Test("clipping is PyTorch's", arguments: ["0.5", "1000000.0"])
  func clipping(limit: String) throws {
    let fixture = try OptimizerFixture.read()
    let expected = try #require(fixture.clipped[limit])
    var gradients = try OptimizerFixture.tensors(fixture.gradients[4])
    let norm = GradientNorm.clip(&gradients, to: try #require(Double(limit)))
    // PyTorch's is summed in float32.
    #expect(abs(norm - expected.norm) <= 1e-6 * expected.norm)
    for (name, tensor) in try OptimizerFixture.tensors(expected.gradients) {
      let agreement = Agreement(try #require(gradients[name]), expected: tensor)
      #expect(agreement.largest <= 1e-6 * agreement.scale, "\(name): \(agreement)")
    }
  }

  @Test("a number that is not finite shows, and is not spread", arguments: [Float.nan, .infinity])
  func notFinite(value: Float) throws {
    var gradients = ["a": try Tensor(shape: [9], [Float](repeating: 1, count: 8) + [value])]
    let before = gradients
    #expect(!GradientNorm.clip(&gradients, to: 0.1).isFinite)
    #expect(gradients == before)
  }

  @Test("numbers whose squares float32 cannot hold have a norm")
  func large() throws {
    #expect(GradientNorm.of(["a": try Tensor(shape: [2], [3e30, 4e30])]).rounded() > 4.99e30)
    #expect(GradientNorm.of([:]) == 0)
  }

  @Test("the mean of parts, and a new sum after it")
  func sums() throws {
    var sum = GradientSum()
    for _ in 0..<2 {
      for value in [Float(1), 2, 6] {
        try sum.add(["a": try Tensor(shape: [2], [value, -value])])
      }
      #expect(sum.mean()["a"]?.floats == [3, -3])
    }
    #expect(sum.mean().isEmpty)
  }

  @Test("parts of other parameters are refused")
  func otherParts() throws {
    let (two, three) = (try Tensor(zeros: [2]), try Tensor(zeros: [3]))
    var sum = GradientSum()
    try sum.add(["a": try Tensor(zeros: [2])])
    func message(_ gradients: [String: Tensor]) -> String? {
      #expect(throws: TrainingError.self) { try sum.add(gradients) }?.description
    }
    #expect(message([:]) == "gradients: expected 1 parameters, found 0")
    #expect(
      message(["b": two]) == "the gradient of b: expected none, found shape [2]")
    #expect(
      message(["a": three])
        == "the gradient of a: expected shape [2], found shape [3]")
  }
}
