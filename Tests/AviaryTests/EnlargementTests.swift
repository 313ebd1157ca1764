import Aviary
import AviaryGraph
import AviaryImage
import AviaryTestSupport
import Testing

/// Sizes that no network makes by itself, and what else is done beside the network's work.
@Suite struct EnlargementTests {
  private let options = UpscalerOptions(threads: 1, exact: true)

  private func upscaler(_ name: String = "espcn", scale: Int = 2) throws -> Upscaler {
    let model = try Models.random(
      name, name == "espcn" ? ["features": [6, 4], "scale": .int(scale)] : ["scale": .int(scale)],
      seed: 3)
    return try Upscaler(model, scale: scale, options: options)
  }

  static let targets: [(TargetSize, width: Int, height: Int)] = [
    (.scale(1.5), 60, 45), (.scale(0.26), 10, 8), (.width(100), 100, 75), (.height(31), 41, 31),
    (.exact(width: 50, height: 70), 50, 70), (.fit(width: 2560, height: 90), 120, 90),
    (.fit(width: 44, height: 1440), 44, 33), (.width(1), 1, 1),
  ]

  @Test(arguments: targets) func sizes(_ target: TargetSize, _ width: Int, _ height: Int) throws {
    let size = try target.size(width: 40, height: 30)
    #expect(size == (width, height))
    var enlargement = Enlargement([try upscaler()])
    enlargement.target = target
    let result = try enlargement.enlarge(Models.picture(height: 30, width: 40, .rgb))
    #expect(result.width == width && result.height == height)
  }

  @Test func aSizeBeyondTheNetworksIsReachedByRepeatingIt() throws {
    let upscaler = try upscaler()
    let image = Models.picture(height: 20, width: 24, .rgb)
    var enlargement = Enlargement([upscaler])
    enlargement.target = .scale(3)
    let twice = try upscaler.enlarge(upscaler.enlarge(image))
    let expected = try Resampling().resize(twice, toWidth: 72, height: 60)
    #expect(try enlargement.enlarge(image).largestDifference(from: expected) <= 1e-5)
  }

