/// What is known of a picture file once it is open.
public struct ImageHeader: Hashable, Sendable {
  /// The format, told by content.
  public let container: ImageFormat
  /// Columns of the upright picture.
  public let width: Int
  /// Rows of the upright picture.
  public let height: Int
  /// The channels handed over (palettes expanded, tRNS as alpha, CMYK as RGB), and the depth to
  /// write with: 16 where the file has 16, else 8.
  public let format: PixelFormat
  /// Bits of a stored sample, or of a palette index: 1, 2, 4, 8 or 16.
  public let storedBitDepth: Int
  /// Whether the file stores indices into a palette.
  public let isPalette: Bool
  /// Whether the rows of the file are interlaced (Adam7).
  public let isInterlaced: Bool
  /// Whether the inks of a CMYK file were converted, without its profile, to RGB.
  public let isConvertedFromCMYK: Bool
  /// Whether the stored picture is held in memory as a whole while it is read, as bytes: for
  /// interlaced PNG, and for JPEG whose orientation turns it or exchanges its rows.
  public let isHeldWhole: Bool
  /// What is carried to the file that is written.
  public let metadata: ImageMetadata
}
