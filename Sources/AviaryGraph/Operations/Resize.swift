/// Interpolation to another size.
public struct Resize: Hashable, Sendable {
  /// The function that weighs neighbours.
  public enum Kernel: Hashable, Sendable {
    case nearest
    case linear
    /// Keys's cubic convolution: a is -0.5 for MATLAB, TensorFlow and PIL, -0.75 for PyTorch and
    /// OpenCV.
    case cubic(a: Double)
    /// sinc(x) · sinc(x / lobes)
    case lanczos(lobes: Int)
  }
  /// Where an output pixel lies among the input pixels.
  public enum Coordinates: String, CaseIterable, Hashable, Sendable {
    /// Pixels are squares whose centres lie at half numbers.
    case halfPixel = "half-pixel"
    /// First and last pixels lie on each other.
    case alignCorners = "align-corners"
    /// First pixels lie on each other, and the scale is exact.
    case asymmetric
  }
  /// What stands beyond the edges.
  public enum Edge: String, CaseIterable, Hashable, Sendable {
    /// The edge pixel (PyTorch, TensorFlow).
    case edge
    /// The image mirrored, edge pixel included (MATLAB).
    case symmetric
  }
  /// The size of the output.
  public enum Target: Hashable, Sendable {
    /// The input's size times a ratio, rounded down, the same along both axes.
    case factor(Ratio)
    /// The size of the second input, whose values do not matter.
    case sizeOfSecondInput
  }

  /// The function that weighs neighbours.
  public var kernel: Kernel
  /// Where an output pixel lies among the input pixels.
  public var coordinates: Coordinates
  /// What stands beyond the edges.
  public var edge: Edge
  /// Whether the kernel is widened when the output is smaller (MATLAB's and PIL's default).
  public var antialias: Bool
  /// The size of the output.
  public var target: Target

  /// Interpolation; half-pixel coordinates, edge pixels repeated, no antialiasing unless stated.
  public init(
    _ kernel: Kernel, to target: Target, coordinates: Coordinates = .halfPixel, edge: Edge = .edge,
    antialias: Bool = false
  ) {
    self.kernel = kernel
    self.coordinates = coordinates
    self.edge = edge
    self.antialias = antialias
    self.target = target
  }
}

extension Resize: Operation {
  package static let names = ["resize"]
  package var name: String { "resize" }
  package var op: Op { .resize(self) }
  package var inputCount: ClosedRange<Int> { target == .sizeOfSecondInput ? 2...2 : 1...1 }

