import AviaryImage
import AviaryTestSupport
import FoundationEssentials
import Testing

@Suite struct ResamplingTests {
  /// MATLAB's own files: not one pixel differs.
  @Test(
    .enabled(if: SharedFolder.isPresent, "the benchmark images are not ours to publish"),
    arguments: ["Set5", "Set14"], [2, 3, 4])
  func equalsMATLABToTheBit(set: String, scale: Int) throws {
    let folder = try #require(SharedFolder.path("data/bench/\(set)/x\(scale)"))
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/HR").sorted()
    #expect(names.count == (set == "Set5" ? 5 : 14))
    let resampling = Resampling(border: .replicated, rounding: .eight)
    for name in names {
      let high = try Image(contentsOf: "\(folder)/HR/\(name)")
      let low = try Image(contentsOf: "\(folder)/LR/\(name.replacing("HR", with: "LR"))")
      let made = try resampling.resize(high, by: ScaleFactor(1, over: scale))
      #expect(made.width == low.width && made.height == low.height)
      let differing = zip(made.floats, low.floats).count { $0 != $1 }
      #expect(differing == 0, "\(name)")
    }
  }

  struct Case: Decodable {
    let kernel: ResamplingKernel
    let border: ResamplingBorder
    let width: Int
    let height: Int
    let values: [Double]
  }

  /// All kernels and borders, enlarging, reducing and both at once, against matrices of weights
  /// computed in numpy.
  @Test func equalsTheDefinition() throws {
    struct Expected: Decodable { let resampled: [Case] }
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(try Fixture.bytes("expected.json")))
    let image = try Image(contentsOf: Fixture.path("gray-8.png"))
    #expect(expected.resampled.count == 32)
    for each in expected.resampled {
      let resampling = Resampling(each.kernel, border: each.border)
      let made = try resampling.resize(image, toWidth: each.width, height: each.height)
      let worst = zip(made.floats, each.values).map { abs(Double($0) - $1) }.max() ?? 1
      #expect(
        worst < 1e-6, "\(each.kernel) \(each.border) to \(each.width)x\(each.height): \(worst)")
    }
  }

  /// Whatever the bands, the result is the same, float for float.
  @Test(arguments: [nil, BitDepth.eight], ResamplingBorder.allCases)
  func bandsMakeUpTheWhole(rounding: BitDepth?, border: ResamplingBorder) throws {
    let image = try Fixture.noise(width: 13, height: 37, PixelFormat(.rgb, hasAlpha: true))
    for (n, d) in [(2, 1), (3, 2), (1, 3), (5, 1), (1, 50)] {
      let factor = try ScaleFactor(n, over: d)
      let resampling = Resampling(.lanczos3, border: border, rounding: rounding)
      let whole = try resampling.resize(image, by: factor)
      for rows in [1, 5, 36] {
        var resampler = try BandResampler(
          resampling, width: 13, height: 37, format: image.format, by: factor)
        var bands: [Image] = []
        var row = 0
        while row < image.height {
          let end = min(row + rows, image.height)
          bands.append(try resampler.push(try image.rows(row..<end)))
          row = end
        }
        #expect(resampler.position == resampler.outputHeight)
        #expect(try Image.stacked(bands) == whole)
      }
    }
  }

  /// Rows come out as soon as the kernel has what it needs: row 12 of x2 lies at 5.75, and bicubic
  /// needs rows 4 to 7 for it.
  @Test func rowsComeOutEarly() throws {
    let image = try Fixture.noise(width: 4, height: 16, PixelFormat(.gray))
    var resampler = try BandResampler(
      Resampling(), width: 4, height: 16, format: image.format, by: ScaleFactor(2))
    #expect(try resampler.push(image.rows(0..<8)).height == 13)
    #expect(try resampler.push(image.rows(8..<9)).height == 2)
    #expect(try resampler.push(image.rows(9..<16)).height == 17)
  }

  @Test func constantsStayConstantAndSidesRoundUp() throws {
    var image = try Image(width: 5, height: 3, format: PixelFormat(.gray))
    try image.fill(x: 0, y: 0, width: 5, height: 3, with: [0.25])
    for kernel in ResamplingKernel.allCases {
      for (n, d, width, height) in [(3, 2, 8, 5), (1, 2, 3, 2), (7, 1, 35, 21), (1, 9, 1, 1)] {
        let made = try Resampling(kernel).resize(image, by: ScaleFactor(n, over: d))
        #expect(made.width == width && made.height == height)
        #expect(made.floats.allSatisfy { abs($0 - 0.25) < 1e-6 })
      }
    }
  }

  @Test func sizesThatCannotBe() throws {
    let image = try Image(width: 5, height: 3, format: PixelFormat(.gray))
    let none = try Image(width: 0, height: 3, format: PixelFormat(.gray))
    for (text, body) in [
      (
        "resampling: expected sides of 1 to 1048576 pixels, found 5x3 to 0x3",
        { () throws(ImageError) in try Resampling().resize(image, toWidth: 0, height: 3) }
      ),
      (
        "resampling: expected sides of 1 to 1048576 pixels, found 0x3 to 0x6",
        { () throws(ImageError) in try Resampling().resize(none, by: ScaleFactor(2)) }
      ),
      (
        "resampling: expected sides of 1 to 1048576 pixels, found 5x3 to 5000000x3000000",
        { () throws(ImageError) in try Resampling().resize(image, by: ScaleFactor(1_000_000)) }
      ),
      (
        "scale: expected a fraction of numbers from 1 to 1048576, found 0/1",
        { () throws(ImageError) in try Resampling().resize(image, by: ScaleFactor(0)) }
      ),
      (
        "image: expected at most 2^31 samples, found 50000x50000 with 1 channel",
        { () throws(ImageError) in
          try Resampling(.nearest).resize(image, toWidth: 50000, height: 50000)
        }
      ),
    ] {
      do {
        _ = try body()
        Issue.record("accepted: \(text)")
      } catch { #expect("\(error)" == text) }
    }
  }
}
