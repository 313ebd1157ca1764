internal import AviaryGraph

/// The enlargement that MoSRv2, MoESR and FDAT have in common (umzi's UniUpsample), in several kinds whose
/// layers are numbered.
struct UniformUpsampler: Hashable {
  /// How it enlarges.
  enum Kind: String, Codable, Sendable {
    case conv
    case pixelshuffledirect
    case pixelshuffle
    case nearest
    case dysample
    /// Transposed convolutions, and a convolution after them.
    case transposed
    /// Nearest neighbours and convolutions, with attention to pixels.
    case attention

    /// Its place in the source's list, which has one more before the last.
    fileprivate var number: Int {
      switch self {
      case .conv: 0
      case .pixelshuffledirect: 1
      case .pixelshuffle: 2
      case .nearest: 3
      case .dysample: 4
      case .transposed: 5
      case .attention: 7
      }
    }
  }

  var kind = Kind.pixelshuffledirect
  /// By how much it enlarges.
  var factor: Int
  /// Channels of the image.
  var channels: Int
  /// Channels within, where it has convolutions of its own.
  var middle: Int

  /// What is wrong with it.
  var problem: String? {
    let steps = factor == 3 || factor.exponentOfTwo != nil
    switch kind {
    case .conv:
      return factor == 1 ? nil : "scale: expected 1 with 'conv', found \(factor)"
    case .pixelshuffle, .nearest, .attention:
      return steps && factor > 1
        ? nil : "scale: expected 3 or a power of 2 with '\(kind.rawValue)', found \(factor)"
    case .dysample:
      return middle % 4 == 0 && middle >= 8
        ? nil : "middle: expected a multiple of 4 from 8 on with 'dysample', found \(middle)"
    case .transposed:
      return (2...4).contains(factor)
        ? nil : "scale: expected 2, 3 or 4 with 'transposed', found \(factor)"
    case .pixelshuffledirect: return nil
    }
  }

  /// The factors of its steps.
  fileprivate var steps: [Int] {
    factor == 3 ? [3] : Array(repeating: 2, count: factor.exponentOfTwo ?? 0)
  }
}

extension Value {
  /// Enlarged by layers `name.0`, `name.1`, …
  func enlarged(_ name: String, _ c: UniformUpsampler) -> Value {
    let steps = c.steps
    switch c.kind {
    case .conv, .pixelshuffledirect:
      let last = convolution("\(name).0", c.channels * c.factor * c.factor, kernel: 3)
      return c.factor == 1 ? last : last.pixelShuffle(c.factor)
    case .pixelshuffle:
      return convolution("\(name).0", c.middle, kernel: 3).leakyRelu(0.01)
        .shuffled(by: c.factor, name: { "\(name).\(2 * $0 + 2)" })
        .convolution("\(name).\(2 * steps.count + 2)", c.channels, kernel: 3)
    case .nearest:
      var x = self
      for (step, factor) in steps.enumerated() {
        x = x.convolution("\(name).\(3 * step)", channels, kernel: 3)
          .resize(.nearest, by: factor).leakyRelu(0.2)
      }
      return x.convolution("\(name).\(3 * steps.count)", channels, kernel: 3).leakyRelu(0.2)
        .convolution("\(name).\(3 * steps.count + 2)", c.channels, kernel: 3)
    case .dysample:
      if c.middle == channels {
        return dySample("\(name).0", by: c.factor, outputs: c.channels)
      }
      return convolution("\(name).0", c.middle, kernel: 3).leakyRelu(0.01)
        .dySample("\(name).2", by: c.factor, outputs: c.channels)
    case .transposed:
      func larger(_ x: Value, _ number: Int, _ outputs: Int) -> Value {
        x.transposedConvolution(
          "\(name).\(number)", outputs, kernel: c.factor == 3 ? 3 : 4,
          stride: c.factor == 3 ? 3 : 2, padding: PaddingAmounts(c.factor == 3 ? 0 : 1))
      }
      let first = c.factor == 4 ? larger(self, 0, channels).gelu() : self
      let number = c.factor == 4 ? 2 : 0
      return larger(first, number, c.channels)
        .convolution("\(name).\(number + 1)", c.channels, kernel: 3)
    case .attention:
      var x = self
      for (step, factor) in steps.enumerated() {
        x = x.resize(.nearest, by: factor)
          .convolution("\(name).\(6 * step + 1)", c.middle, kernel: 3)
        x =
          (x
          * x.convolution("\(name).\(6 * step + 2).conv.0", c.middle, kernel: 1).sigmoid())
          .leakyRelu(0.2)
          .convolution("\(name).\(6 * step + 4)", c.middle, kernel: 3).leakyRelu(0.2)
      }
      return x.convolution("\(name).\(6 * steps.count)", c.channels, kernel: 3)
    }
  }
}

