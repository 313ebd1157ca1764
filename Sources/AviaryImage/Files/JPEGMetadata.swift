import CImageCodecs

/// What a JPEG says besides pixels and EXIF data, as PNG chunks.
enum JPEGMetadata {
  static func chunks(_ decoder: borrowing Decoder) -> [PNGChunk] {
    var chunks: [PNGChunk] = []
    // The profile of inks says nothing about RGB.
    if decoder.info.is_cmyk == 0, let profile = decoder.iccProfile,
      profile.count <= PNGChunk.maximumLength
    {
      chunks.append(.iccProfile(profile))
    }
    let (x, y) = (Double(decoder.info.density_x), Double(decoder.info.density_y))
    if x > 0, y > 0 {
      switch decoder.info.density_unit {
      case 1: chunks.append(density(x / 0.0254, y / 0.0254))
      case 2: chunks.append(density(x * 100, y * 100))
      default: break
      }
    }
    return chunks
  }

  /// JFIF densities have 16 bits: no product leaves UInt32.
  private static func density(_ x: Double, _ y: Double) -> PNGChunk {
    .density(x: UInt32(x.rounded()), y: UInt32(y.rounded()))
  }
}
