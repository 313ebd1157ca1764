/// What files of a format can hold.
struct ImageCapacity: Sendable {
  /// What is beside the pixels.
  enum Part: String, CaseIterable, Sendable {
    case icc = "the ICC profile"
    case exif = "EXIF"
    case xmp = "XMP"
    case iptc = "IPTC"
    case text
    case density = "the density"
    case codePoints = "cICP"
    case gamma = "gAMA and cHRM"

    /// The same in a list.
    var name: String { rawValue.hasPrefix("the ") ? String(rawValue.dropFirst(4)) : rawValue }
  }

  /// The depths, the least first.
  var depths: [BitDepth]
  /// The one colour model that is written; nil where it is the image's own.
  var color: ColorModel?
  /// Whether alpha is among the channels.
  var holdsAlpha: Bool
  /// What is beside the pixels, and how long each may be at most.
  var parts: [Part: Int]
  /// Pixels on a side.
  var side = ImageLimits.side

  /// Parts of any length.
  static func all(_ parts: [Part]) -> [Part: Int] {
    Dictionary(uniqueKeysWithValues: parts.map { ($0, Int.max) })
  }

  /// What of an image a file holds, and the words for what it does not.
  func holding(
    _ format: PixelFormat, _ metadata: ImageMetadata
  ) -> (format: PixelFormat, metadata: ImageMetadata, dropped: [String]) {
    var format = format
    format.color = color ?? format.color
    var (metadata, dropped) = (metadata.fitting(format.color), metadata.unfit(for: format.color))
    if format.hasAlpha, !holdsAlpha {
      format.hasAlpha = false
      dropped.append("alpha (composed over white)")
    }
    if !depths.contains(format.bitDepth) {
      // The next below, or the least there is.
      let written = depths.last { $0.rawValue < format.bitDepth.rawValue } ?? depths[0]
      if written.rawValue < format.bitDepth.rawValue {
        dropped.append("\(format.bitDepth.words) (written with \(written.words))")
      }
      format.bitDepth = written
    }
    for part in Part.allCases {
      let length = metadata.length(of: part)
      guard length > 0, length > parts[part] ?? 0 else { continue }
      // What says that colours are the customary ones says nothing new where it is left out.
      if part != .gamma || !metadata.isCustomaryColour { dropped.append(part.rawValue) }
      metadata.remove(part)
    }
    return (format, metadata, dropped)
  }
}

extension BitDepth {
  fileprivate var words: String { self == .float ? "floats" : "\(rawValue) bits" }
}

extension ImageMetadata {
  /// Bytes that a part takes, or the number of things in it; 0 where it is not there.
  fileprivate func length(of part: ImageCapacity.Part) -> Int {
    switch part {
    case .icc: icc?.bytes.count ?? 0
    case .exif: exif?.count ?? 0
    case .xmp: xmp?.count ?? 0
    case .iptc: iptc?.count ?? 0
    case .text: text.map(\.text.utf8.count).max().map { $0 + 1 } ?? 0
    case .density: density == nil ? 0 : 1
    case .codePoints: cicp == nil ? 0 : 1
    case .gamma: gamma == nil && chromaticities == nil && srgbIntent == nil ? 0 : 1
    }
  }

  fileprivate mutating func remove(_ part: ImageCapacity.Part) {
    switch part {
    case .icc: icc = nil
    case .exif: exif = nil
    case .xmp: xmp = nil
    case .iptc: iptc = nil
    case .text: text = []
    case .density: density = nil
    case .codePoints: cicp = nil
    case .gamma: (gamma, chromaticities, srgbIntent) = (nil, nil, nil)
    }
  }

  /// Whether gamma and primaries, where they are stated, are those of sRGB.
  fileprivate var isCustomaryColour: Bool {
    if srgbIntent != nil { return true }
    let primaries: [UInt32] = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000]
    return (gamma.map { (45_000...46_000).contains($0) } ?? true)
      && (chromaticities.map { zip($0, primaries).allSatisfy { abs(Int($0) - Int($1)) <= 100 } }
        ?? true)
  }
}

extension Image {
  /// The image over white, without alpha.
  func composedOverWhite() throws(ImageError) -> Image {
    guard format.hasAlpha else { return self }
    let (colors, count) = (format.color.channels, width * height)
    var result = try opaque
    unsafe result.withMutableFloats { target in
      unsafe withFloats { source in
        for channel in 0..<colors {
          for i in 0..<count {
            let alpha = unsafe min(max(source[colors * count + i], 0), 1)
            unsafe target[channel * count + i] =
              unsafe source[channel * count + i] * alpha + (1 - alpha)
          }
        }
      }
    }
    return result
  }
}
