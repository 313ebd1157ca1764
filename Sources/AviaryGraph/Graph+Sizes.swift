/// The sizes that a network takes, and what it makes of them.
public struct SizeRule: Hashable, Sendable {
  /// Output size over input size, where they are in proportion at all.
  public var scale: Ratio?
  /// Input heights and widths must be a multiple of this, else the network cannot run.
  public var multiple: Int
  /// Input heights and widths must be a multiple of this, else the output has another size than
  /// `scale` says, less `shrinkage` (residual-cae makes 66 of 65).
  public var exactMultiple: Int
  /// How many pixels the output is smaller than `scale` times the input: what convolutions without
  /// padding cost.
  public var shrinkage: Int
  /// The smallest input height and width that the network can run on.
  public var minimum: Int
}

extension Graph {
  /// The ratio of each value's height and width to those of the first input; nil for values whose
  /// size does not depend on the input's in that way (one pixel after a global pooling, a matrix).
  package var ratios: [Ratio?] {
    var ratios: [Ratio?] = inputs.map { _ in Ratio(1) }
    for node in nodes {
      let of = node.inputs.map { ratios[$0] }
      ratios.append(node.op.ratio(of))
    }
    return ratios
  }

  /// What the network makes of sizes, found by trying its shape functions on them.
  ///
  /// - Parameter output: the position of the output in `outputs`.
  public func sizeRule(output: Int = 0) -> SizeRule {
    let ratios = self.ratios
    let candidate = ratios.compactMap(\.?.denominator).reduce(1) {
      min($0 / greatestCommonDivisor($0, $1) * $1, GraphLimits.window)
    }
    let scale = ratios[outputs[output].value]
    guard inputs.allSatisfy({ $0.size == nil }), let scale else {
      return SizeRule(scale: scale, multiple: 1, exactMultiple: 1, shrinkage: 0, minimum: 1)
    }
    // On one period of sizes: which are valid, and by how much is the output off?
    let base = inputs[0].nominalShape[2] / candidate * candidate
    func offset(_ side: Int) -> Int? {
      guard let shapes = try? shapes(height: side, width: side) else { return nil }
      return side * scale.numerator / scale.denominator - shapes[outputs[output].value][2]
    }
    let offsets = (0..<candidate).map { offset(base + $0) }
    let divisors = (1...candidate).filter { candidate % $0 == 0 }
    func holds(_ divisor: Int, _ condition: (Int?) -> Bool) -> Bool {
      stride(from: 0, to: candidate, by: divisor).allSatisfy { condition(offsets[$0]) }
    }
    let shrinkage = offsets[0] ?? 0
    return SizeRule(
      scale: scale,
      multiple: divisors.first { holds($0) { $0 != nil } } ?? candidate,
      exactMultiple: divisors.first { holds($0) { $0 == shrinkage } } ?? candidate,
      shrinkage: shrinkage,
      minimum: stride(from: candidate, through: 4_096, by: candidate)
        .first { (try? shapes(height: $0, width: $0)) != nil } ?? base)
  }

  /// The same graph with every `.same` border stated as the padding that it means for one picture
  /// of this size, so that parts of the picture can be computed with the borders of the whole.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func resolvingBorders(height: Int, width: Int) throws(GraphError) -> Graph {
    let shapes = try shapes(height: height, width: width)
    let nodes = nodes.map { node in
      var node = node
      let input = shapes[node.inputs[0]]
      func resolve(
        _ border: Border, _ kernel: Size, _ stride: Size, _ dilation: Size = 1
      ) -> Border {
        .explicit(
          border.edges(
            size: Size(input[2], input[3]), kernel: kernel, stride: stride, dilation: dilation))
      }
      switch node.op {
      case .convolution(var c):
        c.border = resolve(c.border, c.kernel, c.stride, c.dilation)
        node.op = .convolution(c)
      case .maxPool(var pool):
        pool.border = resolve(pool.border, pool.kernel, pool.stride)
        node.op = .maxPool(pool)
      case .averagePool(var pool, let countsPadding):
        pool.border = resolve(pool.border, pool.kernel, pool.stride)
        node.op = .averagePool(pool, countsPadding: countsPadding)
      default: break
      }
      return node
    }
    return try Graph(
      inputs: inputs, nodes: nodes, outputs: outputs, frozen: frozen, aliases: aliases)
  }

  /// The multiplications and additions, counted as one, for one picture of this size.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func multiplyAdds(height: Int, width: Int) throws(GraphError) -> Double {
    let shapes = try shapes(height: height, width: width)
    return nodes.indices.reduce(0) { sum, i in
      sum
        + nodes[i].op.multiplyAdds(
          nodes[i].inputs.map { shapes[$0] }, shapes[inputs.count + i])
    }
  }

  /// The number of values in all learned and frozen parameters, as publications count them:
  /// running statistics and counters aside.
  public var parameterCount: Int {
    parameters.filter { $0.role == .weight || $0.role == .frozen }
      .reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}

extension Op {
  /// The output's size over the first input's, given the inputs' over the graph's.
  fileprivate func ratio(_ inputs: [Ratio?]) -> Ratio? {
    func first(times factor: Ratio) -> Ratio? { inputs[0]?.multiplied(by: factor) }
    switch self {
    // Along both axes alike in every network known; where not, the vertical one counts, and trying
    // sizes (`sizeRule`) shows what does not fit.
    case .convolution(let c): return first(times: Ratio(1, c.stride.height))
    case .transposedConvolution(let c): return first(times: Ratio(c.stride.height))
    case .maxPool(let pool), .averagePool(let pool, _):
      return first(times: Ratio(1, pool.stride.height))
    case .pixelShuffle(let factor, _): return first(times: Ratio(factor))
    case .pixelUnshuffle(let factor, _): return first(times: Ratio(1, factor))
    case .resize(let resize):
      guard case .factor(let ratio) = resize.target else { return inputs[1] }
      return first(times: ratio)
    case .globalAveragePool, .linear, .matmul, .reshape, .permute: return nil
    case .reduce(let reduction):
      return reduction.dimensions.contains { $0 >= 2 } || !reduction.keepsDimensions
        ? nil : inputs[0]
    case .add, .subtract, .multiply, .concatenate: return inputs.lazy.compactMap { $0 }.first
    default: return inputs[0]
    }
  }
}
