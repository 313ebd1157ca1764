import AviaryGraph

// Exporters write normalisations operation by operation: a value, or its distance from its mean, is
// divided by the root of a mean of squares. It is read as one operation; what its parts are made of is
// left out where nobody else takes it.

extension ONNXReader {
  /// The quotient of two values, if it is a normalisation.
  mutating func normalization(
    _ numerator: Int, by divisor: Int
  ) throws(InterchangeError) -> Int? {
    guard let source = source(divisor) else { return nil }
    switch source.op {
    case .activation(.sqrt): return try normalization(numerator, byRootOf: source.inputs[0])
    case .offset(let offset):
      // The root plus epsilon.
      guard let epsilon = offset.values.only, let root = self.source(source.inputs[0]),
        root.op == .activation(.sqrt), let squares = meanOfSquares(root.inputs[0]),
        squares.of == numerator
      else { return nil }
      return try normalized(numerator, .rms, squares.dimensions, epsilon, addsEpsilonToRoot: true)
    default: return nil
    }
  }

  /// The product of two values, if it is a normalisation by a reciprocal.
  mutating func normalization(
    _ numerator: Int, times factor: Int
  ) throws(InterchangeError) -> Int? {
    guard let source = source(factor) else { return nil }
    switch source.op {
    case .activation(.reciprocal): return try normalization(numerator, by: source.inputs[0])
    case .activation(.rsqrt): return try normalization(numerator, byRootOf: source.inputs[0])
    default: return nil
    }
  }

  /// Divided by the root of a mean of squares plus epsilon.
  private mutating func normalization(
    _ numerator: Int, byRootOf sum: Int
  ) throws(InterchangeError) -> Int? {
    guard let source = source(sum), case .offset(let offset) = source.op,
      let epsilon = offset.values.only, let squares = meanOfSquares(source.inputs[0])
    else { return nil }
    guard let x = centred(squares.of, squares.dimensions) else {
      return squares.of == numerator
        ? try normalized(numerator, .rms, squares.dimensions, epsilon) : nil
    }
    if numerator == squares.of || centred(numerator, squares.dimensions) == x {
      return try normalized(x, .layer, squares.dimensions, epsilon)
    }
    return numerator == x ? try normalized(x, .biasFree, squares.dimensions, epsilon) : nil
  }

  /// What a value is the mean of the squares of, over which dimensions.
  private func meanOfSquares(_ value: Int) -> (of: Int, dimensions: [Int])? {
    guard let mean = source(value), let dimensions = meanDimensions(mean.op),
      let square = source(mean.inputs[0]), square.op == .binary(.multiply),
      square.inputs[0] == square.inputs[1]
    else { return nil }
    return (square.inputs[0], dimensions)
  }

  /// What a value has the squares of the distances of, from the mean over some dimensions.
  func squaredDistances(_ value: Int, _ dimensions: [Int]) -> Int? {
    guard let square = source(value), square.op == .binary(.multiply),
      square.inputs[0] == square.inputs[1]
    else { return nil }
    return centred(square.inputs[0], dimensions)
  }

  /// What a value is the distance of from its own mean over some dimensions.
  private func centred(_ value: Int, _ dimensions: [Int]) -> Int? {
    guard let difference = source(value), difference.op == .binary(.subtract),
      let mean = source(difference.inputs[1]), meanDimensions(mean.op) == dimensions,
      mean.inputs == [difference.inputs[0]]
    else { return nil }
    return difference.inputs[0]
  }

  /// The dimensions of a mean that keeps them.
  private func meanDimensions(_ op: Op) -> [Int]? {
    if op == .globalAveragePool { return [2, 3] }
    guard case .reduce(let reduction) = op, reduction.kind == .mean, reduction.keepsDimensions
    else { return nil }
    return reduction.dimensions
  }

  /// The normalisation, if it is over neighbouring dimensions and epsilon is one.
  private mutating func normalized(
    _ value: Int, _ kind: LayerNormalization.Kind, _ dimensions: [Int], _ epsilon: Double,
    addsEpsilonToRoot: Bool = false
  ) throws(InterchangeError) -> Int? {
    guard let first = dimensions.first, epsilon > 0,
      dimensions == Array(first..<first + dimensions.count)
    else { return nil }
    let normalization = LayerNormalization(
      kind, dimensions: dimensions.count, first: first, epsilon: Double(Float(epsilon)).meant,
      scale: false,
      center: false, addsEpsilonToRoot: addsEpsilonToRoot)
    return try add(normalization.op, [value])
  }
}

extension [Double] {
  /// The element, where there is but one.
  fileprivate var only: Double? { count == 1 ? self[0] : nil }
}
