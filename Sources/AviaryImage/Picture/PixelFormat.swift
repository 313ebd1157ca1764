/// The channels of an image, and the depth that it has in files.
public struct PixelFormat: Hashable, Sendable {
  /// What the colour channels mean.
  public var color: ColorModel
  /// Whether the last channel is alpha: straight (not multiplied into the colour), 0 transparent.
  public var hasAlpha: Bool
  /// The depth to write with. The values in memory are float32 whatever it is.
  public var bitDepth: BitDepth

  /// A format; without arguments besides the colour, opaque and of 8 bits.
  public init(_ color: ColorModel, hasAlpha: Bool = false, bitDepth: BitDepth = .eight) {
    self.color = color
    self.hasAlpha = hasAlpha
    self.bitDepth = bitDepth
  }

  /// All channels, alpha included.
  public var channels: Int { color.channels + (hasAlpha ? 1 : 0) }
}

extension PixelFormat: CustomStringConvertible {
  /// Such as `rgb with alpha, 16 bits`.
  public var description: String {
    "\(color)\(hasAlpha ? " with alpha" : ""), \(bitDepth.rawValue) bits"
  }
}