extension WeightIndex {
  /// The enlargement by layers of this name.
  ///
  /// - Parameters:
  ///   - channels: those of the image, which one convolution alone does not show.
  ///   - features: what it enlarges.
  /// - Returns: the enlargement, and whether the scale is assumed: by 3 has the layers of by 2 in some
  ///   kinds, and a buffer tells, where a file has it.
  func uniformUpsampler(
    _ name: String, channels: Int, features: Int
  ) -> (upsampler: UniformUpsampler, isAssumed: Bool)? {
    guard let number = last(of: name) else {
      return has("\(name).0.offset.") || has("\(name).2.offset.")
        ? sampler(name, features: features).map { ($0, false) } : nil
    }
    if has("\(name).2.offset.") { return sampler(name, features: features).map { ($0, false) } }
    guard let final = convolution("\(name).\(number)") else { return nil }
    let stated = values[Self.upsamplerFacts(name)].flatMap { $0.count == 7 ? $0[2] : nil }
    var result = UniformUpsampler(factor: 1, channels: final[0], middle: features)
    func count(_ steps: Int) -> Int { steps == 1 && stated == 3 ? 3 : 1 << min(max(steps, 0), 8) }
    if number == 0 {
      guard let factor = scale(final, channels) else { return nil }
      (result.factor, result.channels) = (factor, channels)
      result.kind = factor == 1 ? .conv : .pixelshuffledirect
      return (result, false)
    }
    if convolution("\(name).2.conv.0") != nil {
      result.kind = .attention
      result.factor = count(number / 6)
      result.middle = convolution("\(name).1").map { $0[0] } ?? features
      return (result, number == 6 && stated == nil)
    }
    if number == 1, let first = convolution("\(name).0") {
      result.kind = .transposed
      result.factor = first[2] == 3 ? 3 : 2
      return (result, false)
    }
    if number == 3, convolution("\(name).2")?[2] == 4 {
      (result.kind, result.factor) = (.transposed, 4)
      return (result, false)
    }
    if convolution("\(name).3") != nil {
      result.kind = .nearest
      let steps = (number - 2) / 3
      result.factor = count(steps)
      return (result, steps == 1 && stated == nil)
    }
    guard let middle = convolution("\(name).0")?[0] else { return nil }
    (result.kind, result.middle) = (.pixelshuffle, middle)
    let steps = (number - 2) / 2
    let triples = convolution("\(name).2").map { $0[0] == 9 * middle } ?? false
    result.factor = steps == 1 && triples ? 3 : 1 << min(max(steps, 0), 8)
    return (result, false)
  }

  /// The buffer that says how such a file enlarges: version, kind, scale, and numbers of channels.
  static func upsamplerFacts(_ name: String) -> String { "\(name).MetaUpsample" }

  /// The channels within, as that buffer states them.
  func statedMiddle(of name: String) -> Int? {
    values[Self.upsamplerFacts(name)].flatMap {
      $0.count == 7 ? Int(min(max($0[5], 0), 255)) : nil
    }
  }

  private func sampler(_ name: String, features: Int) -> UniformUpsampler? {
    guard let place = ["\(name).0", "\(name).2"].first(where: { has("\($0).offset.") }),
      let factor = dySampleScale(place), let end = convolution("\(place).end_conv")
    else { return nil }
    return UniformUpsampler(
      kind: .dysample, factor: factor, channels: end[0],
      middle: convolution("\(name).0").map { $0[0] } ?? features)
  }
}

extension UnusedTensors {
  /// What an enlargement of this name is stored with and does not read.
  ///
  /// - Parameter version: of the source's upsampler, as its buffer states it; nil where that is not known,
  ///   and then the buffer is not written.
  static func ofUpsampler(
    _ name: String, _ c: UniformUpsampler, features: Int, version: Int? = nil
  ) -> [UnusedTensors] {
    // Its kind, the factor, the channels before, after and within, and the groups of DySample.
    let facts = [c.kind.number, c.factor, features, c.channels, c.middle, 4]
    // Wider networks than a byte can say have no such tensor.
    let buffer = version.flatMap { version in
      facts.allSatisfy { $0 < 256 }
        ? UnusedTensors.Buffer([7], ([version] + facts).map(Double.init), .uint8) : nil
    }
    return [
      UnusedTensors(
        WeightIndex.upsamplerFacts(name), "the configuration says how the network enlarges",
        buffer: buffer)
    ]
      + (c.kind == .dysample
        ? [.initialPositions("\(name).\(c.middle == features ? 0 : 2)", by: c.factor)] : [])
  }
}
