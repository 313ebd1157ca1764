/// What an image file says besides pixels, carried to the file that is written.
public struct ImageMetadata: Hashable, Sendable {
  /// How colours are meant, by a profile.
  public var icc: ICCProfile?
  /// EXIF data, beginning with its byte order.
  public var exif: [UInt8]?
  /// An XMP packet.
  public var xmp: [UInt8]?
  /// A record of IPTC's information interchange model.
  public var iptc: [UInt8]?
  /// Texts, in their order.
  public var text: [ImageText] = []
  /// How large the image is on paper.
  public var density: ImageDensity?
  /// How colours are meant, by code points.
  public var cicp: CodePoints?
  /// The gamma of an encoder, times 100000.
  public var gamma: UInt32?
  /// White point, red, green and blue as x and y, times 100000: eight numbers.
  public var chromaticities: [UInt32]?
  /// Colours are those of sRGB, with this rendering intent.
  public var srgbIntent: UInt8?

  /// Nothing.
  public init() {}

  /// Pixels per metre, across and down; nil where the file does not say.
  public var pixelsPerMetre: (x: Int, y: Int)? {
    density.flatMap { $0.isPerMetre ? (Int($0.x), Int($0.y)) : nil }
  }

  /// Beyond so many bytes nothing is carried, neither one thing nor all texts together.
  static let mostBytes = 1 << 24

  /// What an image of the given colour may carry: all but a profile for another colour.
  func fitting(_ color: ColorModel) -> ImageMetadata {
    var metadata = self
    if let profile = icc, profile.color != color { metadata.icc = nil }
    return metadata
  }

  /// The words for what an image of the given colour may not carry.
  func unfit(for color: ColorModel) -> [String] {
    guard let profile = icc, profile.color != color else { return [] }
    let other = profile.color.map { "\($0)" } ?? "other colours"
    return ["an ICC profile for \(other) in an image of \(color)"]
  }

  /// Leaves out what is too long to carry.
  mutating func limit() {
    if let bytes = icc?.bytes.count, bytes > ImageMetadata.mostBytes { icc = nil }
    if let bytes = exif?.count, bytes > ImageMetadata.mostBytes { exif = nil }
    if let bytes = xmp?.count, bytes > ImageMetadata.mostBytes { xmp = nil }
    if let bytes = iptc?.count, bytes > ImageMetadata.mostBytes { iptc = nil }
    var total = 0
    text = text.filter { text in
      total += text.text.utf8.count
      return total <= ImageMetadata.mostBytes
    }
  }
}

/// An ICC profile.
public struct ICCProfile: Hashable, Sendable {
  /// What the file calls it: 1 to 79 letters of Latin-1.
  public var name: String
  /// The profile itself, not compressed.
  public var bytes: [UInt8]
  /// The colours that it is for: a profile for gray fits no RGB image, nor the other way round. Nil
  /// for colours that no image here has, such as inks.
  public var color: ColorModel?

  /// A profile.
  ///
  /// - Parameter color: of the image that it stood in, where the profile itself does not say.
  public init(name: String, bytes: [UInt8], color: ColorModel) {
    (self.name, self.bytes) = (name, bytes)
    // A header has 128 bytes, with the colours from 16 on and "acsp" from 36 on (ICC.1:2022, 7.2).
    guard bytes.count >= 128, bytes[36..<40].elementsEqual("acsp".utf8) else {
      self.color = color
      return
    }
    let space = String(decoding: bytes[16..<20], as: UTF8.self)
    self.color = space == "GRAY" ? .gray : space == "RGB " ? .rgb : nil
  }
}

/// Pixels per metre, or, without a unit, the sides of a pixel in proportion.
public struct ImageDensity: Hashable, Sendable {
  /// Across.
  public var x: UInt32
  /// Down.
  public var y: UInt32
  /// Whether the unit is the metre.
  public var isPerMetre: Bool

  /// A density.
  public init(x: UInt32, y: UInt32, isPerMetre: Bool) {
    (self.x, self.y, self.isPerMetre) = (x, y, isPerMetre)
  }

  /// That of the image turned by a quarter.
  var turned: ImageDensity { ImageDensity(x: y, y: x, isPerMetre: isPerMetre) }
}

/// Coding-independent code points (ITU-T H.273).
public struct CodePoints: Hashable, Sendable {
  /// Colour primaries.
  public var primaries: UInt8
  /// Transfer characteristics.
  public var transfer: UInt8
  /// Matrix coefficients.
  public var matrix: UInt8
  /// 1 where values use their full range.
  public var fullRange: UInt8

  /// Code points.
  public init(primaries: UInt8, transfer: UInt8, matrix: UInt8, fullRange: UInt8) {
    (self.primaries, self.transfer) = (primaries, transfer)
    (self.matrix, self.fullRange) = (matrix, fullRange)
  }
}

/// A text in an image file.
public struct ImageText: Hashable, Sendable {
  /// What the text is: 1 to 79 letters of Latin-1, such as `Author`, `Comment`.
  public var keyword: String
  /// The text.
  public var text: String
  /// The language (RFC 3066); empty where it is not stated.
  public var language = ""
  /// The keyword in that language; empty where it is not stated.
  public var translatedKeyword = ""

  /// A text.
  public init(
    keyword: String, text: String, language: String = "", translatedKeyword: String = ""
  ) {
    (self.keyword, self.text) = (keyword, text)
    (self.language, self.translatedKeyword) = (language, translatedKeyword)
  }

  /// Text of an encoding that nothing states: UTF-8 where it is that, else Latin-1.
  static func decoded(_ bytes: [UInt8]) -> String {
    String(validating: bytes, as: UTF8.self) ?? String(latin1: bytes[...])
  }
}

extension String {
  /// Text whose bytes are the first 256 characters of Unicode.
  init(latin1 bytes: ArraySlice<UInt8>) {
    self.init(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }

  /// The bytes of Latin-1; nil where a character is not among its 256.
  var latin1: [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
