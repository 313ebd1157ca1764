internal import AviaryGraph

/// Residual-in-residual dense blocks (RRDBNet), the network of ESRGAN, Real-ESRGAN, BSRGAN and most of
/// what people train.
///
/// Wang et al.: ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks. References: xinntao's
/// ESRGAN and BasicSR (Apache-2.0), cszn's KAIR (MIT).
enum ESRGAN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose names the layers have: those of the first code (`model.1.sub.0.RDB1.conv1.0`), of ESRGAN's
    /// own repository (`RRDB_trunk.0.RDB1.conv1`), or of BasicSR (`body.0.rdb1.conv1`).
    enum Names: String, Codable, Sendable {
      case old
      case esrgan
      case basicsr
    }

    var channels = 3
    /// Whether a gray image is coloured: three channels come out of one.
    var colours = false
    var scale = 4
    /// By how much the image is made smaller first, its pixels becoming channels: 2 or 4 in
    /// Real-ESRGAN's networks of scale 2 and 1.
    var unshuffle = 1
    var features = 64
    var blocks = 23
    /// Channels that each convolution of a dense block adds.
    var growth = 32
    /// Whether dense blocks have the further connections of ESRGAN+.
    var plus = false
    var names = Names.basicsr

    /// Enlargements by 2, of which there is one by 3 at scale 3.
    var steps: Int? { scale == 3 && unshuffle == 1 ? 1 : (scale * unshuffle).exponentOfTwo }

    var problem: String? {
      if ![1, 2, 4].contains(unshuffle) || !(1...16).contains(scale) || steps == nil {
        return "scale and unshuffle: expected 1, 2, 4, 8 or 16, or 3 without unshuffle, and 1, 2 "
          + "or 4, found \(scale) and \(unshuffle)"
      }
      if colours, channels != 1 {
        return "channels: expected 1 where it colours, found \(channels)"
      }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }

    /// The names of the layers outside the blocks.
    var first: String { names == .old ? "model.0" : "conv_first" }
    var trunk: String {
      switch names {
      case .old: "model.1.sub.\(blocks)"
      case .esrgan: "trunk_conv"
      case .basicsr: "conv_body"
      }
    }
    func up(_ step: Int) -> String {
      switch names {
      case .old: "model.\(3 * step + 3)"
      case .esrgan: "upconv\(step + 1)"
      case .basicsr: "conv_up\(step + 1)"
      }
    }
    var high: String {
      switch names {
      case .old: "model.\(3 * (steps ?? 0) + 2)"
      case .esrgan: "HRconv"
      case .basicsr: "conv_hr"
      }
    }
    var last: String { names == .old ? "model.\(3 * (steps ?? 0) + 4)" : "conv_last" }

    /// The name of convolution `layer` of dense block `part` of a block, both from 1.
    func dense(_ block: Int, _ part: Int, _ layer: Int) -> String {
      switch names {
      case .old: "model.1.sub.\(block).RDB\(part).conv\(layer).0"
      case .esrgan: "RRDB_trunk.\(block).RDB\(part).conv\(layer)"
      case .basicsr: "body.\(block).rdb\(part).conv\(layer)"
      }
    }
    func shortcut(_ block: Int, _ part: Int) -> String {
      let name = dense(block, part, 1)
      return name.dropLast(names == .old ? 7 : 5) + "conv1x1"
    }
  }

  static let info = ArchitectureInfo(
    "esrgan", summary: "Residual-in-residual dense blocks (RRDBNet): ESRGAN, Real-ESRGAN",
    paper: "https://arxiv.org/abs/1809.00219", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2, unshuffle: 2),
    "x1": Configuration(scale: 1, unshuffle: 4),
    "anime-x4": Configuration(blocks: 6),
    "esrgan-x4": Configuration(names: .esrgan),
    "lite-x4": Configuration(features: 32, blocks: 12, names: .old),
    "plus-x4": Configuration(plus: true, names: .old),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image =
      c.unshuffle == 1
      ? input : input.applying(.pixelUnshuffle(PixelUnshuffle(factor: c.unshuffle)))
    let first = image.convolution(c.first, c.features, kernel: 3)
    var x = first
    for block in 0..<c.blocks {
      x = x.residualDense(
        growth: c.growth, shortcut: c.plus ? { c.shortcut(block, $0) } : nil
      ) { c.dense(block, $0, $1) }
    }
    x = x.convolution(c.trunk, c.features, kernel: 3) + first
    for step in 0..<(c.steps ?? 0) {
      x = x.resize(.nearest, by: c.scale == 3 ? 3 : 2)
        .convolution(c.up(step), c.features, kernel: 3).leakyRelu(0.2)
    }
    return [
      x.convolution(c.high, c.features, kernel: 3).leakyRelu(0.2)
        .convolution(c.last, c.colours ? 3 : c.channels, kernel: 3)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    [Configuration.Names.old, .esrgan, .basicsr].compactMap { names in
      var c = Configuration(names: names)
      guard let first = weights.convolution(c.first),
        let dense = weights.convolution(c.dense(0, 1, 1))
      else { return nil }
      let last: [Int]?
      let steps: Int
      switch names {
      case .old:
        guard let number = weights.last(of: "model"), number >= 4, number % 3 == 1 else {
          return nil
        }
        last = weights.convolution("model.\(number)")
        steps = (number - 4) / 3
        c.blocks = weights.count(of: "model.1.sub") - 1
      case .esrgan, .basicsr:
        last = weights.convolution("conv_last")
        steps = (0..<16).prefix { weights[c.up($0) + ".weight"] != nil }.count
        c.blocks = weights.count(of: names == .esrgan ? "RRDB_trunk" : "body")
      }
      guard let outputs = last?[0], steps <= 4 else { return nil }
      c.colours = first[1] == 1 && outputs == 3
      let unshuffle = c.colours ? 1 : [1, 2, 4].first { $0 * $0 * outputs == first[1] }
      guard let unshuffle, (1 << steps) % unshuffle == 0 else { return nil }
      (c.channels, c.features, c.growth) = (c.colours ? 1 : outputs, first[0], dense[0])
      (c.unshuffle, c.scale) = (unshuffle, (1 << steps) / unshuffle)
      c.plus = weights[c.shortcut(0, 1) + ".weight"] != nil
      // One enlargement by 3 has the layers of one by 2.
      return Proposal(c, assumed: steps == 1 && unshuffle == 1 ? ["scale"] : [])
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A residual-in-residual dense block (RRDB): three dense blocks in a row, a fifth of which is added.
  ///
  /// - Parameters:
  ///   - growth: channels that each convolution of a dense block adds.
  ///   - shortcut: the names of ESRGAN+'s convolutions, by the dense block from 1; nil where there are
  ///     none.
  ///   - name: that of a convolution, by the dense block and its place there, both from 1.
  func residualDense(
    growth: Int, shortcut: ((Int) -> String)? = nil, name: (Int, Int) -> String
  ) -> Value {
    let sum = (1...3).reduce(self) { x, part in
      x.dense(growth: growth, shortcut: shortcut?(part)) { name(part, $0) }
    }
    return self + sum * 0.2
  }

  /// A dense block: each convolution sees what came in and what all before it gave.
  private func dense(growth: Int, shortcut: String?, name: (Int) -> String) -> Value {
    var values = [self]
    for layer in 1...4 {
      let seen = values.count == 1 ? self : Value.concatenate(values)
      var x = seen.convolution(name(layer), growth, kernel: 3).leakyRelu(0.2)
      if let shortcut, layer == 2 {
        x = x + convolution(shortcut, growth, kernel: 1, bias: false)
      }
      if shortcut != nil, layer == 4 { x = x + values[2] }
      values.append(x)
    }
    let sum = Value.concatenate(values).convolution(name(5), channels, kernel: 3)
    return self + sum * 0.2
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(ESRGAN.self, $0) }
