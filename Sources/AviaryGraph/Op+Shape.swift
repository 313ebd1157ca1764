extension Op {
  /// The shape that the operation gives for inputs of these shapes.
  ///
  /// This is the one place that knows: checking, planning, reports, the multiple and the tiling are
  /// all derived from it. Attributes are within `GraphLimits` (`Graph.init` sees to it), dimensions
  /// below 2^31, so that nothing here overflows.
  ///
  /// - Throws: `ShapeProblem` where the operation cannot work on such inputs.
  public func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let shape = try uncheckedShape(inputs)
    var count = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow, product < GraphLimits.elements, dimension <= GraphLimits.dimension else {
        throw .tooLarge(shape)
      }
      count = product
    }
    return shape
  }

  private func uncheckedShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    switch self {
    case .convolution(let c):
      try Op.expectPicture(input)
      guard input[1] % c.groups == 0 else {
        throw .notDivisible("channels", value: input[1], by: c.groups)
      }
      let size = try Op.windows(
        input, kernel: c.kernel, stride: c.stride, dilation: c.dilation, border: c.border)
      return [input[0], c.filters, size.height, size.width]
    case .transposedConvolution(let c):
      try Op.expectPicture(input)
      guard input[1] % c.groups == 0 else {
        throw .notDivisible("channels", value: input[1], by: c.groups)
      }
      let size = Axis.allCases.map { axis in
        (input[axis.dimension] - 1) * c.stride[axis] + c.kernel[axis] - c.crops.total(axis)
      }
      guard size.allSatisfy({ $0 > 0 }) else {
        throw .tooSmall(needed: "what the crops leave a pixel of", found: input)
      }
      return [input[0], c.filters, size[0], size[1]]
    case .linear(let features, _):
      guard let last = input.last, last > 0 else {
        throw .rank(expected: "at least 1 dimension", found: input)
      }
      return input.dropLast() + [features]
    case .maxPool(let pool), .averagePool(let pool, _):
      try Op.expectPicture(input)
      let size = try Op.windows(
        input, kernel: pool.kernel, stride: pool.stride, dilation: 1, border: pool.border)
      return [input[0], input[1], size.height, size.width]
    case .globalAveragePool:
      try Op.expectPicture(input)
      return [input[0], input[1], 1, 1]
    case .batchNormalization, .prelu:
      guard input.count >= 2 else { throw .rank(expected: "at least 2 dimensions", found: input) }
      return input
    case .activation, .dropout:
      return input
    case .add, .subtract, .multiply:
      return try Op.broadcast(input, inputs[1])
    case .scale(let values), .offset(let values):
      guard values.count == 1 || input.count >= 2 && input[1] == values.count else {
        throw .channels(expected: "\(values.count)", found: input.count >= 2 ? input[1] : 0)
      }
      return input
    case .concatenate:
      return try Op.concatenated(inputs)
    case .slice(let start, let count):
      guard input.count >= 2 else { throw .rank(expected: "at least 2 dimensions", found: input) }
      guard start + count <= input[1] else {
        throw .channels(expected: "at least \(start + count)", found: input[1])
      }
      return [input[0], count] + input[2...]
    case .pixelShuffle(let r, _):
      try Op.expectPicture(input)
      guard input[1] % (r * r) == 0 else {
        throw .notDivisible("channels", value: input[1], by: r * r)
      }
      return [input[0], input[1] / (r * r), input[2] * r, input[3] * r]
    case .pixelUnshuffle(let r, _):
      try Op.expectPicture(input)
      for axis in Axis.allCases where input[axis.dimension] % r != 0 {
        throw .notDivisible(
          axis == .vertical ? "height" : "width", value: input[axis.dimension], by: r)
      }
      return [input[0], input[1] * r * r, input[2] / r, input[3] / r]
    case .resize(let resize):
      return try Op.resized(inputs, resize.target)
    case .pad(let edges, let mode):
      try Op.expectPicture(input)
      for axis in Axis.allCases where mode == .reflect {
        let largest = max(edges.before(axis), edges.after(axis))
        guard input[axis.dimension] > largest else {
          throw .tooSmall(needed: "\(largest + 1) rows and columns to mirror", found: input)
        }
      }
      return Op.grown(input, edges, sign: 1)
    case .crop(let edges):
      try Op.expectPicture(input)
      let shape = Op.grown(input, edges, sign: -1)
      guard shape[2] > 0, shape[3] > 0 else {
        throw .tooSmall(
          needed: "\(edges.total(.vertical) + 1)x\(edges.total(.horizontal) + 1)", found: input)
      }
      return shape
    case .reduce(let reduction):
      return try Op.reduced(input, reduction)
    case .matmul:
      return try Op.product(input, inputs[1])
    case .softmax(let dimension):
      guard dimension < input.count else {
        throw .rank(expected: "at least \(dimension + 1) dimensions", found: input)
      }
      return input
    case .layerNormalization(let dimensions, _):
      guard dimensions < input.count else {
        throw .rank(expected: "at least \(dimensions + 1) dimensions", found: input)
      }
      return input
    case .reshape(let target):
      return try Op.reshaped(input, target)
    case .permute(let order):
      guard order.count == input.count else {
        throw .rank(expected: "\(order.count) dimensions", found: input)
      }
      return order.map { input[$0] }
    case .roll(_, let dimensions):
      guard dimensions.allSatisfy({ $0 < input.count }) else {
        throw .rank(expected: "dimensions \(dimensions)", found: input)
      }
      return input
    }
  }

  private static func expectPicture(_ shape: [Int]) throws(ShapeProblem) {
    guard shape.count == 4 else { throw .rank(expected: "a picture (NCHW)", found: shape) }
  }

  private static func windows(
    _ input: [Int], kernel: Size, stride: Size, dilation: Size, border: Border
  ) throws(ShapeProblem) -> Size {
    let edges = border.edges(
      size: Size(input[2], input[3]), kernel: kernel, stride: stride, dilation: dilation)
    var result = Size(0)
    for axis in Axis.allCases {
      let reach = (kernel[axis] - 1) * dilation[axis] + 1
      let padded = input[axis.dimension] + edges.total(axis)
      guard padded >= reach, input[axis.dimension] > 0 else {
        throw .tooSmall(needed: "\(reach - edges.total(axis)) pixels a side", found: input)
      }
      let outputs = (padded - reach) / stride[axis] + 1
      if axis == .vertical { result.height = outputs } else { result.width = outputs }
    }
    return result
  }

  /// Two shapes of one rank, in which a dimension of 1 repeats.
  private static func broadcast(_ a: [Int], _ b: [Int]) throws(ShapeProblem) -> [Int] {
    guard a.count == b.count, zip(a, b).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else {
      throw .mismatch(a, b)
    }
    return zip(a, b).map(max)
  }

  private static func concatenated(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    guard shape.count >= 2 else { throw .rank(expected: "at least 2 dimensions", found: shape) }
    for other in inputs.dropFirst() {
      guard other.count == shape.count, other[0] == shape[0], other[2...] == shape[2...] else {
        throw .mismatch(inputs[0], other)
      }
      shape[1] += other[1]
    }
    return shape
  }

  private static func resized(
    _ inputs: [[Int]], _ target: Resize.Target
  ) throws(ShapeProblem) -> [Int] {
    try expectPicture(inputs[0])
    let input = inputs[0]
    switch target {
    case .factor(let ratio):
      let size = [2, 3].map { input[$0] * ratio.numerator / ratio.denominator }
      guard size.allSatisfy({ $0 > 0 }) else {
        throw .tooSmall(needed: "what the factor leaves a pixel of", found: input)
      }
      return [input[0], input[1]] + size
    case .sizeOfSecondInput:
      try expectPicture(inputs[1])
      return [input[0], input[1], inputs[1][2], inputs[1][3]]
    }
  }

  private static func grown(_ input: [Int], _ edges: Edges, sign: Int) -> [Int] {
    [
      input[0], input[1], input[2] + sign * edges.total(.vertical),
      input[3] + sign * edges.total(.horizontal),
    ]
  }

  private static func reduced(
    _ input: [Int], _ reduction: Reduction
  ) throws(ShapeProblem) -> [Int] {
    guard reduction.dimensions.allSatisfy({ $0 < input.count }) else {
      throw .rank(expected: "dimensions \(reduction.dimensions)", found: input)
    }
    var shape: [Int] = []
    for (dimension, size) in input.enumerated() {
      if !reduction.dimensions.contains(dimension) {
        shape.append(size)
      } else if reduction.keepsDimensions {
        shape.append(1)
      }
    }
    return shape
  }

  private static func product(_ a: [Int], _ b: [Int]) throws(ShapeProblem) -> [Int] {
    guard a.count >= 2, b.count == a.count, a[a.count - 1] == b[b.count - 2] else {
      throw .mismatch(a, b)
    }
    return try broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)))
      + [a[a.count - 2], b[b.count - 1]]
  }

  private static func reshaped(_ input: [Int], _ target: [Int]) throws(ShapeProblem) -> [Int] {
    var shape: [Int] = []
    for (position, size) in target.enumerated() {
      if size == 0 {
        guard position < input.count else {
          throw .rank(expected: "at least \(position + 1) dimensions", found: input)
        }
        shape.append(input[position])
      } else {
        shape.append(size)
      }
    }
    let count = input.reduce(1, *)
    var known = 1
    for size in shape where size != -1 {
      let (product, overflow) = known.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .tooLarge(shape) }
      known = product
    }
    if let free = shape.firstIndex(of: -1) {
      guard known > 0, count % known == 0 else {
        throw .notDivisible("elements", value: count, by: known)
      }
      shape[free] = count / known
    } else if known != count {
      throw .expected("\(known) elements for shape \(shape)", found: "\(count)")
    }
    return shape
  }
}
