/// What the colour channels of an image mean.
public enum ColorModel: String, CaseIterable, Codable, Hashable, Sendable {
  /// Gray values over the full range, one channel.
  case gray
  /// Red, green and blue as stored in the file (no conversion to linear light), three channels.
  case rgb
  /// The Y of BT.601 in studio range (16/255 to 235/255), one channel. Of a gray picture it is the
  /// gray value itself: see `Image.converted(to:)`.
  case luma
  /// Y, Cb, Cr of BT.601 in studio range, as MATLAB's `rgb2ycbcr` gives them, three channels.
  case ycbcr
  /// Y, Cb, Cr over the full range as in JPEG files (JFIF), three channels.
  case fullRangeYCbCr

  /// The colour channels, without alpha.
  public var channels: Int {
    switch self {
    case .gray, .luma: 1
    case .rgb, .ycbcr, .fullRangeYCbCr: 3
    }
  }
}
