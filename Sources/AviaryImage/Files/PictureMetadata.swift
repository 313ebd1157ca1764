/// What a picture file says besides pixels, carried to the file that is written: ICC profile,
/// gamma, chromaticities, sRGB and cICP marks, pixels per metre, EXIF data.
///
/// It is kept as the PNG chunks that hold it, byte for byte.
public struct PictureMetadata: Hashable, Sendable {
  var chunks: [PNGChunk]
  /// What the profile speaks of: one for gray fits no RGB picture, nor the other way round.
  var profileColor: ColorModel

  /// Nothing.
  public init() {
    self.init(chunks: [], profileColor: .rgb)
  }

  init(chunks: [PNGChunk], profileColor: ColorModel) {
    self.chunks = chunks
    self.profileColor = profileColor
  }

  /// The types of the PNG chunks held, such as `iCCP`, `gAMA`, `sRGB`, `cHRM`, `cICP`, `pHYs`,
  /// `eXIf`.
  public var chunkTypes: [String] { chunks.map(\.type) }

  /// The EXIF data, beginning with its byte order; nil where there is none.
  public var exif: [UInt8]? { data("eXIf") }

  /// Pixels per metre, across and down; nil where the file does not say.
  public var pixelsPerMetre: (x: Int, y: Int)? {
    guard let data = data("pHYs"), data[8] == 1 else { return nil }
    func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
    return (number(data[0..<4]), number(data[4..<8]))
  }

  /// What a picture of the given colour may carry: all but a profile for another colour.
  func chunks(for color: ColorModel) -> [PNGChunk] {
    chunks.filter { $0.type != "iCCP" || color == profileColor }
  }

  private func data(_ type: String) -> [UInt8]? { chunks.first { $0.type == type }?.data }
}
