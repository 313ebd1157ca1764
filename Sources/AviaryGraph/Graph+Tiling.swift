/// Whether parts of a picture can be computed for themselves.
public enum Tiling: Hashable, Sendable {
  /// Parts give exactly what the whole gives, if each is computed with so many more pixels on every
  /// side (cut off afterwards) and begins at a multiple of so many pixels.
  case exact(overlap: Int, multiple: Int)
  /// Every output pixel may depend on every input pixel, for this reason.
  case whole(reason: String)
}

extension Graph {
  /// How pictures of this size can be computed in tiles, `.same` borders being those of the whole.
  ///
  /// A stretch of pixels is followed through the network as the inside of a tile, with neither end
  /// at a border of the picture: each operation spoils what its padding reaches. What is spoilt of
  /// the output is the overlap needed.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func tiling(height: Int, width: Int) throws(GraphError) -> Tiling {
    if inputs.contains(where: { $0.size != nil }) {
      return .whole(reason: "the network takes pictures of one size only")
    }
    let resolved = try resolvingBorders(height: height, width: width)
    guard let multiple = period else {
      return .whole(reason: "the network's strides multiply to more than \(GraphLimits.period)")
    }
    var overlap = 0
    for axis in Axis.allCases {
      do throws(WholePicture) {
        overlap = max(overlap, try resolved.overlap(along: axis, multiple))
      } catch {
        return .whole(reason: error.reason)
      }
    }
    for output in outputs where ratios[output.value] == nil {
      return .whole(reason: "output '\(output.name)' is scaled differently along its axes")
    }
    return .exact(overlap: (overlap + multiple - 1) / multiple * multiple, multiple: multiple)
  }

  /// The input pixels along an axis that an inner tile's ends spoil.
  private func overlap(
    along axis: Axis, _ multiple: Int
  ) throws(WholePicture) -> Int {
    let ratios = ratios(along: axis)
    let side = inputs[0].nominalShape[2] / multiple * multiple
    guard let shapes = try? shapes(height: side, width: side) else {
      throw WholePicture(reason: "the network cannot run on tiles of \(side) pixels")
    }
    func size(_ value: Int) -> Int {
      shapes[value].count == 4 ? shapes[value][axis.dimension] : 1
    }
    var valid = inputs.map { _ in 0..<side }
    var overlap = 0
    /// Asks for an overlap of so many pixels of a value.
    func demand(_ pixels: Int, _ ratio: Ratio) {
      let scaled = (pixels * ratio.denominator + ratio.numerator - 1) / ratio.numerator
      overlap = max(overlap, scaled)
    }
    for (i, node) in nodes.enumerated() {
      let range = try node.op.valid(node.inputs.map { valid[$0] }, axis, node: node.name)
      guard ratios[inputs.count + i] != nil else {
        throw WholePicture(reason: "\(node.name): not in proportion to the picture")
      }
      let start = min(max(range.lowerBound, 0), size(inputs.count + i))
      valid.append(start..<max(min(range.upperBound, size(inputs.count + i)), start))
      // What a padding mirrors at a border of the picture must be valid in the last tile too, which
      // may be one pixel besides its overlap.
      let source = node.inputs[0]
      if let reach = node.op.mirrored(axis), let ratio = ratios[source],
        let full = ratio.scaled(side), full <= GraphLimits.dimension
      {
        let spoilt = max(valid[source].lowerBound, size(source) - valid[source].upperBound)
        let besides = ratio.numerator / ratio.denominator
        demand(full - size(source) + spoilt + reach - besides, ratio)
      }
    }
    for output in outputs {
      let inside = valid[output.value]
      guard let ratio = ratios[output.value], let full = ratio.scaled(side),
        full <= GraphLimits.dimension, !inside.isEmpty
      else {
        throw WholePicture(reason: "output '\(output.name)' sees more than \(side) pixels")
      }
      demand(max(inside.lowerBound, full - inside.upperBound), ratio)
    }
    return overlap
  }
}

/// Why a network cannot be computed in parts.
private struct WholePicture: Error { var reason: String }

extension Op {
  /// How many pixels inside the borders a padding copies from; nil for what copies nothing.
  fileprivate func mirrored(_ axis: Axis) -> Int? {
    switch self {
    case .pad(let edges, .reflect): max(edges.before(axis), edges.after(axis)) + 1
    case .pad(_, .edge): 1
    default: nil
    }
  }

