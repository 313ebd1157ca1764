import CImageCodecs

/// The colours of an ICC profile of RGB, and the way from them to those of sRGB and back.
///
/// Networks are trained with sRGB; the values of an image of a wide gamut mean other colours.
/// - Note: `@unchecked Sendable`: what the pointer leads to is only read after it was made, and the
///   library keeps nothing between two calls.
@safe package final class ProfileColors: @unchecked Sendable {
  private let colors: OpaquePointer
  /// Whether its colours are those of sRGB, within a step of 8 bits.
  package let isSRGB: Bool
  /// Whether colours come back from sRGB as they were, within a quarter of a step of 8 bits.
  package let isReversible: Bool

  /// Nil for a profile that is damaged, or not of RGB.
  package init?(_ profile: ICCProfile) {
    var (deviation, loss) = (0.0, 0.0)
    let opened = unsafe profile.bytes.withUnsafeBufferPointer {
      unsafe cimg_open_colors($0.baseAddress, $0.count, &deviation, &loss)
    }
    guard let opened = unsafe opened else { return nil }
    unsafe colors = unsafe opened
    isSRGB = deviation < 1 / 255.0
    isReversible = loss < 0.25 / 255
  }

  deinit { unsafe cimg_close_colors(colors) }

  /// An image of RGB in sRGB; alpha stays. What sRGB does not have is below 0 or above 1.
  package func toSRGB(_ image: Image) -> Image { converted(image, isBack: false) }

  /// An image of sRGB in these colours.
  package func fromSRGB(_ image: Image) -> Image { converted(image, isBack: true) }

  private func converted(_ image: Image, isBack: Bool) -> Image {
    guard image.format.color == .rgb else { return image }
    var result = image
    let (width, height) = (image.width, image.height)
    unsafe result.withMutableFloats {
      unsafe cimg_convert_colors(colors, isBack ? 1 : 0, $0.baseAddress, width, height)
    }
    return result
  }
}
