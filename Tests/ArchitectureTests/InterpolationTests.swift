import Aviary
import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Testing

/// The interpolations of the registry, as the oracle computes them, are MATLAB's `imresize`, which
/// AviaryImage does to the bit.
@Suite struct InterpolationTests {
  @Test(arguments: [
    ("nearest", ResamplingKernel.nearest), ("bilinear", .bilinear), ("bicubic", .bicubic),
    ("lanczos", .lanczos3),
  ])
  func isWhatImresizeDoes(_ name: String, _ kernel: ResamplingKernel) throws {
    for scale in 2...4 {
      let input = randomTensor([1, 3, 13, 17], seed: UInt64(scale))
      let graph = try Registry.builtin[name].network(["scale": .int(scale)]).graph
      let output = try #require(
        try naive(graph, weights: [:], inputs: ["image": input])["output"])
      var image = try Image(width: 17, height: 13, format: PixelFormat(.rgb))
      for (position, value) in input.floats.enumerated() {
        image[position / (13 * 17), position / 17 % 13, position % 17] = value
      }
      let expected = try Resampling(kernel).resize(image, by: ScaleFactor(scale))
      let found = try Tensor(
        shape: [1, 3, 13 * scale, 17 * scale], expected.pixels.floats)
      let agreement = Agreement(output, expected: found)
      #expect(agreement.relative <= 2e-7, "x\(scale): \(agreement)")
    }
  }
}
