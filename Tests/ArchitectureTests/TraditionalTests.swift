import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// The methods without weights.
@Suite struct TraditionalTests {
  static let names = ["back-projection", "detail-fusion", "self-exemplar"]

  /// What an architecture without weights makes of an image of RGB.
  private func enlarged(_ name: String, _ image: Tensor, scale: Int) throws -> Tensor {
    let graph = try Registry.builtin[name].network(["scale": .int(scale)]).graph
    return try #require(try ONNXRoundTrip.outputs(graph, [:], ["image": image])["output"])
  }

  private func image(_ height: Int, _ width: Int, _ value: (Int, Int, Int) -> Float) throws
    -> Tensor
  {
    try Tensor(
      shape: [1, 3, height, width],
      (0..<3 * height * width).map { i in
        value(i / (height * width), i / width % height, i % width)
      })
  }

  @Test("a plain image stays plain, at sizes that no window divides", arguments: names)
  func plain(_ name: String) throws {
    for scale in 2...4 {
      let result = try enlarged(name, try image(21, 37) { c, _, _ in Float(c) / 4 }, scale: scale)
      #expect(result.shape == [1, 3, 21 * scale, 37 * scale])
      let pixels = 21 * 37 * scale * scale
      for (i, value) in result.floats.enumerated() {
        #expect(abs(value - Float(i / pixels) / 4) < 1e-5)
        if abs(value - Float(i / pixels) / 4) >= 1e-5 { return }
      }
    }
  }

  @Test("an image made small comes back nearer than by bicubic", arguments: names)
  func nearer(_ name: String) throws {
    // Stripes of several widths, and a disc.
    let original = try image(96, 128) { c, y, x in
      let stripe = (x + 2 * y) / (5 + x / 32) % 2 == 0
      let isInside = (x - 64) * (x - 64) + (y - 48) * (y - 48) < 900
      return (stripe == isInside ? 0.75 : 0.25) + 0.05 * Float(c)
    }
    let reduction = try Graph(channels: 3) { input in
      [
        input.applying(
          .resize(
            Resize(
              .cubic(a: -0.5), to: .factor(Ratio(1, 2)), edge: .symmetric, antialias: true)))
      ]
    }
    let small = try #require(
      try ONNXRoundTrip.outputs(reduction, [:], ["image": original])["output"])
    func error(_ name: String) throws -> Float {
      zip(try enlarged(name, small, scale: 2).floats, original.floats).reduce(0) {
        $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
      }
    }
    #expect(try error(name) < 0.9 * error("bicubic"))
  }

  @Test("what is projected back becomes the small image again when it is reduced")
  func projection() throws {
    var generator = SplitMix64(seed: 5)
    let small = generator.tensor([1, 3, 20, 24])
    let back = try Graph(channels: 3) { input in
      [
        input.applying(
          .resize(
            Resize(
              .cubic(a: -0.5), to: .factor(Ratio(1, 2)), edge: .symmetric, antialias: true)))
      ]
    }
    func lost(_ iterations: Int) throws -> Float {
      let graph = try Registry.builtin["back-projection"].network([
        "scale": 2, "iterations": .int(iterations),
      ]).graph
      let large = try #require(try ONNXRoundTrip.outputs(graph, [:], ["image": small])["output"])
      let again = try #require(try ONNXRoundTrip.outputs(back, [:], ["image": large])["output"])
      return zip(again.floats, small.floats).map { abs($0 - $1) }.max() ?? 0
    }
    #expect(try lost(20) < 0.01 * lost(0))
  }

  @Test func configurationsAreChecked() {
    for (name, configuration, problem) in [
      ("self-exemplar", ["scale": 9] as JSON, "scale: expected 2 to 8, found 9"),
      ("self-exemplar", ["window": 7], "window: expected 8 to 128, found 7"),
      ("back-projection", ["iterations": 65], "iterations: expected 0 to 64, found 65"),
    ] {
      let error = #expect(throws: GraphError.self) {
        try Registry.builtin[name].network(configuration)
      }
      #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
    }
  }
}
