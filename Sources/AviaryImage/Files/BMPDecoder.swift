import AviaryFiles

/// Reads BMP of every depth, palettes, bit fields and run lengths included, as gray or RGB, with alpha
/// where a bit field says so.
///
/// Source: Microsoft, "Bitmap Storage" (Windows GDI).
final class BMPDecoder: ImageDecoder {
  let stored: StoredImage
  private let file: InputFile
  private let header: BMPHeader
  /// Indices of an image of run lengths, from the bottom up, once they are decoded.
  private var indices: [UInt8] = []
  private var position = 0

  init(_ file: borrowing InputFile) throws(ImageError) {
    self.file = try file.copyForDecoder()
    let header = try BMPHeader(file)
    self.header = header
    var stored = StoredImage(
      width: header.width, height: header.height,
      format: PixelFormat(header.isGray ? .gray : .rgb, hasAlpha: header.masks[3] != 0),
      bitDepth: header.bits)
    stored.isPalette = !header.palette.isEmpty
    stored.heldBytes = header.isRunLength ? header.width * header.height : 0
    self.stored = stored
  }

  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata {
    let count = max(file.byteCount - header.start, 0)
    guard
      header.isRunLength
        ? stored.width * stored.height / BMPDecoder.largestRatio <= count
        : header.rowBytes * header.height <= count
    else { throw ImageLimits.cannotHold(stored, count, file.path) }
    var metadata = ImageMetadata()
    metadata.density = header.density
    if let profile = header.profile, profile.count <= ImageMetadata.mostBytes {
      let bytes = try file.read(at: profile.lowerBound, count: profile.count)
      if bytes.count == profile.count, stored.format.color == .rgb {
        metadata.icc = ICCProfile(name: "ICC profile", bytes: bytes, color: .rgb)
      }
    }
    return metadata
  }

  /// What a byte of run lengths can become: a few bytes may leave a whole image black.
  private static let largestRatio = 1 << 16

  func rows(_ count: Int) throws(ImageError) -> [UInt8] {
    if header.isRunLength, indices.isEmpty { indices = try decodedRunLengths() }
    var result: [UInt8] = []
    result.reserveCapacity(count * stored.rowBytes)
    for row in position..<position + count {
      let place = header.isTopDown ? row : header.height - 1 - row
      if header.isRunLength {
        for index in indices[place * header.width..<(place + 1) * header.width] {
          append(Int(index), to: &result)
        }
        continue
      }
      let bytes = try file.read(at: header.start + place * header.rowBytes, count: header.rowBytes)
      guard bytes.count == header.rowBytes else { throw damaged("the file ends too early") }
      append(bytes, to: &result)
    }
    position += count
    return result
  }

  private func damaged(_ reason: String) -> ImageError { .damaged(path: file.path, reason: reason) }

  /// A palette's colour; beyond its end, black, as viewers have it.
  private func append(_ index: Int, to result: inout [UInt8]) {
    let color = index < header.palette.count ? header.palette[index] : [0, 0, 0]
    if header.isGray { result.append(color[0]) } else { result += color }
  }

  private func append(_ row: [UInt8], to result: inout [UInt8]) {
    switch header.bits {
    case 1, 2, 4, 8:
      let mask = (1 << header.bits) - 1
      for x in 0..<header.width {
        let bit = x * header.bits
        append(Int(row[bit >> 3]) >> (8 - header.bits - bit & 7) & mask, to: &result)
      }
    case 24:
      for x in 0..<header.width { result += [row[3 * x + 2], row[3 * x + 1], row[3 * x]] }
    default:
      let bytes = header.bits / 8
      for x in 0..<header.width {
        let word = (0..<bytes).reduce(UInt32(0)) { $0 | UInt32(row[x * bytes + $1]) << (8 * $1) }
        // A colour without bits is black; alpha without bits is no channel.
        for (channel, mask) in header.masks.enumerated() where channel < 3 || mask != 0 {
          result.append(mask == 0 ? 0 : BMPDecoder.sample(word, mask))
        }
      }
    }
  }

  /// The bits of a word under a mask, as a sample of 8 bits.
  private static func sample(_ word: UInt32, _ mask: UInt32) -> UInt8 {
    let value = UInt64((word & mask) >> mask.trailingZeroBitCount)
    let largest = UInt64(mask >> mask.trailingZeroBitCount)
    return UInt8((value * 255 + largest / 2) / largest)
  }

  /// All indices, from the bottom up; what is left out is 0.
  private func decodedRunLengths() throws(ImageError) -> [UInt8] {
    let bytes = try file.read(at: header.start, count: file.byteCount - header.start)
    let (width, height) = (header.width, header.height)
    var result = [UInt8](repeating: 0, count: width * height)
    var (x, y, place) = (0, 0, 0)
    func put(_ index: UInt8) {
      if x < width, y < height { result[y * width + x] = index }
      x += 1
    }
    func nibble(_ byte: UInt8, _ i: Int) -> UInt8 {
      header.bits == 8 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15
    }
    while y < height {
      guard place + 1 < bytes.count else { throw damaged("the file ends too early") }
      let (count, value) = (Int(bytes[place]), bytes[place + 1])
      place += 2
      guard count == 0 else {
        for i in 0..<count { put(nibble(value, i)) }
        continue
      }
      switch value {
      case 0: (x, y) = (0, y + 1)
      case 1: return result
      case 2:
        guard place + 1 < bytes.count else { throw damaged("the file ends too early") }
        x += Int(bytes[place])
        y += Int(bytes[place + 1])
        place += 2
      default:
        // Indices as they are, filled up to whole words.
        let length = (Int(value) * header.bits + 7) / 8
        guard place + length <= bytes.count else { throw damaged("the file ends too early") }
        for i in 0..<Int(value) {
          put(nibble(bytes[place + i * header.bits / 8], i))
        }
        place += length + length % 2
      }
    }
    return result
  }
}

