/// Normalisation over one dimension or several neighbouring ones of each image, with a learned
/// weight and bias for each place in them.
///
/// Over the last dimensions it is PyTorch's `LayerNorm`; over dimension 1 of an image the
/// `LayerNorm2d` of NAFNet and others, without the dimensions being permuted.
public struct LayerNormalization: Hashable, Sendable {
  /// What values are divided by, and whether their mean is subtracted before.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// (x - mean) / sqrt(variance + epsilon) (Ba et al., "Layer Normalization", 2016).
    case layer = "layerNormalization"
    /// x / sqrt(variance + epsilon) (Restormer's layer normalisation without bias: Zamir et al.,
    /// 2022).
    case biasFree = "biasFreeNormalization"
    /// x / sqrt(mean of squares + epsilon) (Zhang and Sennrich, "Root Mean Square Layer
    /// Normalization", 2019).
    case rms = "rmsNormalization"
    /// x / max(sqrt(sum of squares), epsilon): PyTorch's `F.normalize`.
    case l2 = "l2Normalization"

    /// The epsilon that PyTorch, or the paper's code, has.
    var epsilon: Double {
      switch self {
      case .layer, .biasFree: 1e-5
      case .rms: 1e-6
      case .l2: 1e-12
      }
    }

    /// Whether there customarily is a learned weight, and a learned bias.
    var hasScale: Bool { self != .l2 }
    var hasCenter: Bool { self == .layer }
  }

  /// What values are divided by.
  public var kind: Kind
  /// How many neighbouring dimensions are normalised over.
  public var dimensions: Int
  /// The first of them; nil where they are the last.
  public var first: Int?
  /// Keeps the division from being one by zero.
  public var epsilon: Double
  /// Whether there is a learned weight.
  public var scale: Bool
  /// Whether there is a learned bias.
  public var center: Bool
  /// Of `rms`: whether epsilon is added to the root and not under it: x / (sqrt(mean of squares) +
  /// epsilon), as RTMoSR has it.
  public var addsEpsilonToRoot: Bool

  /// Over the last dimension, with the epsilon, weight and bias that the kind customarily has,
  /// unless stated.
  public init(
    _ kind: Kind = .layer, dimensions: Int = 1, first: Int? = nil, epsilon: Double? = nil,
    scale: Bool? = nil, center: Bool? = nil, addsEpsilonToRoot: Bool = false
  ) {
    (self.kind, self.dimensions, self.first) = (kind, dimensions, first)
    self.epsilon = epsilon ?? kind.epsilon
    self.scale = scale ?? kind.hasScale
    self.center = center ?? kind.hasCenter
    self.addsEpsilonToRoot = addsEpsilonToRoot
  }

  /// The dimensions that are normalised over, of a value of this rank.
  package func range(rank: Int) -> Range<Int> {
    let start = first ?? max(rank - dimensions, 0)
    return start..<start + dimensions
  }
}

extension LayerNormalization: Operation {
  package static let names = Kind.allCases.map(\.rawValue)
  package var name: String { kind.rawValue }
  package var op: Op { .layerNormalization(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    guard let kind = Kind(rawValue: name) else {
      throw .unknownOperation(node: a.node, name, nearest: name.nearest(in: Self.names))
    }
    self.init(
      kind, dimensions: try a.int("dimensions", default: 1),
      first: try a.take("dimension", "an integer", default: .some(nil)) { (json) -> Int?? in
        json.int.map { Optional($0) }
      },
      epsilon: try a.number("epsilon", default: kind.epsilon),
      scale: try a.bool("scale", default: kind.hasScale),
      center: try a.bool("center", default: kind.hasCenter),
      addsEpsilonToRoot: kind == .rms ? try a.bool("addsEpsilonToRoot", default: false) : false)
  }

  package var attributes: [String: JSON] {
    var members = Attributes.members(
      ("dimensions", .int(dimensions), 1), ("epsilon", .number(epsilon), .number(kind.epsilon)),
      ("scale", .bool(scale), .bool(kind.hasScale)),
      ("center", .bool(center), .bool(kind.hasCenter)),
      ("addsEpsilonToRoot", .bool(addsEpsilonToRoot), false))
    members["dimension"] = first.map(JSON.int)
    return members
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimensions", dimensions, 1...GraphLimits.rank)
    if let first { try check("dimension", first, 0...(GraphLimits.rank - 1)) }
    try check("epsilon", epsilon, positive: true)
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try Self.expectRank(first.map { $0 + dimensions } ?? dimensions + 1, inputs[0])
    return inputs[0]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    if let first, first + dimensions <= 2 { return .pointwise }
    return .whole(reason: "\(name) takes the whole image", size: .same)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    range(rank: inputs[0].count).contains(dimension) ? nil : dimension
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    let range = range(rank: inputs[0].count)
    let shape = Array(inputs[0][range.clamped(to: inputs[0].indices)])
    return (scale ? [ParameterSlot(suffix: "weight", shape: shape, start: 1)] : [])
      + (center ? [ParameterSlot(suffix: "bias", shape: shape, start: 0)] : [])
  }
}

extension Value {
  /// Normalisation over the last dimension, unless the normalisation states others.
  public func layerNormalization(
    _ name: String, _ normalization: LayerNormalization = LayerNormalization()
  ) -> Value {
    builder.add(.layerNormalization(normalization), layer: name, [self])
  }
}
