/// The scales by which one convolution of a network multiplies 8-bit integers, as a checkpoint
/// keeps them (`/quantization`).
///
/// A number x of the input stands for round(x / `inputScale`), limited to 0...255, or to -127...127
/// where it may be negative; weights w for round(w / step of their output channel), -127...127.
public struct QuantizedLayer: Hashable, Sendable {
  /// The node of the graph.
  public var node: String
  /// What one step of the input is worth.
  public var inputScale: Float
  /// Whether the input may be negative.
  public var isSigned: Bool
  /// What one step of the weights is worth, for each output channel.
  public var weightScales: [Float]

  /// A layer with these scales.
  public init(node: String, inputScale: Float, isSigned: Bool, weightScales: [Float]) {
    self.node = node
    self.inputScale = inputScale
    self.isSigned = isSigned
    self.weightScales = weightScales
  }

  /// Whether a step is one: finite, and so far above zero that its inverse is finite, too.
  static func isStep(_ step: Float) -> Bool { step.isFinite && step >= 0x1p-100 && step <= 0x1p100 }
}
