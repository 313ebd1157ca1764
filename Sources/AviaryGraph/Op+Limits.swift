extension Op {
  /// Checks every attribute against its range, so that the shape functions can calculate without
  /// a thought of overflow or division by zero.
  ///
  /// - Throws: `GraphError.attribute` that names the node.
  package func checkAttributes(node: String) throws(GraphError) {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(GraphError) {
      guard range.contains(value) else {
        throw .attribute(
          node: node, name, expected: "\(range.lowerBound) to \(range.upperBound)",
          found: "\(value)")
      }
    }
    func check(_ name: String, _ size: Size) throws(GraphError) {
      for axis in Axis.allCases { try check(name, size[axis], 1...GraphLimits.window) }
    }
    func check(_ name: String, _ edges: Edges, least: Int = 0) throws(GraphError) {
      try check(name, edges.smallest, least...GraphLimits.window)
      try check(name, edges.largest, least...GraphLimits.window)
    }
    func check(_ border: Border) throws(GraphError) {
      if case .explicit(let edges) = border { try check("border", edges) }
    }
    func check(_ pool: Pool) throws(GraphError) {
      try check("kernel", pool.kernel)
      try check("stride", pool.stride)
      try check(pool.border)
      // A window that lies wholly in the padding has no largest value and no mean.
      if case .explicit(let edges) = pool.border {
        for axis in Axis.allCases {
          let largest = max(edges.before(axis), edges.after(axis))
          try check("border", largest, 0...(pool.kernel[axis] - 1))
        }
      }
    }
    func check(_ name: String, _ number: Double, positive: Bool = false) throws(GraphError) {
      guard number.isFinite, !positive || number > 0 else {
        throw .attribute(
          node: node, name, expected: positive ? "a number above 0" : "a finite number",
          found: "\(number)")
      }
    }
    func check(_ name: String, _ dimensions: [Int]) throws(GraphError) {
      for dimension in dimensions { try check(name, dimension, 0...(GraphLimits.rank - 1)) }
      guard Set(dimensions).count == dimensions.count, !dimensions.isEmpty else {
        throw .attribute(
          node: node, name, expected: "different dimensions", found: "\(dimensions)")
      }
    }
    let channels = 1...GraphLimits.channels
    switch self {
    case .convolution(let c):
      try check("filters", c.filters, channels)
      try check("groups", c.groups, channels)
      try check("kernel", c.kernel)
      try check("stride", c.stride)
      try check("dilation", c.dilation)
      try check(c.border)
      try checkDivides(node: node, c.filters, c.groups)
    case .transposedConvolution(let c):
      try check("filters", c.filters, channels)
      try check("groups", c.groups, channels)
      try check("kernel", c.kernel)
      try check("stride", c.stride)
      try check("crops", c.crops, least: -GraphLimits.window)
      // At the top and left there is no way for PyTorch or Keras to add rows.
      try check("crops", min(c.crops.top, c.crops.left), 0...GraphLimits.window)
      try checkDivides(node: node, c.filters, c.groups)
    case .linear(let features, _): try check("features", features, channels)
    case .maxPool(let pool), .averagePool(let pool, _): try check(pool)
    case .batchNormalization(let b):
      try check("epsilon", b.epsilon, positive: true)
      try check("momentum", b.momentum)
    case .activation(.leakyRelu(let slope)): try check("slope", slope)
    case .activation(.elu(let alpha)): try check("alpha", alpha)
    case .activation(.clamp(let minimum, let maximum)):
      try check("minimum", minimum)
      try check("maximum", maximum)
      guard minimum <= maximum else {
        throw .attribute(
          node: node, "maximum", expected: "at least \(minimum)", found: "\(maximum)")
      }
    case .scale(let values), .offset(let values):
      try check("values", values.count, channels)
      for value in values { try check("values", value) }
    case .slice(let start, let count):
      try check("start", start, 0...GraphLimits.channels)
      try check("count", count, channels)
    case .pixelShuffle(let factor, _), .pixelUnshuffle(let factor, _):
      try check("factor", factor, 1...64)
    case .resize(let resize):
      if case .cubic(let a) = resize.kernel { try check("a", a) }
      if case .lanczos(let lobes) = resize.kernel { try check("lobes", lobes, 1...16) }
      if case .factor(let ratio) = resize.target {
        try check("factor", ratio.numerator, 1...GraphLimits.window)
        try check("factor", ratio.denominator, 1...GraphLimits.window)
      }
    case .pad(let edges, _), .crop(let edges): try check("edges", edges)
    case .dropout(let rate):
      guard (0..<1).contains(rate) else {
        throw .attribute(node: node, "rate", expected: "0 to below 1", found: "\(rate)")
      }
    case .reduce(let reduction): try check("dimensions", reduction.dimensions)
    case .softmax(let dimension): try check("dimension", dimension, 0...(GraphLimits.rank - 1))
    case .layerNormalization(let dimensions, let epsilon):
      try check("dimensions", dimensions, 1...GraphLimits.rank)
      try check("epsilon", epsilon, positive: true)
    case .reshape(let shape):
      try check("shape", shape.count, 1...GraphLimits.rank)
      for size in shape { try check("shape", size, -1...GraphLimits.dimension) }
      guard shape.count(where: { $0 == -1 }) <= 1 else {
        throw .attribute(node: node, "shape", expected: "at most one -1", found: "\(shape)")
      }
    case .permute(let order):
      try check("order", order.count, 1...GraphLimits.rank)
      guard order.sorted() == Array(order.indices) else {
        throw .attribute(
          node: node, "order", expected: "each of 0 to \(order.count - 1) once",
          found: "\(order)")
      }
    case .roll(let shifts, let dimensions):
      try check("dimensions", dimensions)
      guard shifts.count == dimensions.count else {
        throw .attribute(
          node: node, "shifts", expected: "one for each of \(dimensions.count) dimensions",
          found: "\(shifts)")
      }
      for shift in shifts {
        try check("shifts", shift, -GraphLimits.dimension...GraphLimits.dimension)
      }
    case .globalAveragePool, .activation, .prelu, .add, .subtract, .multiply, .concatenate,
      .matmul:
      break
    }
  }

  private func checkDivides(node: String, _ filters: Int, _ groups: Int) throws(GraphError) {
    guard filters % groups == 0 else {
      throw .attribute(
        node: node, "filters", expected: "a multiple of \(groups) groups", found: "\(filters)")
    }
  }

  /// How many inputs the operation takes.
  package var inputCount: ClosedRange<Int> {
    switch self {
    case .add, .subtract, .multiply, .matmul: 2...2
    case .concatenate: 1...GraphLimits.inputs
    case .resize(let resize): resize.target == .sizeOfSecondInput ? 2...2 : 1...1
    default: 1...1
    }
  }
}
