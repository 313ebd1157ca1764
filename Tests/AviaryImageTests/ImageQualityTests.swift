import AviaryImage
import AviaryTestSupport
import FoundationEssentials
import Testing

@Suite struct ImageQualityTests {
  struct Case: Decodable {
    let border: Int
    let rounded: Bool
    let psnr: Double
    let ssim: Double
  }

  /// Against figures computed in numpy, SSIM window by window.
  @Test func equalsTheDefinition() throws {
    struct Expected: Decodable { let quality: [Case] }
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(try Fixture.bytes("expected.json")))
    let original = try Image(contentsOf: Fixture.path("metric-original.png"))
    let noisy = try Image(contentsOf: Fixture.path("metric-noisy.png"))
    #expect(expected.quality.count == 2)
    for each in expected.quality {
      let found = try ImageQuality(
        of: noisy, original: original, border: each.border, roundsLuma: each.rounded)
      #expect(abs(found.psnr - each.psnr) < 1e-4)
      #expect(abs(found.ssim - each.ssim) < 1e-6)
    }
  }

  /// The published figures of bicubic enlarging, by the whole protocol.
  @Test(
    .enabled(if: SharedFolder.isPresent, "the benchmark images are not ours to publish"),
    arguments: [
      ("Set5", 2, 33.64, 0.9292), ("Set5", 3, 30.39, 0.8678), ("Set5", 4, 28.42, 0.8101),
      ("Set14", 2, 30.22, 0.8683), ("Set14", 3, 27.53, 0.7737), ("Set14", 4, 25.99, 0.7023),
    ])
  func bicubicReachesItsFigures(set: String, scale: Int, psnr: Double, ssim: Double) throws {
    let folder = try #require(SharedFolder.path("data/bench/\(set)/HR"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    let resampling = Resampling(rounding: .eight)
    var sums = (psnr: 0.0, ssim: 0.0)
    for name in names {
      let original = try Image(contentsOf: "\(folder)/\(name)").cropped(toMultipleOf: scale)
      let low = try resampling.resize(original, by: ScaleFactor(1, over: scale))
      let enlarged = try resampling.resize(low, by: ScaleFactor(scale))
      let quality = try ImageQuality(of: enlarged, original: original, border: scale)
      sums.psnr += quality.psnr
      sums.ssim += quality.ssim
    }
    let count = Double(names.count)
    #expect(abs(sums.psnr / count - psnr) <= 0.01, "\(sums.psnr / count)")
    #expect(abs(sums.ssim / count - ssim) <= 0.0003, "\(sums.ssim / count)")
  }

  @Test func equalPicturesAndAlpha() throws {
    let image = try Fixture.noise(width: 20, height: 16, PixelFormat(.rgb, hasAlpha: true))
    let same = try ImageQuality(of: image, original: image, border: 2)
    #expect(same.psnr == .infinity && abs(same.ssim - 1) < 1e-12)
    // Alpha is left aside.
    #expect(try ImageQuality(of: image.opaque, original: image, border: 2).psnr == .infinity)
  }

  /// Luma made by a network stands beside an original in colour; gray counts as it is.
  @Test func lumaAndGray() throws {
    let original = try Fixture.noise(width: 20, height: 16, PixelFormat(.rgb)).rounded(to: .eight)
    let luma = try original.converted(to: .luma)
    #expect(try ImageQuality(of: luma, original: original, border: 0).psnr == .infinity)
    let gray = try Image(width: 11, height: 11, format: PixelFormat(.gray))
    var lighter = gray
    try lighter.fill(x: 0, y: 0, width: 11, height: 11, with: [1])
    #expect(try ImageQuality(of: lighter, original: gray, border: 0).psnr == 0)
  }

  @Test func sizesThatDoNotFit() throws {
    let image = try Image(width: 14, height: 20, format: PixelFormat(.gray))
    for (other, border, text) in [
      (
        try image.cropped(x: 0, y: 0, width: 13, height: 20), 0,
        "image: expected 14x20, found 13x20"
      ),
      (image, 2, "image: expected 11x11 or more within a border of 2, found 14x20"),
    ] {
      do {
        _ = try ImageQuality(of: other, original: image, border: border)
        Issue.record("accepted: \(text)")
      } catch { #expect("\(error)" == text) }
    }
  }
}
