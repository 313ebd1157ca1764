/// Means or maxima of as many windows as give a stated size, whatever the size of the image:
/// PyTorch's adaptive pooling. Window i of n begins at ⌊i · size / n⌋ and ends before
/// ⌈(i + 1) · size / n⌉, so that neighbours may have a pixel in common.
public struct AdaptivePool: Hashable, Sendable {
  /// What is made of the pixels of a window.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case mean = "adaptiveAveragePool"
    case maximum = "adaptiveMaxPool"
  }
  /// The size of the output.
  public enum Target: Hashable, Sendable {
    /// So many rows and columns.
    case size(Size)
    /// The input's size times a ratio, rounded down.
    case factor(Ratio)
  }

  /// What is made of the pixels of a window.
  public var kind: Kind
  /// The size of the output.
  public var target: Target

  /// Pooling to a size.
  public init(_ kind: Kind, to target: Target) { (self.kind, self.target) = (kind, target) }
}

extension AdaptivePool {
  /// The pixels along an axis that each output pixel is made of.
  package static func windows(_ size: Int, to count: Int) -> [Range<Int>] {
    (0..<count).map { i in
      i * size / count..<((i + 1) * size).dividedRoundingUp(by: count)
    }
  }

  private func count(_ size: Int, _ axis: Axis) -> Int {
    switch target {
    case .size(let stated): stated[axis]
    case .factor(let ratio): size * ratio.numerator / ratio.denominator
    }
  }
}

extension AdaptivePool: Operation {
  package static let names = Kind.allCases.map(\.rawValue)
  package var name: String { kind.rawValue }
  package var op: Op { .adaptivePool(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    guard let kind = Kind(rawValue: name) else {
      throw .unknownOperation(node: a.node, name, nearest: name.nearest(in: Self.names))
    }
    self.init(
      kind,
      to: a.has("factor") ? .factor(try a.ratio("factor")) : .size(try a.size("size")))
  }
  package var attributes: [String: JSON] {
    switch target {
    case .size(let size): ["size": size.json]
    case .factor(let ratio): ["factor": ratio.json]
    }
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    switch target {
    case .size(let size): try check("size", size)
    case .factor(let ratio):
      try check("factor", ratio.numerator, 1...GraphLimits.window)
      try check("factor", ratio.denominator, 1...GraphLimits.window)
    }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    var shape = inputs[0]
    try Self.expectImage(shape)
    for axis in Axis.allCases {
      shape[axis.dimension] = count(shape[axis.dimension], axis)
      guard shape[axis.dimension] > 0 else {
        throw .tooSmall(needed: "what the factor leaves a pixel of", found: inputs[0])
      }
    }
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let extent: ReceptiveField.Extent =
      if case .factor(let ratio) = target { .input(0, times: ratio) } else { .unrelated }
    return .whole(reason: "the windows of adaptive pooling depend on the size", size: extent)
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  /// A size that comes out even has windows of one size, side by side.
  package func resolvingSizes(_ inputs: [[Int]], _ ratios: [Ratio?]) -> Op {
    guard case .factor(let ratio) = target, ratio.numerator == 1,
      inputs[0][2...].allSatisfy({ $0 % ratio.denominator == 0 })
    else { return op }
    let pool = Pool(kernel: Size(ratio.denominator))
    return switch kind {
    case .mean: .averagePool(AveragePool(pool, countsPadding: false))
    case .maximum: .maxPool(MaxPool(pool))
    }
  }
}

extension Value {
  /// Means or maxima of windows, as many as the size of the output or the ratio asks for.
  public func adaptivePool(_ kind: AdaptivePool.Kind, to target: AdaptivePool.Target) -> Value {
    applying(.adaptivePool(AdaptivePool(kind, to: target)))
  }
}
