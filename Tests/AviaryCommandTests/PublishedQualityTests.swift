import AviaryTestSupport
import Testing

/// Weights that other people published, evaluated on Set5: the figures were computed with the
/// references' modules in PyTorch. Skipped where the shared folder is absent.
@Suite(.enabled(if: SharedFolder.isPresent)) struct PublishedQualityTests {
  @Test(arguments: [
    ("IMDN/IMDN_x2.pth", "2", 37.91), ("RLFN/rlfn_x2.pth", "2", 37.98),
    ("CARN-M/carn_m.pth", "2", 37.60), ("sisr-irl/LapSRN_x2.pt", "2", 37.26),
    ("RFDN/RFDN_AIM.pth", "4", 32.14),
  ])
  func isAsInPyTorch(_ file: String, _ scale: String, _ expected: Double) throws {
    let weights = try #require(SharedFolder.path("weights/pytorch/\(file)"))
    let images = try #require(SharedFolder.path("data/bench/Set5/HR"))
    let outcome = try Outcome(
      ["eval", weights, "--data", images, "--scale", scale, "--json", "--quiet"])
    try #require(outcome.status == 0, "\(outcome.error)")
    let json = try outcome.json()
    let mean = try #require(json["mean"] as? [String: Any])
    let psnr = try #require(mean["psnr"] as? Double)
    #expect(abs(psnr - expected) < 0.01, "\(psnr)")
  }
}
