import AviaryFiles

/// Reads the formats of Netpbm: PBM, PGM and PPM, as text or bytes, PAM, and PFM with floats.
///
/// Source: netpbm.sourceforge.net/doc (pbm, pgm, ppm, pam); PFM as Debevec's and Netpbm's pamtopfm.
final class PNMDecoder: ImageDecoder {
  let stored: StoredImage
  private let file: InputFile
  private let header: PNMHeader
  /// All of a file whose samples are text, and where in it the next begins.
  private var text: [UInt8] = []
  private var place = 0
  private var position = 0

  init(_ file: borrowing InputFile) throws(ImageError) {
    self.file = try file.copyForDecoder()
    let header = try PNMHeader(file)
    self.header = header
    var stored = StoredImage(
      width: header.width, height: header.height, format: header.format, bitDepth: header.bits)
    stored.heldBytes = header.isText ? file.byteCount : 0
    if try header.isFollowedByAnother(file) {
      stored.remarks.append("the first of several images; take them apart to read the others")
    }
    if header.hasComments { stored.remarks.append("comments cannot be carried") }
    self.stored = stored
  }

  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata {
    let count = max(file.byteCount - header.start, 0)
    // Every sample of a text has a digit, and all but bits have a space, but for the last.
    let samples = stored.width * stored.height * stored.format.channels
    let least =
      header.isText
      ? (header.bits == 1 ? samples : 2 * samples - 1)
      : header.rowBytes * header.height
    guard least <= count else { throw ImageLimits.cannotHold(stored, count, file.path) }
    return ImageMetadata()
  }

  func rows(_ count: Int) throws(ImageError) -> [UInt8] {
    if header.isText, text.isEmpty {
      text = try file.read(at: header.start, count: file.byteCount - header.start)
    }
    var result: [UInt8] = []
    result.reserveCapacity(count * stored.rowBytes)
    for row in position..<position + count {
      if header.isText {
        for _ in 0..<header.width * header.format.channels { append(try number(), to: &result) }
        continue
      }
      // Floats begin at the bottom.
      let stored = header.isFloat ? header.height - 1 - row : row
      let bytes = try file.read(at: header.start + stored * header.rowBytes, count: header.rowBytes)
      guard bytes.count == header.rowBytes else { throw damaged("the file ends too early") }
      try append(bytes, to: &result)
    }
    position += count
    return result
  }

  private func damaged(_ reason: String) -> ImageError { .damaged(path: file.path, reason: reason) }

  private func append(_ row: [UInt8], to result: inout [UInt8]) throws(ImageError) {
    let samples = header.width * header.format.channels
    if header.isFloat {
      for i in 0..<samples {
        let value = (0..<4).reduce(UInt32(0)) {
          $0 | UInt32(row[4 * i + $1]) << (header.isLittleEndian ? 8 * $1 : 24 - 8 * $1)
        }
        unsafe withUnsafeBytes(of: value) { unsafe result.append(contentsOf: $0) }
      }
    } else if header.bits == 1, !header.isPAM {
      // 1 is black.
      for x in 0..<samples { result.append(row[x >> 3] >> (7 - x & 7) & 1 == 1 ? 0 : 255) }
    } else if header.maximum == 255 {
      result += row
    } else {
      let isWide = header.maximum > 255
      for i in 0..<samples {
        append(
          try checked(isWide ? Int(row[2 * i]) << 8 | Int(row[2 * i + 1]) : Int(row[i])),
          to: &result)
      }
    }
  }

  private func checked(_ value: Int) throws(ImageError) -> Int {
    guard value <= header.maximum else {
      throw damaged("a sample of \(value), above the largest, \(header.maximum)")
    }
    return value
  }

  /// The next number of a text; of bits, the next digit, 1 being black.
  private func number() throws(ImageError) -> Int {
    while place < text.count, PNMHeader.isSpace(text[place]) || text[place] == 0x23 {
      // A comment goes to the end of its line.
      if text[place] == 0x23 {
        place = text[place...].firstIndex(of: 0x0A) ?? text.count - 1
      }
      place += 1
    }
    guard place < text.count else { throw damaged("the file ends too early") }
    var value = 0, first = place
    while place < text.count, case 0x30...0x39 = text[place], place - first < 6 {
      value = 10 * value + Int(text[place] - 0x30)
      place += 1
      if header.bits == 1 { break }
    }
    guard place > first else { throw damaged("no number at byte \(header.start + place)") }
    first = try checked(value)
    return header.bits == 1 ? 1 - first : first
  }

  /// A number from 0 to the largest as a sample of 8 or 16 bits.
  private func append(_ value: Int, to result: inout [UInt8]) {
    let full = header.format.bitDepth.maximum
    let sample = (value * full + header.maximum / 2) / header.maximum
    if header.format.bitDepth == .eight {
      result.append(UInt8(sample))
    } else {
      unsafe withUnsafeBytes(of: UInt16(sample)) { unsafe result.append(contentsOf: $0) }
    }
  }
}

