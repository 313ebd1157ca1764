internal import AviaryGraph

/// The U-Net of Noise2Noise, whose levels share their convolutions.
///
/// Lehtinen et al.: Noise2Noise: Learning Image Restoration without Clean Data. Reference: joeylitalien's
/// noise2noise-pytorch (MIT).
enum UNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var features = 48
    var scale: Int { 1 }
  }

  static let info = ArchitectureInfo(
    "unet", summary: "The U-Net of Noise2Noise, whose levels share convolutions",
    paper: "https://arxiv.org/abs/1803.04189", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "colour": Configuration(),
    "gray": Configuration(channels: 1),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let wide = 2 * c.features
    func relu(_ x: Value, _ name: String, _ features: Int, shared: Bool = false) -> Value {
      x.convolution(name, features, kernel: 3, shared: shared).relu()
    }
    func up(_ x: Value, _ name: String, shared: Bool = false) -> Value {
      x.transposedConvolution(
        name, x.channels, kernel: 3, stride: 2, padding: .pytorch(padding: 1, outputPadding: 1),
        shared: shared)
    }
    var x = relu(relu(input, "_block1.0", c.features), "_block1.2", c.features).maxPool(2)
    var skips = [input, x]
    for level in 0..<4 {
      x = relu(x, "_block2.0", c.features, shared: level > 0).maxPool(2)
      skips.append(x)
    }
    x = up(relu(x, "_block3.0", c.features), "_block3.2")
    x = Value.concatenate([x, skips[4]])
    x = up(relu(relu(x, "_block4.0", wide), "_block4.2", wide), "_block4.4")
    for level in (1...3).reversed() {
      let isShared = level < 3
      x = Value.concatenate([x, skips[level]])
      x = relu(relu(x, "_block5.0", wide, shared: isShared), "_block5.2", wide, shared: isShared)
      x = up(x, "_block5.4", shared: isShared)
    }
    x = Value.concatenate([x, input])
    return [
      relu(relu(x, "_block6.0", 64), "_block6.2", 32)
        .convolution("_block6.4", c.channels, kernel: 3).leakyRelu(0.1)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("_block1.0"), weights.has("_block6.4.") else { return [] }
    return [Proposal(Configuration(channels: first[1], features: first[0]))]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(UNet.self, $0) }
