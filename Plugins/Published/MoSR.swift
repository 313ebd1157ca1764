internal import AviaryGraph

/// Gated convolutions of MambaOut's kind, without attention.
///
/// References: umzi2's MoSR and spandrel (MIT), neosr (Apache-2.0).
enum MoSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var blocks = 24
    /// Channels of the gate of each block.
    var hidden = 96
    /// Channels that the depthwise convolution of each block is for.
    var mixed = 64
    /// Side of its kernel.
    var kernel = 7
    var upsampler = Upsampler.pixelshuffle

    /// How it enlarges.
    enum Upsampler: String, Codable, Sendable {
      case pixelshuffle
      /// By the mean of eight images, then a pixel shuffle ("geo ensemble").
      case geoensemble
      case dysample
    }

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if kernel % 2 == 0 || kernel > 63 {
        return "kernel: expected an odd number below 64, found \(kernel)"
      }
      if !(1...max(hidden, 1)).contains(mixed) {
        return "mixed: expected 1 to \(hidden), found \(mixed)"
      }
      if upsampler == .dysample, features < 4 || features % 4 != 0 {
        return "features: expected a multiple of 4 with 'dysample', found \(features)"
      }
      return (1...128).contains(blocks) ? nil : "blocks: expected 1 to 128, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "mosr", summary: "Gated convolutions of MambaOut's kind",
    paper: "https://github.com/umzi2/MoSR", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "geoensemble-x2": Configuration(scale: 2, upsampler: .geoensemble),
    "dysample-x4": Configuration(upsampler: .dysample),
    "tiny-x4": Configuration(features: 48, blocks: 5, hidden: 72, mixed: 48),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("gblocks.0", c.features, kernel: 3)
    for block in 1...c.blocks {
      let name = "gblocks.\(block)"
      let normal = x.layerNormalization(
        "\(name).norm", LayerNormalization(dimensions: 1, first: 1, epsilon: 1e-6))
      let added = normal.gated(name, hidden: c.hidden, mixed: c.mixed) {
        $0.convolution("\(name).conv", c.mixed, kernel: Size(c.kernel), groups: c.mixed)
      }
      x = added + x.plus(-0.5)
    }
    x = x.narrowed("gblocks", from: c.blocks + 1)
    let side = input.convolution("shortcut.block.0", c.features, kernel: 3).activation(.mish)
      .convolution("shortcut.block.2", c.features, kernel: 3).activation(.mish)
    x = x + (side + input.convolution("shortcut.conv11", c.features, kernel: 1)).plus(-0.5)
    let count = c.channels * c.scale * c.scale
    switch c.upsampler {
    case .pixelshuffle:
      return [x.convolution("upsampler.0", count, kernel: 3).pixelShuffle(c.scale)]
    case .geoensemble:
      let eight = x.convolution("upsampler.in_to_k", 8 * count, kernel: 3)
      let sum = (1..<8).reduce(eight.channels(0, count)) { $0 + eight.channels($1 * count, count) }
      return [(sum * 0.125).pixelShuffle(c.scale)]
    case .dysample: return [x.dySample("upsampler", by: c.scale, outputs: c.channels)]
    }
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("gblocks.0"),
      let wide = weights.convolution("gblocks.1.fc1"),
      let mixing = weights.convolution("gblocks.1.conv")
    else { return [] }
    var c = Configuration(channels: first[1], features: first[0])
    c.blocks = (1...128).prefix { weights.has("gblocks.\($0).fc1.") }.count
    (c.hidden, c.mixed, c.kernel) = (wide[0] / 2, mixing[0], mixing[2])
    if let scale = weights.dySampleScale("upsampler") {
      (c.scale, c.upsampler) = (scale, .dysample)
    } else if let scale = weights.scale(weights.convolution("upsampler.in_to_k"), 8 * first[1]) {
      (c.scale, c.upsampler) = (scale, .geoensemble)
    } else if let scale = weights.scale(weights.convolution("upsampler.0"), first[1]) {
      c.scale = scale
    } else {
      return []
    }
    return [Proposal(c)]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    c.upsampler == .dysample ? [.initialPositions("upsampler", by: c.scale)] : []
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MoSR.self, $0) }
