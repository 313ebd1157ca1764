extension Card {
  /// How the scales of whole numbers were found, and what computing in them costs.
  public struct Quantization: Codable, Hashable, Sendable {
    /// The folder of pictures, without its path.
    public var data: String
    /// Pictures that were computed.
    public var pictures: Int
    /// The side of the part that was taken of each, in pixels of the result; nil for all of it.
    public var patch: Int?
    /// What chose the pictures and their parts.
    public var seed: UInt64
    /// Convolutions that multiply whole numbers.
    public var layers: Int
    /// Convolutions that would cost too much, by the names of their nodes.
    public var kept: [String]
    /// Mean PSNR in dB of these pictures, computed in float32.
    public var psnr: Double
    /// What of it is lost in whole numbers.
    public var loss: Double

    /// A calibration.
    public init(
      data: String, pictures: Int, patch: Int?, seed: UInt64, layers: Int, kept: [String],
      psnr: Double, loss: Double
    ) {
      self.data = data
      self.pictures = pictures
      self.patch = patch
      self.seed = seed
      self.layers = layers
      self.kept = kept
      self.psnr = psnr
      self.loss = loss
    }
  }
}
