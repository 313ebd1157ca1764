import Aviary
@testable import AviaryGraph
import Testing

/// Figures of the architectures that are known from their publications, or from a calculation by
/// hand.
@Suite struct PublishedFiguresTests {
  private func graph(_ name: String, _ configuration: JSON = [:]) throws -> Graph {
    try Registry.builtin[name].network(configuration).graph
  }

  @Test func parameters() throws {
    // SRCNN: 8,032, 24,416 and 57,184 weights in the paper, and 97 biases.
    #expect(try graph("srcnn", ["kernels": [9, 1, 5]]).parameterCount == 8_032 + 97)
    #expect(try graph("srcnn", ["kernels": [9, 3, 5]]).parameterCount == 24_416 + 97)
    #expect(try graph("srcnn").parameterCount == 57_184 + 97)
    // FSRCNN: 12,464 weights in the paper; biases; a slope for each channel of seven PReLUs.
    #expect(try graph("fsrcnn").parameterCount == 12_464 + 173 + 172)
    // ESPCN x3: three layers.
    #expect(try graph("espcn").parameterCount == 1_664 + 18_464 + 2_601)
    // VDSR: twenty layers, 664,704 weights.
    #expect(try graph("vdsr").parameterCount == 664_704 + 19 * 64 + 1)
    // VGG without its classifier, as Keras counts it; and with it, as torchvision does.
    #expect(try graph("vgg").parameterCount == 14_714_688)
    #expect(try graph("vgg", ["classes": 1000]).parameterCount == 138_357_544)
    #expect(try graph("vgg", ["convolutions": [2, 2, 4, 4, 4]]).parameterCount == 20_024_384)
    // The discriminator of 70x70 pixels.
    #expect(try graph("patch-discriminator").parameterCount == 2_764_737)
    #expect(
      try graph("residual-cae").parameterCount
        == 1_792 + 73_856 + 73_856 + 295_168 + 73_792 + 73_856 + 1_731)
    #expect(
      try graph("plain-cae").parameterCount == 320 + 18_496 + 73_856 + 73_792 + 18_464 + 289)
  }

  /// As the references' own code counts them.
  @Test(arguments: [
    ("esrgan", "x4", 16_697_987), ("esrgan", "x2", 16_703_171), ("esrgan", "plus-x4", 16_839_299),
    ("compact", "x4", 621_424), ("edsr", "x2", 1_369_883), ("edsr", "large-x4", 43_089_947),
    ("edsr", "basicsr-x4", 1_517_571), ("rcan", "x4", 15_592_379), ("srresnet", "x4", 1_517_571),
    ("rdn", "x4", 22_271_107), ("real-cugan", "x2", 1_284_598), ("real-cugan", "x3", 1_286_326),
    ("real-cugan", "x4", 1_406_812), ("real-cugan", "fast-x2", 1_409_404),
    ("drunet", "colour", 32_640_960), ("dncnn", "normalised-gray", 557_057),
    ("dncnn", "gray", 555_137),
    ("rfdn", "x4", 433_448), ("rlfn", "x2", 526_856), ("lapsrn", "x2", 435_344),
    ("drrn", "b1u25", 297_216), ("imdn", "x2", 694_404), ("plksr", "x4", 5_551_088),
    ("realplksr", "x4", 7_389_680), ("fbcnn", "colour", 71_921_796), ("span", "x4", 426_288),
    ("srgan", "x4", 1_547_350), ("unet", "colour", 700_611), ("red-net", "red30", 1_037_507),
  ])
  func parameters(_ name: String, _ preset: String, _ count: Int) throws {
    let architecture = try Registry.builtin[name]
    let network = try architecture.network(architecture.preset(preset))
    #expect(network.graph.parameterCount == count)
  }

  @Test func multiplyAdds() throws {
    // FSRCNN works on the small image throughout. (Comparisons that give 6.0 G for an
    // enlargement to 1280x720 count its last layer by the pixels of the output, most of whose
    // products are with zeros.)
    let fsrcnn = try graph("fsrcnn").multiplyAdds(height: 360, width: 640)
    #expect(fsrcnn == 12_464 * 360 * 640)
    // VDSR: 612.6 G.
    let vdsr = try graph("vdsr").multiplyAdds(height: 720, width: 1280)
    #expect(abs(vdsr - 612.6e9) < 0.05e9)
    // SRCNN 9-1-5: a multiplication for every weight and pixel.
    let srcnn = try graph("srcnn", ["kernels": [9, 1, 5]]).multiplyAdds(height: 720, width: 1280)
    #expect(srcnn == 8_032 * 720 * 1280)
  }

  @Test func sizes() throws {
    func rule(_ name: String, _ configuration: JSON = [:]) throws -> SizeRule {
      try graph(name, configuration).sizeRule()
    }
    // 66 pixels of 65.
    let residual = try graph("residual-cae")
    #expect(try residual.shapes(height: 65, width: 64).last == [1, 3, 66, 64])
    #expect(
      residual.sizeRule()
        == SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 2, shrinkage: 0, minimum: 1))
    // The input is added to the output, which must then be as large.
    #expect(try rule("residual-cae", ["residual": true]).multiple == 2)
    #expect(
      try rule("fusion-cae")
        == SizeRule(scale: Ratio(2), multiple: 2, exactMultiple: 2, shrinkage: 0, minimum: 2))
    #expect(
      try rule("fusion-cae", ["features": [8, 8, 8, 8], "blocks": [1, 1, 1, 1]]).multiple == 8)
    #expect(
      try rule("plain-cae")
        == SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 4, shrinkage: 0, minimum: 4))
    // Seed one's code to the letter: 28x28 pixels in, 12x12 out.
    let valid = try graph("plain-cae", ["padding": "valid"])
    #expect(try valid.shapes(height: 28, width: 28).last == [1, 1, 12, 12])
    #expect(
      valid.sizeRule()
        == SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 4, shrinkage: 16, minimum: 18))
    #expect(
      try rule("srcnn", ["padding": "valid"])
        == SizeRule(scale: Ratio(1), multiple: 1, exactMultiple: 1, shrinkage: 16, minimum: 17))
    for scale in 2...4 {
      for name in ["fsrcnn", "espcn", "bicubic", "nearest"] {
        #expect(
          try rule(name, ["scale": .int(scale)])
            == SizeRule(
              scale: Ratio(scale), multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1))
      }
    }
    #expect(
      try rule("fsrcnn", ["scale": 3, "origin": "keras"])
        == SizeRule(scale: Ratio(3), multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1))
  }

  /// How far networks see, by hand from their layers.
  @Test func tilings() throws {
    func tiling(_ name: String, _ configuration: JSON = [:]) throws -> Tiling {
      try graph(name, configuration).tiling(height: 480, width: 640)
    }
    #expect(try tiling("srcnn") == .exact(overlap: 8, multiple: 1))
    #expect(try tiling("srcnn", ["kernels": [9, 1, 5]]) == .exact(overlap: 6, multiple: 1))
    #expect(try tiling("vdsr") == .exact(overlap: 20, multiple: 1))
    #expect(try tiling("espcn") == .exact(overlap: 4, multiple: 1))
    // Six pixels before the last layer, of which each reaches four pixels of the output.
    #expect(try tiling("fsrcnn") == .exact(overlap: 8, multiple: 1))
    #expect(try tiling("residual-cae") == .exact(overlap: 12, multiple: 2))
    #expect(
      try tiling("fusion-cae", ["features": [48, 96], "blocks": [3, 2]])
        == .exact(overlap: 24, multiple: 2))
    // Head, 16 convolutions in blocks, gather, tail; gates see further.
    #expect(try tiling("fusion-cae", ["gate": 0]) == .exact(overlap: 19, multiple: 1))
    #expect(try tiling("fusion-cae") == .exact(overlap: 28, multiple: 2))
    #expect(try tiling("nearest") == .exact(overlap: 0, multiple: 1))
    #expect(try tiling("bilinear") == .exact(overlap: 1, multiple: 1))
    #expect(try tiling("bicubic") == .exact(overlap: 2, multiple: 1))
    #expect(try tiling("lanczos") == .exact(overlap: 3, multiple: 1))
  }

  @Test func pictures() throws {
    func picture(_ name: String, _ configuration: JSON = [:]) throws -> ImageSpec {
      try Registry.builtin[name].network(configuration).picture
    }
    #expect(try picture("srcnn") == ImageSpec(.luma, enlargeFirst: .bicubic))
    #expect(try picture("vdsr") == ImageSpec(.luma, enlargeFirst: .bicubic, scales: [2, 3, 4]))
    #expect(try picture("plain-cae") == ImageSpec(.gray, enlargeFirst: .bicubic))
    #expect(try picture("residual-cae") == ImageSpec(.rgb, enlargeFirst: .bicubic))
    #expect(try picture("fusion-cae") == ImageSpec(.rgb))
    #expect(try picture("fusion-cae", ["scale": 1]) == ImageSpec(.rgb, enlargeFirst: .bicubic))
    #expect(try picture("espcn") == ImageSpec(.luma))
    #expect(try picture("bicubic") == ImageSpec(.rgb))
  }
}