/// The headers of a BMP file.
private struct BMPHeader {
  var width = 0
  var height = 0
  var bits = 0
  var isTopDown = false
  var isRunLength = false
  /// Of red, green, blue and alpha, for 16 and 32 bits; of 24 bits all but alpha are above 0.
  var masks: [UInt32] = [1, 1, 1, 0]
  /// Red, green, blue.
  var palette: [[UInt8]] = []
  /// Whether all colours of the palette are gray.
  var isGray = false
  /// Where the pixels begin.
  var start = 0
  var density: ImageDensity?
  /// Where the ICC profile stands.
  var profile: Range<Int>?

  /// Bytes of a row, filled up to whole words of 32 bits.
  var rowBytes: Int { (width * bits + 31) / 32 * 4 }

  init(_ file: borrowing InputFile) throws(ImageError) {
    let path = file.path
    let bytes = try file.read(at: 0, count: 14 + 256)
    func number(_ offset: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) {
        $0 | Int(offset + $1 < bytes.count ? bytes[offset + $1] : 0) << (8 * $1)
      }
    }
    func signed(_ offset: Int) -> Int { Int(Int32(truncatingIfNeeded: number(offset, 4))) }
    func damaged(_ reason: String) -> ImageError { .damaged(path: path, reason: reason) }
    start = number(10, 4)
    let size = number(14, 4)
    guard size == 12 || (40...200).contains(size), bytes.count >= 14 + min(size, 40) else {
      throw damaged("a header of \(size) bytes")
    }
    let isCore = size == 12
    (width, height) = isCore ? (number(18, 2), number(20, 2)) : (signed(18), signed(22))
    isTopDown = height < 0
    height = abs(height)
    bits = number(isCore ? 24 : 28, 2)
    let compression = isCore ? 0 : number(30, 4)
    guard width > 0, height > 0 else { throw damaged("\(width)x\(height) pixels") }
    guard [1, 2, 4, 8, 16, 24, 32].contains(bits) else { throw damaged("\(bits) bits a pixel") }
    var masksAfter = 0
    switch (compression, bits) {
    case (0, _):
      masks = bits == 16 ? [0x7C00, 0x3E0, 0x1F, 0] : bits == 32 ? BMPHeader.usual : masks
    case (1, 8), (2, 4): isRunLength = true
    case (3, 16), (3, 32), (6, 16), (6, 32):
      let hasAlpha = size >= 56 || compression == 6
      masks = (0..<4).map { $0 < 3 || hasAlpha ? UInt32(number(54 + 4 * $0, 4)) : 0 }
      if size == 40 { masksAfter = compression == 6 ? 16 : 12 }
      guard masks[..<3].contains(where: { $0 != 0 }) else {
        throw damaged("bit fields without bits")
      }
    default:
      throw damaged("compression \(compression) with \(bits) bits a pixel, which is not read")
    }
    guard !(isRunLength && isTopDown) else { throw damaged("run lengths from the top down") }
    if bits <= 8 {
      let (entry, first) = (isCore ? 3 : 4, 14 + size + masksAfter)
      let used = isCore ? 0 : number(46, 4)
      // As many as fit before the pixels, whatever is said.
      let count = min(
        used > 0 ? used : 1 << bits, 1 << bits, max(start - first, 0) / entry)
      guard count > 0 else { throw damaged("the palette is missing") }
      let colors = try file.read(at: first, count: count * entry)
      guard colors.count == count * entry else { throw damaged("the palette ends too early") }
      palette = (0..<count).map {
        [colors[$0 * entry + 2], colors[$0 * entry + 1], colors[$0 * entry]]
      }
      isGray = palette.allSatisfy { $0[0] == $0[1] && $0[1] == $0[2] }
    }
    guard start >= 14 + size else { throw damaged("the pixels begin within the header") }
    if !isCore, signed(38) > 0, signed(42) > 0 {
      density = ImageDensity(x: UInt32(signed(38)), y: UInt32(signed(42)), isPerMetre: true)
    }
    // "MBED"; its place counts from the second header on.
    if size >= 124, number(14 + 56, 4) == 0x4D42_4544 {
      let (place, length) = (14 + number(14 + 112, 4), number(14 + 116, 4))
      if length > 0, place + length <= file.byteCount { profile = place..<place + length }
    }
  }

  /// Of 32 bits without fields; the fourth byte means nothing.
  private static let usual: [UInt32] = [0xFF_0000, 0xFF00, 0xFF, 0]
}
