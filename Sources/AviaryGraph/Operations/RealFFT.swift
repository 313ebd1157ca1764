/// By what the sums of a discrete Fourier transform are divided, as PyTorch's `norm`.
public enum FFTNorm: String, CaseIterable, Hashable, Sendable {
  /// The inverse by the number of pixels.
  case backward
  /// Both by its square root.
  case ortho
  /// The transform by it.
  case forward
}

/// The discrete Fourier transform of every channel over height and width, of which the half that
/// tells all is given, as PyTorch's `rfft2`: [N, C, H, W] becomes [N, 2 C, H, W / 2 + 1], the real
/// parts of all channels before the imaginary ones. Images may have any size.
public struct RealFFT: Hashable, Sendable {
  /// By what sums are divided.
  public var norm: FFTNorm

  /// PyTorch's default.
  public init(norm: FFTNorm = .backward) { self.norm = norm }
}

/// The inverse of `RealFFT`, as PyTorch's `irfft2`: [N, 2 C, H, W / 2 + 1] becomes [N, C, H, W].
///
/// Half a spectrum does not tell whether the width was odd. A second input, of which the size alone
/// counts, says it; without one the width is even.
public struct InverseRealFFT: Hashable, Sendable {
  /// By what sums are divided.
  public var norm: FFTNorm

  /// PyTorch's default.
  public init(norm: FFTNorm = .backward) { self.norm = norm }
}

extension RealFFT: Operation {
  package static let names = ["rfft2"]
  package var name: String { "rfft2" }
  package var op: Op { .realFFT(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(norm: try a.word("norm", default: .backward))
  }

  package var attributes: [String: JSON] { norm.attributes }

  package func check(_ check: AttributeCheck) throws(GraphError) {}

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    guard input[2] > 0, input[3] > 0 else {
      throw .tooSmall(needed: "1 pixel a side", found: input)
    }
    return [input[0], 2 * input[1], input[2], input[3] / 2 + 1]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) sums the whole image", size: .unrelated)
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension InverseRealFFT: Operation {
  package static let names = ["irfft2"]
  package var name: String { "irfft2" }
  package var op: Op { .inverseRealFFT(self) }
  package var inputCount: ClosedRange<Int> { 1...2 }
  package var inputsOfSizeOnly: Set<Int> { [1] }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(norm: try a.word("norm", default: .backward))
  }

  package var attributes: [String: JSON] { norm.attributes }

  package func check(_ check: AttributeCheck) throws(GraphError) {}

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    guard input[1] % 2 == 0 else {
      throw .notDivisible("channels", value: input[1], by: 2)
    }
    let width: Int
    if inputs.count > 1 {
      try Self.expectImage(inputs[1])
      width = inputs[1][3]
      guard inputs[1][2] == input[2], width > 0, width / 2 + 1 == input[3] else {
        throw .mismatch(input, inputs[1])
      }
    } else {
      width = 2 * (input[3] - 1)
    }
    guard input[2] > 0, width > 0 else {
      throw .tooSmall(needed: "1 row and 2 columns", found: input)
    }
    return [input[0], input[1] / 2, input[2], width]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) sums the whole spectrum", size: .unrelated)
  }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension FFTNorm {
  fileprivate var attributes: [String: JSON] {
    Attributes.members(("norm", .string(rawValue), .string(FFTNorm.backward.rawValue)))
  }

  /// What the sums of the transform, or of its inverse, are multiplied by.
  package func scale(pixels: Int, isInverse: Bool) -> Double {
    switch self {
    case .backward: isInverse ? 1 / Double(pixels) : 1
    case .ortho: 1 / Double(pixels).squareRoot()
    case .forward: isInverse ? 1 : 1 / Double(pixels)
    }
  }
}
