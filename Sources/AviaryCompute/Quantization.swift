/// How convolutions multiply 8-bit integers: scales found once, by calibration.
///
/// A number x stands for round(x / step), limited to 0...255 where it is never negative, else to
/// -127...127; weights have a step for each output channel. There is no zero point: 0 is 0.
public struct Quantization: Hashable, Sendable {
  /// The convolutions that do, by the names of their nodes. All others calculate as the options of
  /// the plan say.
  public var layers: [String: Layer]

  /// Convolutions of these names.
  public init(_ layers: [String: Layer] = [:]) { self.layers = layers }

  /// One convolution, transposed or not.
  public struct Layer: Hashable, Sendable {
    /// What one step of its input is worth.
    public var inputScale: Float
    /// Whether its input may be negative.
    public var isSigned: Bool
    /// What one step of the weights is worth, for each output channel. The weights are those that the
    /// engine calculates with: scales and normalisations that follow are multiplied into them.
    public var weightScales: [Float]

    /// A convolution with these steps.
    public init(inputScale: Float, isSigned: Bool, weightScales: [Float]) {
      self.inputScale = inputScale
      self.isSigned = isSigned
      self.weightScales = weightScales
    }

    /// The numbers that its input is made of.
    var dataType: DataType {
      isSigned ? .int8(scale: inputScale) : .uint8(scale: inputScale)
    }

    /// The largest integer of a weight.
    static let mostWeight: Float = 127
  }
}

extension Quantization.Layer {
  /// The same for a processor that sums pairs of products in 16 bits, which unsigned inputs would
  /// overflow: weights with 7 bits. oneDNN sees to signed ones itself.
  func fitting(sumsInWords: Bool) -> Quantization.Layer {
    guard sumsInWords, !isSigned else { return self }
    var layer = self
    layer.weightScales = weightScales.map { $0 * 2 }
    return layer
  }
}