  @Test func networksInARowAreAppliedInOrder() throws {
    let first = try upscaler("espcn", scale: 3), second = try upscaler("bicubic", scale: 2)
    let image = Models.picture(height: 20, width: 24, .rgb)
    let expected = try second.enlarge(first.enlarge(image))
    #expect(
      try Enlargement([first, second]).enlarge(image).largestDifference(from: expected) <= 1e-5)
  }

  @Test func aNetworkThatRestoresMakesNothingLarger() throws {
    let model = try Models.random("residual-cae", ["features": [6, 8]], seed: 1)
    var enlargement = Enlargement([try Upscaler(model, scale: 1, options: options)])
    enlargement.target = .scale(2)
    let image = Models.picture(height: 20, width: 24, .rgb)
    #expect(throws: AviaryError.self) { try enlargement.enlarge(image) }
    enlargement.target = .scale(0.5)
    #expect(try enlargement.enlarge(image).width == 12)
  }

  @Test func aPartIsWhatThePartAloneGives() throws {
    let upscaler = try upscaler()
    let image = Models.picture(height: 200, width: 64, .rgb)
    var enlargement = Enlargement([upscaler])
    enlargement.crop = Comparison.Region(x: 5, y: 90, width: 40, height: 70)
    let expected = try upscaler.enlarge(image.cropped(x: 5, y: 90, width: 40, height: 70))
    #expect(try enlargement.enlarge(image).largestDifference(from: expected) <= 1e-5)
    enlargement.crop = Comparison.Region(x: 5, y: 140, width: 40, height: 70)
    #expect(throws: ImageError.self) { try enlargement.enlarge(image) }
  }

  /// The mean over all positions does not depend on the position of the image.
  @Test func anEnsembleIsTheSameInEveryPosition() throws {
    let upscaler = try upscaler()
    let image = Models.picture(height: 21, width: 30, .rgb)
    var enlargement = Enlargement([upscaler])
    enlargement.isEnsemble = true
    let result = try enlargement.enlarge(image)
    #expect(try result.largestDifference(from: upscaler.enlarge(image)) > 1e-3)
    for turn in ImageTurn.all {
      let turned = try enlargement.enlarge(image.turned(turn))
      #expect(try turned.turned(turn.inverse).largestDifference(from: result) <= 1e-5)
    }
  }

  /// A texture that is moved, with what leaves on one side coming in on the other, gives the result
  /// moved: it has no borders.
  @Test(arguments: [2.0, 1.5]) func aTextureHasNoBorders(_ scale: Double) throws {
    let image = Models.picture(height: 24, width: 32, .rgb)
    var enlargement = Enlargement([try upscaler()])
    enlargement.isSeamless = true
    enlargement.target = .scale(scale)
    let result = try enlargement.enlarge(image)
    // Moved by 8 pixels to the left and up, by way of a frame of 8 pixels.
    let moved = try image.wrapped(8).cropped(x: 16, y: 16, width: 32, height: 24)
    let step = Int(8 * scale)
    let expected = try result.wrapped(step).cropped(
      x: 2 * step, y: 2 * step, width: result.width, height: result.height)
    #expect(try enlargement.enlarge(moved).largestDifference(from: expected) <= 1e-5)
    enlargement.isSeamless = false
    #expect(try enlargement.enlarge(moved).largestDifference(from: expected) > 1e-3)
  }

  @Test func aBlendLiesBetweenBicubicAndTheNetwork() throws {
    let upscaler = try upscaler()
    let image = Models.picture(height: 20, width: 24, .rgb)
    var enlargement = Enlargement([upscaler])
    let network = try upscaler.enlarge(image)
    let bicubic = try Resampling().resize(image, by: ScaleFactor(2))
    for (share, expected) in [(0.0, bicubic), (1, network)] {
      enlargement.blend = share
      #expect(try enlargement.enlarge(image).largestDifference(from: expected) <= 1e-5)
    }
    enlargement.blend = 0.7
    let expected = try network.multiplied(by: 0.7).adding(bicubic.multiplied(by: 0.3))
    #expect(try enlargement.enlarge(image).largestDifference(from: expected) <= 1e-5)
  }

  @Test func theNearestPixelIsRepeatedAlphaAndHiddenColoursIncluded() throws {
    let format = PixelFormat(.rgb, hasAlpha: true)
    var image = Models.picture(height: 10, width: 12, .rgb, format).rounded(to: .eight)
    for column in 0..<6 { image[3, 4, column] = 0 }
    let result = try upscaler("nearest", scale: 3).enlarge(image)
    for channel in 0..<4 {
      for row in 0..<30 {
        for column in 0..<36 {
          #expect(result[channel, row, column] == image[channel, row / 3, column / 3])
        }
      }
    }
  }

  @Test func filesGiveWhatMemoryGives() throws {
    let folder = try TemporaryFolder()
    let image = Models.picture(height: 150, width: 64, .rgb).rounded(to: .eight)
    try image.write(to: folder.file("in.png"))
    var enlargement = Enlargement([try upscaler()])
    enlargement.target = .width(100)
    for isEnsemble in [false, true] {
      enlargement.isEnsemble = isEnsemble
      let report = try enlargement.enlarge(from: folder.file("in.png"), to: folder.file("out.png"))
      #expect(report.outputWidth == 100 && report.outputHeight == 234)
      let written = try Image(contentsOf: folder.file("out.png"))
      let expected = try enlargement.enlarge(image).rounded(to: .eight)
      #expect(try written.largestDifference(from: expected) <= 1.01 / 255)
    }
  }

  @Test func whatIsHeldWholeKeepsToTheMemory() throws {
    let model = try Models.random("espcn", ["features": [6, 4], "scale": 2], seed: 3)
    var enlargement = Enlargement([
      try Upscaler(
        model, scale: 2, options: UpscalerOptions(threads: 1, memory: 8 << 20, exact: true))
    ])
    enlargement.isEnsemble = true
    let error = #expect(throws: AviaryError.self) {
      try enlargement.enlarge(Models.picture(height: 200, width: 200, .rgb))
    }
    #expect("\(try #require(error))".contains("held whole"))
  }
}
