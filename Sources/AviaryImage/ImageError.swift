import AviaryFiles

/// What can go wrong with images: files that are not images, damage, sizes, full disks.
public enum ImageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or read; `reason` is the system's.
  case cannotRead(path: String, reason: String)
  /// The file's content is not an image that can be read; `found` says what it is.
  case notAnImage(path: String, found: String)
  /// The file holds an animation, of which one image would be no more than a part.
  case animation(path: String, frames: Int)
  /// A page was asked for, of a format that has none.
  case noPages(path: String, format: String)
  /// An image of floats has values beyond those that stand for black and white.
  case range(path: String, least: Float, most: Float)
  /// The file is damaged or cut off; `reason` is the codec's or ours.
  case damaged(path: String, reason: String)
  /// The header asks for more than is read.
  case tooLarge(path: String, width: Int, height: Int, channels: Int, limit: String)
  /// The file cannot be written; `reason` is the system's. Nothing is left behind, and a file that
  /// was there before is whole.
  case cannotWrite(path: String, reason: String)
  /// A size that no image can have.
  case invalidSize(width: Int, height: Int, channels: Int)
  /// Something has another size than it must have.
  case sizeMismatch(thing: String, expected: String, found: String)
  /// Something has other channels than it must have.
  case formatMismatch(thing: String, expected: String, found: String)
  /// There is no way from one colour model to the other.
  case noConversion(from: ColorModel, to: ColorModel)
  /// A scale factor that is not a positive fraction.
  case invalidScale(numerator: Int, denominator: Int)

  /// The same as this module says it.
  init(_ error: FileError) {
    self =
      switch error {
      case .cannotRead(let path, let reason): .cannotRead(path: path, reason: reason)
      case .cannotWrite(let path, let reason): .cannotWrite(path: path, reason: reason)
      }
  }

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .cannotRead(let path, let reason):
      FileError.cannotRead(path: path, reason: reason).description
    case .notAnImage(let path, let found):
      "\(path): expected \(ImageFormat.list(ImageFormat.readable)), found \(found)"
    case .animation(let path, let frames):
      "\(path): an animation of \(frames) images, of which none is enlarged; take its images apart first"
    case .noPages(let path, let format):
      "\(path): --page is for TIFF, found \(format), which has one image"
    case .range(let path, let least, let most):
      "\(path): expected values from 0 (black) to 1 (white), found \(least) to \(most)"
    case .damaged(let path, let reason):
      "\(path): damaged image: \(reason)"
    case .tooLarge(let path, let width, let height, let channels, let limit):
      "\(path): expected \(limit), found \(width)x\(height) with \(Text.channels(channels))"
    case .cannotWrite(let path, let reason):
      FileError.cannotWrite(path: path, reason: reason).description
    case .invalidSize(let width, let height, let channels):
      "image: expected at most 2^31 samples, found \(width)x\(height) with \(Text.channels(channels))"
    case .sizeMismatch(let thing, let expected, let found),
      .formatMismatch(let thing, let expected, let found):
      "\(thing): expected \(expected), found \(found)"
    case .noConversion(let from, let to):
      "colour: no conversion from \(from) to \(to)"
    case .invalidScale(let numerator, let denominator):
      "scale: expected a fraction of numbers from 1 to 1048576, found \(numerator)/\(denominator)"
    }
  }

  private enum Text {
    static func channels(_ count: Int) -> String { count == 1 ? "1 channel" : "\(count) channels" }
  }
}