  private enum Word: String, CaseIterable {
    case nearest
    case linear
    case cubic
    case lanczos
  }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    let kernel: Kernel
    switch try a.word("kernel") as Word {
    case .nearest: kernel = .nearest
    case .linear: kernel = .linear
    case .cubic: kernel = .cubic(a: try a.number("a"))
    case .lanczos: kernel = .lanczos(lobes: try a.int("lobes", default: 3))
    }
    let target: Target =
      a.has("factor") ? .factor(try a.ratio("factor")) : .sizeOfSecondInput
    self.init(
      kernel, to: target,
      coordinates: try a.word("coordinates", default: Coordinates.halfPixel),
      edge: try a.word("edge", default: Edge.edge),
      antialias: try a.bool("antialias", default: false))
  }

  /// The second input's size is the target wherever no factor is given.
  package var attributes: [String: JSON] {
    var members = Attributes.members(
      ("coordinates", .string(coordinates.rawValue), "half-pixel"),
      ("edge", .string(edge.rawValue), "edge"), ("antialias", .bool(antialias), false))
    switch kernel {
    case .nearest: members["kernel"] = "nearest"
    case .linear: members["kernel"] = "linear"
    case .cubic(let a):
      members["kernel"] = "cubic"
      members["a"] = .number(a)
    case .lanczos(let lobes):
      members["kernel"] = "lanczos"
      members["lobes"] = .int(lobes)
    }
    if case .factor(let ratio) = target {
      members["factor"] = ratio.json
    }
    return members
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    if case .cubic(let a) = kernel { try check("a", a) }
    if case .lanczos(let lobes) = kernel { try check("lobes", lobes, 1...16) }
    if case .factor(let ratio) = target {
      try check("factor", ratio.numerator, 1...GraphLimits.window)
      try check("factor", ratio.denominator, 1...GraphLimits.window)
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    switch target {
    case .factor(let ratio):
      let size = [2, 3].map { input[$0] * ratio.numerator / ratio.denominator }
      guard size.allSatisfy({ $0 > 0 }) else {
        throw .tooSmall(needed: "what the factor leaves a pixel of", found: input)
      }
      return [input[0], input[1]] + size
    case .sizeOfSecondInput:
      try Self.expectImage(inputs[1])
      return [input[0], input[1], inputs[1][2], inputs[1][3]]
    }
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    guard case .factor(let ratio) = target else {
      return .whole(
        reason: "a resize to another value's size", size: .input(1, times: Ratio(1)))
    }
    // Output pixel o lies at (2o + 1) / 2r - 1/2, or o / r, among the input pixels, where r is the
    // ratio n / d. All is multiplied by 2n, to stay with integers.
    let (n, d) = (ratio.numerator, ratio.denominator)
    let shift: Int
    switch coordinates {
    case .halfPixel: shift = d - n
    case .asymmetric: shift = 0
    case .alignCorners:
      return .whole(
        reason: "a resize aligns the corners of the whole image", size: .input(0, times: ratio))
    }
    let support: Int
    switch kernel {
    case .nearest:
      // The pixel in which the place lies, or whose centre is nearest to it.
      let half = coordinates == .halfPixel ? n : 0
      return .window(
        ReceptiveWindow(ratio: ratio) { input in
          let first = (2 * n * input.lowerBound - half - shift).dividedRoundingUp(by: 2 * d)
          let end = (2 * n * input.upperBound - half - shift).dividedRoundingUp(by: 2 * d)
          return first..<max(end, first)
        })
    case .linear: support = 1
    case .cubic: support = 2
    case .lanczos(let lobes): support = lobes
    }
    // Pixels nearer than the support have a part.
    let reach = 2 * support * (antialias ? max(n, d) : n)
    return .window(
      ReceptiveWindow(ratio: ratio) { input in
        let first = (2 * n * (input.lowerBound - 1) + reach - shift).dividedRoundingUp(by: 2 * d)
        let last = (2 * n * input.upperBound - reach - shift).dividedRoundingDown(by: 2 * d)
        return first..<max(last + 1, first)
      })
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }

  package var inputsOfSizeOnly: Set<Int> { target == .sizeOfSecondInput ? [1] : [] }

  /// The size of the other value is a multiple of the input's for most images.
  package func resolvingSizes(_ inputs: [[Int]], _ ratios: [Ratio?]) -> Op {
    guard target == .sizeOfSecondInput, let own = ratios[0] else { return op }
    let (height, width) = (inputs[0][2], inputs[0][3])
    let factor = inputs[1][2] / height
    guard coordinates != .alignCorners, (1...GraphLimits.window).contains(factor),
      inputs[1][2] == height * factor, inputs[1][3] == width * factor,
      own.multiplied(by: Ratio(factor)) == ratios[1]
    else { return op }
    var resolved = self
    resolved.target = .factor(Ratio(factor))
    return resolved.op
  }
}

extension Value {
  /// Interpolation by a whole factor, half-pixel coordinates.
  public func resize(_ kernel: Resize.Kernel, by factor: Int, edge: Resize.Edge = .edge) -> Value {
    guard (1...GraphLimits.window).contains(factor) else {
      builder.fail(
        .attribute(
          node: "resize", "factor", expected: "1 to \(GraphLimits.window)", found: "\(factor)"))
      return self
    }
    return applying(.resize(Resize(kernel, to: .factor(Ratio(factor)), edge: edge)))
  }
}