/// What stands before the samples.
private struct PNMHeader {
  var width = 0
  var height = 0
  var format = PixelFormat(.gray)
  /// Of a sample.
  var bits = 8
  /// The sample that is white.
  var maximum = 1
  var isText = false
  var isFloat = false
  var isPAM = false
  var isLittleEndian = false
  var hasComments = false
  /// Where the samples begin.
  var start = 0

  /// Bytes of a row; text has none.
  var rowBytes: Int {
    let samples = width * format.channels
    return bits == 1 && !isPAM ? (samples + 7) / 8 : samples * (isFloat ? 4 : maximum > 255 ? 2 : 1)
  }

  /// Whether another image begins where the samples end. Text has one only.
  func isFollowedByAnother(_ file: borrowing InputFile) throws(ImageError) -> Bool {
    let (count, overflow) = rowBytes.multipliedReportingOverflow(by: height)
    guard !isText, !overflow, count < file.byteCount else { return false }
    let next = try file.read(at: start + count, count: 3)
    return ImageFormat.reading(next) != nil
  }

  static func isSpace(_ byte: UInt8) -> Bool { (9...13).contains(byte) || byte == 32 }

  init(_ file: borrowing InputFile) throws(ImageError) {
    let path = file.path
    // Comments may be long, and not this long.
    let bytes = try file.read(at: 0, count: 1 << 16)
    var place = 2
    func damaged(_ reason: String) -> ImageError { .damaged(path: path, reason: reason) }
    /// The next word before the samples, comments left out.
    func word() throws(ImageError) -> String {
      while place < bytes.count, PNMHeader.isSpace(bytes[place]) || bytes[place] == 0x23 {
        if bytes[place] == 0x23 {
          hasComments = true
          while place < bytes.count, bytes[place] != 0x0A { place += 1 }
        } else {
          place += 1
        }
      }
      let first = place
      while place < bytes.count, !PNMHeader.isSpace(bytes[place]), place - first < 64 { place += 1 }
      guard place > first, place < bytes.count else { throw damaged("the header ends too early") }
      return String(decoding: bytes[first..<place], as: UTF8.self)
    }
    func number(_ what: String, upTo most: Int) throws(ImageError) -> Int {
      let text = try word()
      guard let value = Int(text), (1...most).contains(value) else {
        throw damaged("\(what): expected 1 to \(most), found \(text)")
      }
      return value
    }
    let kind = bytes.count > 1 ? bytes[1] : 0
    if kind == UInt8(ascii: "7") {
      isPAM = true
      var channels = 0, kind = ""
      reading: while true {
        let name = try word()
        switch name {
        case "WIDTH": width = try number(name, upTo: .max >> 32)
        case "HEIGHT": height = try number(name, upTo: .max >> 32)
        case "DEPTH": channels = try number(name, upTo: 255)
        case "MAXVAL": maximum = try number(name, upTo: 65535)
        case "TUPLTYPE": kind = try word()
        case "ENDHDR": break reading
        default: throw damaged("an unknown word in the header: \(name)")
        }
      }
      guard (1...4).contains(channels), width > 0, height > 0 else {
        throw damaged("\(width)x\(height) pixels of \(channels) channels")
      }
      let depths = [
        "BLACKANDWHITE": 1, "GRAYSCALE": 1, "RGB": 3, "": channels, "BLACKANDWHITE_ALPHA": 2,
        "GRAYSCALE_ALPHA": 2, "RGB_ALPHA": 4,
      ]
      guard let depth = depths[kind] else { throw damaged("tuples of kind \(kind)") }
      guard channels == depth else {
        throw damaged("tuples of kind \(kind): expected a depth of \(depth), found \(channels)")
      }
      format = PixelFormat(channels < 3 ? .gray : .rgb, hasAlpha: channels % 2 == 0)
    } else {
      isFloat = kind == UInt8(ascii: "F") || kind == UInt8(ascii: "f")
      isText = (UInt8(ascii: "1")...UInt8(ascii: "3")).contains(kind)
      let isColour = [UInt8(ascii: "3"), UInt8(ascii: "6"), UInt8(ascii: "F")].contains(kind)
      let isBits = [UInt8(ascii: "1"), UInt8(ascii: "4")].contains(kind)
      format = PixelFormat(isColour ? .rgb : .gray)
      width = try number("width", upTo: .max >> 32)
      height = try number("height", upTo: .max >> 32)
      if isFloat {
        let text = try word()
        guard let scale = Double(text), scale != 0, scale.isFinite else {
          throw damaged("scale: expected a number other than 0, found \(text)")
        }
        isLittleEndian = scale < 0
      } else if isBits {
        bits = 1
      } else {
        maximum = try number("largest sample", upTo: 65535)
      }
    }
    // A single space, or the end of a line.
    start = place + 1
    if isFloat {
      (format.bitDepth, bits) = (.float, 32)
    } else if maximum > 255 {
      (format.bitDepth, bits) = (.sixteen, 16)
    }
  }
}
