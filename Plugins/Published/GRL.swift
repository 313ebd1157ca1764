internal import AviaryGraph

/// Windows beside stripes, whose pixels attend to each other by way of a smaller image.
///
/// Li et al.: Efficient and Explicit Modelling of Image Hierarchies for Image Restoration. Reference: ofsoundof's
/// GRL-Image-Restoration (MIT), by way of spandrel.
enum GRL: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    /// Blocks of each layer, and heads of the attention within windows and within stripes.
    var depths = [4, 4, 8, 8, 8, 4, 4]
    var windowHeads = [3, 3, 3, 3, 3, 3, 3]
    var stripeHeads = [3, 3, 3, 3, 3, 3, 3]
    /// Side of a window.
    var window = 32
    /// Height and width of the stripes of even blocks, width and height of those of odd ones.
    var stripe = [64, 64]
    /// Whether stripes are shifted in two of four blocks.
    var shiftsStripes = true
    /// How much smaller the image is by way of which they attend.
    var reduction = 4
    /// What its pixels are made of.
    var pooling = Pooling.average
    /// Channels between the two linear layers of a block, and of those that calculate biases.
    var hidden = 360
    var biasHidden = 512
    /// Whether queries, keys and values have a bias.
    var qkvBias = true
    /// Channels between the two convolutions of a block, and of their attention; 0 where there are none.
    var compressed = 45
    var squeezed = 10
    var upsampler = Upsampler.pixelShuffle
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each layer.
    var residual = ResidualConvolution.one

    enum Pooling: String, Codable, Sendable { case average, maximum }

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features, upsampler: upsampler,
        upsamplerFeatures: upsamplerFeatures, residual: residual, upsampleName: "upsample.up",
        multiple: max(window, stripe.max() ?? 1))
    }

    var problem: String? {
      if !(1...16).contains(reduction) {
        return "reduction: expected 1 to 16, found \(reduction)"
      }
      let step = 2 * reduction
      if stripe.count != 2 || !stripe.allSatisfy({ (step...128).contains($0) && $0 % step == 0 }) {
        return "stripe: expected two multiples of \(step) up to 128, found \(stripe)"
      }
      let multiple = frame.multiple
      if !(2...64).contains(window) || !(stripe + [window]).allSatisfy({ multiple % $0 == 0 }) {
        return "window: expected 2 to 64, and that the largest of window and stripe is a multiple "
          + "of all, found \(window) and \(stripe)"
      }
      if features % 2 != 0 { return "features: expected an even number, found \(features)" }
      for (name, value, least) in [
        ("hidden", hidden, 1), ("biasHidden", biasHidden, 1), ("compressed", compressed, 0),
        ("squeezed", squeezed, compressed == 0 ? 0 : 1),
      ] where !(least...8192).contains(value) {
        return "\(name): expected \(least) to 8192, found \(value)"
      }
      return frame.problem
        ?? problemOfLayers(depths: depths, heads: windowHeads, features: features / 2)
        ?? problemOfLayers(depths: depths, heads: stripeHeads, features: features / 2)
    }
  }

  static let info = ArchitectureInfo(
    "grl", summary: "Windows, and stripes that attend by way of a smaller image",
    paper: "https://arxiv.org/abs/2303.00748", matchesStructure: false)

  private static let small = Configuration(
    features: 128, depths: [4, 4, 4, 4], windowHeads: [2, 2, 2, 2], stripeHeads: [2, 2, 2, 2],
    hidden: 256, compressed: 0, squeezed: 0)
  private static let tiny = small.with {
    ($0.features, $0.hidden, $0.upsampler) = (64, 128, .pixelShuffleDirect)
  }

  static let presets: KeyValuePairs = [
    "base-x4": Configuration(),
    "base-x2": Configuration(scale: 2),
    "base-x3": Configuration(scale: 3),
    "small-x4": small,
    "small-x2": small.with { $0.scale = 2 },
    "small-x3": small.with { $0.scale = 3 },
    "tiny-x4": tiny,
    "tiny-x2": tiny.with { $0.scale = 2 },
    "tiny-x3": tiny.with { $0.scale = 3 },
    "real-x4": Configuration(window: 16, stripe: [32, 64], upsampler: .nearestConvolution),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("norm_start")
        let masks = (0...1).map { image.stripeMask(c, isTurned: $0 == 1) }
        for (layer, depth) in c.depths.enumerated() {
          let heads = (c.windowHeads[layer], c.stripeHeads[layer])
          var y = x
          for block in 0..<depth {
            y = y.hierarchyBlock(
              "layers.\(layer).blocks.\(block)", c, heads, number: block,
              mask: block % 4 > 1 ? masks[block % 2] : nil)
          }
          x = y.asImage().residualConvolution("layers.\(layer).conv", c.residual).asTokens() + x
        }
        return x.layerNormalization("norm_end").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "layers.0.blocks.0"
    guard let frame = weights.frame(upsample: "upsample.up"), weights.has("norm_start."),
      let anchor = weights["\(first).attn.anchor.body.0.reduction.weight"],
      anchor.count == 2, anchor[1] == frame.features,
      let hidden = weights["\(first).mlp.fc1.weight"]?.first,
      let biasHidden = weights["\(first).attn.window_attn.attn_transform.cpb_mlp.0.weight"]?.first
    else { return [] }
    let layers = 0..<weights.count(of: "layers")
    func heads(_ attention: String) -> [Int] {
      layers.map { weights["layers.\($0).blocks.0.attn.\(attention).logit_scale"]?.first ?? 0 }
    }
    var c = Configuration(
      channels: frame.channels, scale: frame.scale, features: frame.features,
      depths: layers.map { weights.count(of: "layers.\($0).blocks") },
      windowHeads: heads("window_attn.attn_transform"),
      stripeHeads: heads("stripe_attn.attn_transform1"), hidden: hidden, biasHidden: biasHidden,
      qkvBias: weights["\(first).attn.qkv.body.bias"] != nil,
      compressed: weights.convolution("\(first).conv.cab.0")?[0] ?? 0,
      squeezed: weights.convolution("\(first).conv.cab.3.attention.1")?[0] ?? 0,
      upsampler: frame.upsampler, upsamplerFeatures: frame.upsamplerFeatures,
      residual: frame.residual)
    let assumed = ["shiftsStripes", "pooling"]
    if let sizes = weights.stripes {
      (c.window, c.stripe, c.reduction) = sizes
      return [Proposal(c, assumed: assumed)]
    }
    switch frame.upsampler {
    case .none: (c.window, c.stripe) = (8, [8, 8])
    case .nearestConvolution: (c.window, c.stripe) = (16, [32, 64])
    case .pixelShuffle, .pixelShuffleDirect: break
    }
    return [Proposal(c, assumed: assumed + ["window", "stripe", "reduction"])]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    ["table_w", "table_sh", "table_sv", "index_w", "mask_w"].map {
      UnusedTensors($0, "it follows from the sizes of windows, stripes and image")
    }
      + ["index", "mask"].flatMap { kind in
        ["sh_a2w", "sh_w2a", "sv_a2w", "sv_w2a"].map {
          UnusedTensors(
            "\(kind)_\($0)", "it follows from the sizes of windows, stripes and image")
        }
      }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension WeightIndex {
  /// Side of a window, sides of a stripe and the reduction, by the tables that some files hold.
  fileprivate var stripes: (Int, [Int], Int)? {
    guard let table = shapes["table_w"], table.count == 4, let stripes = shapes["table_sh"],
      stripes.count == 4, let index = shapes["index_sh_a2w"], index.count == 2, index[0] > 0,
      let reduction = (index[1] / index[0]).squareRoot
    else { return nil }
    // Stripe and reduced stripe less one.
    let sides = stripes[1...2].map { ($0 + 1) * reduction / (reduction + 1) }
    return ((table[1] + 1) / 2, sides, reduction)
  }
}

extension Value {
  fileprivate func hierarchyBlock(
    _ name: String, _ c: GRL.Configuration, _ heads: (Int, Int), number: Int, mask: Value?
  ) -> Value {
    let half = c.features / 2
    let all = linear("\(name).attn.qkv.body", 3 * c.features, bias: c.qkvBias).asImage()
    let windows = all.channels(0, 3 * half).cosineAttention(
      "\(name).attn.window_attn.attn_transform", c, heads.0, isShifted: number % 2 == 0)
    let stripes = all.channels(3 * half, 3 * half).stripeAttention(
      "\(name).attn", c, heads.1, isTurned: number % 2 == 1, anchors: anchors("\(name).attn", c),
      mask: mask)
    let attended = Value.concatenate([windows, stripes]).asTokens()
      .linear("\(name).attn.proj", c.features)
    var x = self + attended.layerNormalization("\(name).norm1")
    if c.compressed > 0 {
      x =
        x
        + asImage().attendedConvolutions("\(name).conv.cab", c.compressed, c.squeezed).asTokens()
    }
    return x
      + x.perceptron("\(name).mlp", c.features, hidden: c.hidden)
      .layerNormalization("\(name).norm2")
  }

  /// Attention within windows, of an image of queries, keys and values.
  private func cosineAttention(
    _ name: String, _ c: GRL.Configuration, _ heads: Int, isShifted: Bool
  ) -> Value {
    let half = c.features / 2
    let logits = learnedConstant("\(name).logit_scale", [heads, 1, 1], start: 2.302585093)
    return channels(0, half).cosineNormalised(heads: heads, logits: logits).windowAttention(
      name,
      WindowAttention(
        heads: heads, window: Size(c.window), shift: isShifted ? Size(c.window / 2) : 0, scale: 1,
        positionBias: .input),
      keys: channels(half, half).cosineNormalised(heads: heads),
      values: channels(2 * half, half),
      table: continuousPositionBias(
        "\(name).cpb_mlp", window: c.window, heads: heads, hidden: c.biasHidden))
  }

  /// The smaller image, of tokens.
  private func anchors(_ name: String, _ c: GRL.Configuration) -> Value {
    let pooled =
      c.pooling == .maximum
      ? asImage().maxPool(Size(c.reduction)) : asImage().averagePool(c.reduction)
    return pooled.asTokens().linear("\(name).anchor.body.0.reduction", c.features / 2).asImage()
  }

  /// Attention within stripes: of the smaller image's pixels to all, and of all to those.
  private func stripeAttention(
    _ name: String, _ c: GRL.Configuration, _ heads: Int, isTurned: Bool, anchors: Value,
    mask: Value?
  ) -> Value {
    let half = c.features / 2
    let stripe = c.stripe(isTurned: isTurned)
    let small = Size(stripe.height / c.reduction, stripe.width / c.reduction)
    func rolled(_ image: Value, _ size: Size, _ sign: Int) -> Value {
      mask == nil
        ? image
        : image.applying(
          .roll(
            Roll(
              shifts: [sign * (size.height / 2), sign * (size.width / 2)], dimensions: [2, 3])))
    }
    /// Images, rows and columns of stripes, heads, pixels, channels of a head.
    func split(_ image: Value, _ size: Size) -> Value {
      rolled(image, size, -1).windows(WindowPartition(size))
        .applying(.reshape(Reshape([0, 0, 0, size.area, heads, half / max(heads, 1)])))
        .applying(.permute(Permute([0, 1, 2, 4, 3, 5])))
    }
    let plain = split(anchors.cosineNormalised(heads: heads), small)
    func attended(
      _ queries: Value, _ keys: Value, _ values: Value, _ number: Int, from: Size, to: Size
    ) -> Value {
      let transform = "\(name).stripe_attn.attn_transform\(number)"
      let factor = learnedConstant("\(transform).logit_scale", [heads, 1, 1], start: 2.302585093)
        .limitedExponential()
      var scores =
        queries.applying(.matmul, keys.applying(.permute(Permute([0, 1, 2, 3, 5, 4])))) * factor
        + stripeBias("\(transform).cpb_mlp", c, heads, stripe, from: from, to: to)
      if let mask {
        scores =
          scores + (number == 2 ? mask : mask.applying(.permute(Permute([0, 1, 2, 3, 5, 4]))))
      }
      return scores.applying(.softmax(Softmax(dimension: 5))).applying(.matmul, values)
    }
    let keys = split(channels(half, half).cosineNormalised(heads: heads), stripe)
    let summed = attended(
      plain, keys, split(channels(2 * half, half), stripe), 1, from: small, to: stripe)
    let queries = split(channels(0, half).cosineNormalised(heads: heads), stripe)
    let mixed = attended(queries, plain, summed, 2, from: stripe, to: small)
      .applying(.permute(Permute([0, 1, 2, 4, 3, 5])))
      .applying(.reshape(Reshape([0, 0, 0, stripe.area, half])))
      .image(WindowReverse(stripe))
    return rolled(mixed, stripe, 1)
  }

  /// What is added to the scores of the pixels of one rectangle with those of another, for their distance;
  /// of which one is the stripe and the other its smaller image.
  private func stripeBias(
    _ name: String, _ c: GRL.Configuration, _ heads: Int, _ stripe: Size, from: Size, to: Size
  ) -> Value {
    /// Distances from the one to the other, as if the smaller lay in the middle.
    func distances(_ side: Int) -> ClosedRange<Int> {
      let small = side / c.reduction
      let margin = (side - small) / 2
      return 1 - small - margin...side - 1 - margin
    }
    let (rows, columns) = (distances(stripe.height), distances(stripe.width))
    let table = continuousPositionBias(
      name, rows: rows, columns: columns, heads: heads, hidden: c.biasHidden)
    // Rows first and then columns: an index of both would be large.
    func index(_ from: Int, _ to: Int) -> GatherIndex {
      .list(
        (0..<from).flatMap { query in (0..<to).map { query - $0 + to - 1 } }, shape: [from, to])
    }
    return table.applying(.reshape(Reshape([rows.count, columns.count, heads])))
      .applying(.constantGather(ConstantGather(index(from.height, to.height))))
      .applying(.constantGather(ConstantGather(index(from.width, to.width), dimension: 2)))
      .applying(.permute(Permute([4, 0, 2, 1, 3])))
      .applying(.reshape(Reshape([1, 1, 1, heads, from.area, to.area])))
  }

  /// What keeps pixels of shifted stripes apart from those of the smaller image that lie elsewhere, of an
  /// image of the size; nil where stripes are not shifted.
  fileprivate func stripeMask(_ c: GRL.Configuration, isTurned: Bool) -> Value? {
    guard c.shiftsStripes else { return nil }
    let stripe = c.stripe(isTurned: isTurned)
    let zeros = channels(0, 1) * 0
    /// 1 for the last rows or columns, which come from the other side.
    func last(_ dimension: Int, _ count: Int) -> Value {
      zeros.applying(.stridedSlice(StridedSlice(dimension: dimension, end: -count)))
        .applying(
          .padDimension(PadDimension(dimension: dimension, before: 0, after: count, value: 1)))
    }
    let parts = [last(2, stripe.height / 2), last(3, stripe.width / 2)]
    /// Images, rows and columns of stripes, one, pixels, one.
    func split(_ image: Value, _ size: Size) -> Value {
      image.windows(WindowPartition(size)).applying(.reshape(Reshape([0, 0, 0, 1, size.area, 1])))
    }
    let differences = parts.map { part -> Value in
      let small = [2, 3].reduce(part) { image, dimension in
        image.applying(.stridedSlice(StridedSlice(dimension: dimension, step: c.reduction)))
      }
      let size = Size(stripe.height / c.reduction, stripe.width / c.reduction)
      let difference =
        split(part, stripe) - split(small, size).applying(.permute(Permute([0, 1, 2, 3, 5, 4])))
      return difference * difference
    }
    return (differences[0] + differences[1]).activation(.clamp(minimum: 0, maximum: 1)) * -100
  }
}

extension GRL.Configuration {
  /// The stripes of even blocks, or those of odd ones.
  fileprivate func stripe(isTurned: Bool) -> Size {
    isTurned ? Size(stripe[1], stripe[0]) : Size(stripe[0], stripe[1])
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(GRL.self, $0) }