  /// The output pixels along an axis that depend on valid input pixels alone, when neither end of
  /// the input is a border of the picture.
  fileprivate func valid(
    _ inputs: [Range<Int>], _ axis: Axis, node: String
  ) throws(WholePicture) -> Range<Int> {
    let input = inputs[0]
    func window(_ kernel: Size, _ stride: Size, _ border: Border, _ dilation: Size) -> Range<Int> {
      guard case .explicit(let edges) = border else { preconditionFailure("borders are resolved") }
      let before = edges.before(axis), step = stride[axis]
      let reach = (kernel[axis] - 1) * dilation[axis]
      let first = (input.lowerBound + before).dividedRoundingUp(by: step)
      let last = (input.upperBound - 1 + before - reach).dividedRoundingDown(by: step)
      return first..<max(last + 1, first)
    }
    func whole(_ reason: String) -> WholePicture { WholePicture(reason: "\(node): \(reason)") }
    switch self {
    case .convolution(let c): return window(c.kernel, c.stride, c.border, c.dilation)
    case .maxPool(let pool), .averagePool(let pool, _):
      return window(pool.kernel, pool.stride, pool.border, 1)
    case .transposedConvolution(let c):
      let step = c.stride[axis], crop = c.crops.before(axis)
      let first = input.lowerBound * step - step + c.kernel[axis] - crop
      // A kernel smaller than the stride reaches less far than the next input pixel.
      let start = max(first, input.lowerBound * step - crop)
      return start..<max(input.upperBound * step - crop, start)
    case .pixelShuffle(let factor, _):
      return input.lowerBound * factor..<input.upperBound * factor
    case .pixelUnshuffle(let factor, _):
      let first = input.lowerBound.dividedRoundingUp(by: factor)
      return first..<max(input.upperBound / factor, first)
    case .pad(let edges, _):
      let before = edges.before(axis)
      return input.lowerBound + before..<input.upperBound + before
    case .crop(let edges):
      let before = edges.before(axis)
      return input.lowerBound - before..<input.upperBound - before
    case .resize(let resize):
      return try resize.valid(input, node: node)
    case .globalAveragePool: throw whole("global average pooling takes the whole picture")
    case .reduce(let reduction):
      if reduction.dimensions.contains(where: { $0 >= 2 }) || !reduction.keepsDimensions {
        throw whole("a \(reduction.kind.rawValue) over the whole picture")
      }
      return input
    case .softmax(let dimension):
      if dimension >= 2 { throw whole("softmax over the whole picture") }
      return input
    case .linear, .layerNormalization, .matmul, .reshape, .permute, .roll:
      throw whole("\(name) takes the whole picture")
    default:
      let first = inputs.map(\.lowerBound).max() ?? 0
      return first..<max(inputs.map(\.upperBound).min() ?? first, first)
    }
  }
}

extension Resize {
  /// The valid output pixels, as `Op.valid`.
  fileprivate func valid(
    _ input: Range<Int>, node: String
  ) throws(WholePicture) -> Range<Int> {
    guard case .factor(let ratio) = target else {
      throw WholePicture(reason: "\(node): a resize to another value's size")
    }
    // Output pixel o lies at (2o + 1) / 2r - 1/2, or o / r, among the input pixels, where r is the
    // ratio n / d. All is multiplied by 2n, to stay with integers.
    let (n, d) = (ratio.numerator, ratio.denominator)
    let shift: Int
    switch coordinates {
    case .halfPixel: shift = d - n
    case .asymmetric: shift = 0
    case .alignCorners:
      throw WholePicture(reason: "\(node): a resize aligns the corners of the whole picture")
    }
    let support: Int
    switch kernel {
    case .nearest:
      // The pixel in which the place lies, or whose centre is nearest to it.
      let half = coordinates == .halfPixel ? n : 0
      let first = (2 * n * input.lowerBound - half - shift).dividedRoundingUp(by: 2 * d)
      let end = (2 * n * input.upperBound - half - shift).dividedRoundingUp(by: 2 * d)
      return first..<max(end, first)
    case .linear: support = 1
    case .cubic: support = 2
    case .lanczos(let lobes): support = lobes
    }
    // Pixels nearer than the support have a part.
    let reach = 2 * support * (antialias ? max(n, d) : n)
    let first = (2 * n * (input.lowerBound - 1) + reach - shift).dividedRoundingUp(by: 2 * d)
    let last = (2 * n * input.upperBound - reach - shift).dividedRoundingDown(by: 2 * d)
    return first..<max(last + 1, first)
  }
}

extension Int {
  fileprivate func dividedRoundingDown(by divisor: Int) -> Int {
    self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
  }

  fileprivate func dividedRoundingUp(by divisor: Int) -> Int {
    -(-self).dividedRoundingDown(by: divisor)
  }
}
