/// How the camera was held: what must be done to the stored picture to see it upright
/// (EXIF 2.3, tag 0x0112).
enum Orientation: Int, CaseIterable, Sendable {
  case upright = 1
  case mirrored
  case turned
  case flipped
  case transposed
  case clockwise
  case transversed
  case counterclockwise

  /// Whether width and height change places.
  var exchangesSides: Bool { rawValue >= 5 }

  /// Whether the upright picture can be handed over while the stored one is read.
  var keepsRowOrder: Bool { self == .upright || self == .mirrored }

  /// Where upright pixels are in the stored picture, whose sides are given.
  func layout(width: Int, height: Int, rowBytes: Int, pixelBytes: Int) -> Samples.Layout {
    let lastRow = (height - 1) * rowBytes
    let lastColumn = (width - 1) * pixelBytes
    return switch self {
    case .upright: .init(origin: 0, rowStep: rowBytes, columnStep: pixelBytes)
    case .mirrored: .init(origin: lastColumn, rowStep: rowBytes, columnStep: -pixelBytes)
    case .turned:
      .init(origin: lastRow + lastColumn, rowStep: -rowBytes, columnStep: -pixelBytes)
    case .flipped: .init(origin: lastRow, rowStep: -rowBytes, columnStep: pixelBytes)
    case .transposed: .init(origin: 0, rowStep: pixelBytes, columnStep: rowBytes)
    case .clockwise: .init(origin: lastRow, rowStep: pixelBytes, columnStep: -rowBytes)
    case .transversed:
      .init(origin: lastRow + lastColumn, rowStep: -pixelBytes, columnStep: -rowBytes)
    case .counterclockwise:
      .init(origin: lastColumn, rowStep: -pixelBytes, columnStep: rowBytes)
    }
  }
}
