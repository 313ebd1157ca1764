import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Testing

/// Losses of pixels against PyTorch, and their gradients against finite differences.
@Suite struct PixelLossTests {
  /// By the names of the fixture.
  private static func loss(_ name: String) throws -> any Loss {
    switch name {
    case "l1": L1Loss()
    case "l2": L2Loss()
    case "charbonnier": try CharbonnierLoss(epsilon: 1e-3)
    case "ssim": SSIMLoss()
    default: TotalVariationLoss()
    }
  }

  private static let names = ["l1", "l2", "charbonnier", "ssim", "total-variation"]

  @Test(arguments: names) func agreesWithPyTorch(_ name: String) throws {
    let fixture = try LossFixture()
    var loss = try Self.loss(name)
    #expect(loss.name == name)
    let found = try loss.evaluate(fixture["result"], fixture["target"])
    let value = try fixture.value("pixels.\(name).value")
    #expect(abs(found.value - value) <= 1e-6 * value, "expected \(found.value), \(value)")
    let agreement = Agreement(
      found.gradient, expected: try fixture["pixels.\(name).gradient"])
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  /// Along random directions, from the loss's own values: another calculation than the gradient's.
  @Test(arguments: names) func gradientIsThatOfFiniteDifferences(_ name: String) throws {
    // Of a curve that is nearly straight along a step.
    var loss = name == "charbonnier" ? try CharbonnierLoss(epsilon: 0.1) : try Self.loss(name)
    // Numbers of few digits, so that steps are exact in float32; neighbours and pairs differ by
    // more than the steps, so that no absolute value changes its sign on the way.
    let shape = [1, 2, 12, 13]
    func grid(_ seed: UInt64, shifted: Float) throws -> Tensor {
      try Tensor(
        shape: shape,
        randomTensor(shape, seed: seed).floats.enumerated().map {
          ($0.element * 32).rounded() / 32 + Float($0.offset % 13 % 2) / 64
            + Float($0.offset / 13 % 2) / 128 + shifted
        })
    }
    let result = try grid(1, shifted: 0), target = try grid(2, shifted: 1.0 / 512)
    let gradient = try loss.evaluate(result, target).gradient.floats
    let step: Float = 1.0 / 2048
    for seed in 10..<14 {
      let direction = randomTensor(shape, seed: UInt64(seed)).floats.map {
        ($0 * 4 - 2).rounded() * step / 2
      }
      func value(_ sign: Float) throws -> Double {
        let moved = zip(result.floats, direction).map { $0 + sign * $1 }
        return try loss.evaluate(Tensor(shape: shape, moved), target).value
      }
      let expected = try (value(1) - value(-1)) / 2
      let found = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(found - expected) <= 2e-4 * abs(expected), "expected \(found), \(expected)")
    }
  }

  /// Brightness counts and not the numbers that stand for it.
  @Test func similarityIsThatOfBrightness() throws {
    let fixture = try LossFixture()
    let picture = ImageSpec(.rgb, range: 0...255, mean: [120, 110, 100], deviation: [60, 50, 40])
    func mapped(_ tensor: Tensor) throws -> Tensor {
      let plane = tensor.shape[2] * tensor.shape[3]
      return try Tensor(
        shape: tensor.shape,
        tensor.floats.enumerated().map { position, value in
          let channel = position / plane % 3
          return (value * 255 - Float(picture.mean[channel])) / Float(picture.deviation[channel])
        })
    }
    let found = try SSIMLoss(picture: picture).evaluate(
      mapped(fixture["result"]), mapped(fixture["target"]))
    #expect(try abs(found.value - fixture.value("pixels.ssim.value")) <= 1e-6)
    let plane = found.gradient.shape[2] * found.gradient.shape[3]
    let gradient = found.gradient.floats.enumerated().map {
      $0.element * 255 / Float(picture.deviation[$0.offset / plane % 3])
    }
    let agreement = Agreement(
      try Tensor(shape: found.gradient.shape, gradient),
      expected: try fixture["pixels.ssim.gradient"])
    #expect(agreement.relative <= 1e-4, "\(agreement)")
  }

  @Test(arguments: names) func ofEqualPicturesNothingIsLost(_ name: String) throws {
    let picture = try Tensor(shape: [1, 3, 11, 11], Array(repeating: 0.25, count: 363))
    var loss = try Self.loss(name)
    let found = try loss.evaluate(picture, picture)
    #expect(abs(found.value) <= (name == "charbonnier" ? 1.00001e-3 : 1e-12))
    #expect(found.gradient.floats.allSatisfy { abs($0) < 1e-12 })
  }

  @Test(arguments: names) func whatIsNoNumberShows(_ name: String) throws {
    var result = randomTensor([1, 1, 12, 12], seed: 3)
    unsafe result.withMutableFloats { unsafe $0[70] = .nan }
    var loss = try Self.loss(name)
    let found = try loss.evaluate(result, randomTensor([1, 1, 12, 12], seed: 4))
    #expect(found.value.isNaN)
    #expect(found.gradient.floats[70].isNaN)
  }

  @Test func tensorsThatDoNotFit() throws {
    let picture = randomTensor([1, 3, 12, 12], seed: 1)
    func problem(_ name: String, _ result: Tensor, _ target: Tensor) throws -> String {
      var loss = try Self.loss(name)
      let error = #expect(throws: TrainingError.self) { try loss.evaluate(result, target) }
      return error?.description ?? ""
    }
    for name in Self.names {
      #expect(
        try problem(name, picture, randomTensor([1, 3, 12, 11], seed: 1))
          == "\(name): target: expected float32 [1, 3, 12, 12], found float32 [1, 3, 12, 11]")
      #expect(
        try problem(name, Tensor(zeros: [0, 3, 12, 12]), picture)
          == "\(name): result: expected float32 elements, found float32 [0, 3, 12, 12]")
    }
    let small = randomTensor([1, 3, 12, 10], seed: 1)
    #expect(
      try problem("ssim", small, small)
        == "ssim: expected images of 11x11 pixels at least, found [1, 3, 12, 10]")
    let flat = randomTensor([3, 12], seed: 1)
    #expect(
      try problem("total-variation", flat, flat)
        == "total-variation: result: expected N x channels x height x width, found [3, 12]")
    let error = #expect(throws: TrainingError.self) { try CharbonnierLoss(epsilon: 0) }
    #expect(error?.description == "charbonnier.epsilon: expected a number above 0, found 0.0")
  }
}
