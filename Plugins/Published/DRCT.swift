internal import AviaryGraph

/// Blocks of Swin Transformer that are connected densely.
///
/// Hsu, Lee, Chou: DRCT: Saving Image Super-Resolution away from Information Bottleneck. Reference:
/// ming053l's DRCT (MIT), by way of spandrel.
enum DRCT: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    /// Heads of the first attention of each group.
    var heads = [6, 6, 6, 6, 6, 6]
    /// Side of a window.
    var window = 16
    /// Channels between the two linear layers of the first block of a group.
    var hidden = 360
    /// Channels that each block of a group adds.
    var growth = 32
    /// Whether windows are shifted in every other block.
    var shifts = true
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end.
    var residual = ResidualConvolution.one

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features,
        upsamplerFeatures: upsamplerFeatures, residual: residual, multiple: window)
    }

    /// Channels that a block takes, from 1 to 5.
    func width(_ block: Int) -> Int { features + (block - 1) * growth }

    /// Heads of a block's attention: fewer where the channels cannot be divided among all.
    func heads(_ first: Int, _ block: Int) -> Int { first - width(block) % first }

    /// Channels between the linear layers of a block.
    func hidden(_ block: Int) -> Int {
      block < 4 ? hidden * width(block) / features : width(block)
    }

    var problem: String? {
      if !(2...64).contains(window) { return "window: expected 2 to 64, found \(window)" }
      if !(1...8192).contains(hidden) { return "hidden: expected 1 to 8192, found \(hidden)" }
      if !(1...1024).contains(growth) { return "growth: expected 1 to 1024, found \(growth)" }
      if heads.isEmpty || heads.count > 64 {
        return "heads: expected those of 1 to 64 groups, found \(heads.count)"
      }
      for first in heads {
        let divides = (1...5).allSatisfy { block in
          first > 0 && width(block) % heads(first, block) == 0
        }
        if !divides {
          return "heads: expected a number by which the channels of all blocks can be divided, "
            + "found \(first)"
        }
      }
      return frame.problem
    }
  }

  static let info = ArchitectureInfo(
    "drct", summary: "Blocks of Swin Transformer, connected densely",
    paper: "https://arxiv.org/abs/2404.00722", matchesStructure: false)

  private static let large = Configuration(heads: Array(repeating: 6, count: 12))

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "large-x4": large,
    "large-x2": large.with { $0.scale = 2 },
    "large-x3": large.with { $0.scale = 3 },
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("patch_embed.norm").asImage()
        for (group, heads) in c.heads.enumerated() {
          var parts = [x]
          for block in 1...5 {
            let name = "layers.\(group)"
            let all = parts.count == 1 ? x : Value.concatenate(parts)
            let attention = WindowAttention(
              heads: c.heads(heads, block), window: c.window,
              isShifted: c.shifts && block % 2 == 0)
            let y = all.asTokens()
              .swinBlock(
                "\(name).swin\(block)", c.width(block), attention, hidden: c.hidden(block)
              ).asImage()
              .convolution(
                "\(name).adjust\(block)", block == 5 ? c.features : c.growth, kernel: 1)
            parts.append(block == 5 ? y : y.leakyRelu(0.2))
          }
          x = parts[5] * 0.2 + x
        }
        return x.asTokens().layerNormalization("norm").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let table = "layers.0.swin1.attn.relative_position_bias_table"
    guard let frame = weights.frame, frame.upsampler == .pixelShuffle,
      let window = weights.window(ofTable: table),
      let hidden = weights["layers.0.swin1.mlp.fc1.weight"]?.first,
      let growth = weights.convolution("layers.0.adjust1")?[0]
    else { return [] }
    // A file holds masks where windows are shifted, or neither masks nor any other table.
    let isShifted = weights.has("layers.0.swin2.attn_mask")
    let holdsTables = weights.has("layers.0.swin1.attn.relative_position_index")
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          heads: (0..<weights.count(of: "layers")).map {
            weights["layers.\($0).swin1.attn.relative_position_bias_table"]?.last ?? 0
          },
          window: window, hidden: hidden, growth: growth, shifts: isShifted || !holdsTables,
          upsamplerFeatures: frame.upsamplerFeatures, residual: frame.residual),
        assumed: isShifted || holdsTables ? [] : ["shifts"])
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    c.heads.indices.flatMap { layer in
      (1...5).flatMap {
        UnusedTensors.ofWindows(
          "layers.\(layer).swin\($0)", window: c.window, isShifted: c.shifts && $0 % 2 == 0)
      }
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DRCT.self, $0) }
