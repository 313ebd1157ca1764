/// What a user states about the file that is written; each is for some formats only.
public struct EncodingOptions: Hashable, Sendable {
  /// The format; nil for what the name says.
  public var format: ImageFormat?
  /// Of JPEG and WebP, 1 to 100 as their libraries count it; nil for `usualQuality`.
  public var quality: Int?
  /// Whether WebP is compressed without loss.
  public var isLossless = false
  /// Whether chroma of JPEG is kept at half the resolution, which halves the file.
  public var isChromaHalved = false
  /// Whether JPEG is written in scans, from coarse to fine.
  public var isProgressive = false

  /// The quality of JPEG and WebP, unless stated: little loss beside that of enlarging.
  public static let usualQuality = 95

  /// As formats are customarily written.
  public init() {}
}
