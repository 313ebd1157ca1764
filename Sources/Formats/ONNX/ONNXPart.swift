import AviaryGraph

/// What an operator gives that is no value of ours by itself: several operators together are one
/// operation of ours.
enum ONNXPart {
  /// A value times a number that depends on the size of the image: one number for each image that the
  /// network is followed on.
  case scaled(Int, by: [Double])
  /// Places in an image, of distances in pixels.
  case places(ONNXPlaces)
  /// A slice without elements.
  case empty
  /// A Fourier transform of which some dimensions are done.
  case spectrum(ONNXSpectrum)
  /// For each window of an image, one of a few tables.
  case tables(ONNXWindowTables)
  /// The lines at the end of an image that make it a multiple.
  case missing(ONNXMissingLines)
  /// The rows of windows that lie over one another.
  case windows(ONNXWindowRows)

  /// What it is, for errors.
  var text: String {
    switch self {
    case .scaled: "a value times a number that depends on the size of the image"
    case .places:
      "places that depend on the size of the image; those to sample an image at are read"
    case .empty: "a slice without elements"
    case .spectrum:
      "a part of a Fourier transform; those of real images over rows and columns are read"
    case .tables: "a table of windows that depends on the size of the image"
    case .missing: "a slice that ends where the size of the image says"
    case .windows: "a gathering of rows that depends on the size of the image"
    }
  }
}

extension ONNXReader {
  /// The shapes of a part, one for each image; nil where nobody may ask.
  func shapes(of part: ONNXPart) -> [[Int]]? {
    switch part {
    case .scaled(let value, _): shapes[value]
    case .places(let places): shapes[places.distances]
    case .spectrum(let spectrum): shapes(of: spectrum)
    case .empty, .tables, .missing, .windows: nil
    }
  }
}

// MARK: - Numbers that depend on the size

extension ONNXReader {
  /// A product with, or a quotient by, a number that depends on the size of the image; nil where the
  /// node is another.
  mutating func sizedProduct() throws(InterchangeError) -> ONNXOperand? {
    guard node.kind == "Mul" || node.kind == "Div" else { return nil }
    for (input, other) in [(0, 1), (1, 0)] where node.kind == "Mul" || input == 0 {
      guard let numbers = try numbers(other), numbers.shape.allSatisfy({ $0 == 1 }) else {
        continue
      }
      let own = samples.shapes.indices.compactMap { numbers.array($0).uniform }
      guard own.count == samples.shapes.count else { continue }
      let factors = node.kind == "Div" ? own.map { 1 / $0 } : own
      switch try given(input) {
      case .value(let value) where numbers.arrays.count > 1 && numbers.shape.count <= rank(value):
        return try scaled(value, by: factors)
      case .part(.scaled(let value, let before)):
        return try scaled(value, by: zip(before, factors).map { $0 * $1 })
      case .part(.spectrum(var spectrum)):
        spectrum.factors = zip(spectrum.factors, factors).map { $0 * $1 }
        return .part(.spectrum(spectrum))
      default: continue
      }
    }
    return nil
  }

  /// A value times a number for each image: another reduction, where the number is that of the elements
  /// which are reduced.
  private mutating func scaled(
    _ value: Int, by factors: [Double]
  ) throws(InterchangeError) -> ONNXOperand {
    let part = ONNXOperand.part(.scaled(value, by: factors))
    guard let source = source(value), let before = Reduction(summing: source.op) else {
      return part
    }
    let summed = source.inputs[0]
    let counts = shapes[summed].map { shape in
      Double(before.dimensions.reduce(1) { $0 * shape[$1] })
    }
    /// Whether the product is the sum times this.
    func isSum(times wanted: (Double) -> Double) -> Bool {
      zip(factors, counts).allSatisfy { factor, count in
        let own = before.kind == .mean ? factor / count : factor
        return abs(own / wanted(count) - 1) < 1e-6
      }
    }
    func reduced(_ kind: Reduction.Kind, _ value: Int) throws(InterchangeError) -> ONNXOperand {
      let reduction = Reduction(
        kind, dimensions: before.dimensions, keepsDimensions: before.keepsDimensions)
      return .value(try add(.reduce(reduction), [value]))
    }
    if isSum(times: { _ in 1 }) { return try reduced(.sum, summed) }
    if isSum(times: { 1 / $0 }) { return try reduced(.mean, summed) }
    if isSum(times: { 1 / ($0 - 1) }), let x = squaredDistances(summed, before.dimensions) {
      return try reduced(.unbiasedVariance, x)
    }
    return part
  }
}

extension Reduction {
  /// The sum or mean that an operation is; nil for any other.
  fileprivate init?(summing op: Op) {
    switch op {
    case .reduce(let reduction) where reduction.kind == .sum || reduction.kind == .mean:
      self = reduction
    case .globalAveragePool: self.init(.mean, dimensions: [2, 3])
    default: return nil
    }
  }
}
