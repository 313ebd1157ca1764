/// Frames with their times as a stream of Matroska (RFC 9559): the simplest container of raw frames
/// that ffmpeg reads from a pipe and that has a time for each.
enum RawMatroska {
  /// The bytes of a frame that ffmpeg reads: below 2^28.
  static let mostBytes = 1 << 28 - 1

  /// Elements by their numbers.
  private enum Element {
    static let ebml: [UInt8] = [0x1A, 0x45, 0xDF, 0xA3]
    static let version: [UInt8] = [0x42, 0x86]
    static let readVersion: [UInt8] = [0x42, 0xF7]
    static let mostNumberBytes: [UInt8] = [0x42, 0xF2]
    static let mostSizeBytes: [UInt8] = [0x42, 0xF3]
    static let kind: [UInt8] = [0x42, 0x82]
    static let kindVersion: [UInt8] = [0x42, 0x87]
    static let kindReadVersion: [UInt8] = [0x42, 0x85]
    static let segment: [UInt8] = [0x18, 0x53, 0x80, 0x67]
    static let info: [UInt8] = [0x15, 0x49, 0xA9, 0x66]
    static let timestampScale: [UInt8] = [0x2A, 0xD7, 0xB1]
    static let tracks: [UInt8] = [0x16, 0x54, 0xAE, 0x6B]
    static let track: [UInt8] = [0xAE]
    static let number: [UInt8] = [0xD7]
    static let identity: [UInt8] = [0x73, 0xC5]
    static let type: [UInt8] = [0x83]
    static let lacing: [UInt8] = [0x9C]
    static let codec: [UInt8] = [0x86]
    static let defaultDuration: [UInt8] = [0x23, 0xE3, 0x83]
    static let video: [UInt8] = [0xE0]
    static let width: [UInt8] = [0xB0]
    static let height: [UInt8] = [0xBA]
    static let pixels: [UInt8] = [0x2E, 0xB5, 0x24]
    static let cluster: [UInt8] = [0x1F, 0x43, 0xB6, 0x75]
    static let timestamp: [UInt8] = [0xE7]
    static let block: [UInt8] = [0xA3]
  }

  /// What stands before the frames.
  ///
  /// - Parameters:
  ///   - tag: the four characters of how pixels are stored.
  ///   - duration: of most frames, in nanoseconds.
  static func header(tag: [UInt8], width: Int, height: Int, duration: Int) -> [UInt8] {
    let ebml =
      element(Element.version, 1) + element(Element.readVersion, 1)
      + element(Element.mostNumberBytes, 4) + element(Element.mostSizeBytes, 8)
      + element(Element.kind, Array("matroska".utf8)) + element(Element.kindVersion, 4)
      + element(Element.kindReadVersion, 2)
    let video =
      element(Element.width, width) + element(Element.height, height)
      + element(Element.pixels, tag)
    let track =
      element(Element.number, 1) + element(Element.identity, 1) + element(Element.type, 1)
      + element(Element.lacing, 0) + element(Element.codec, Array("V_UNCOMPRESSED".utf8))
      + element(Element.defaultDuration, duration) + element(Element.video, video)
    // A segment without a size goes on to the end; times are in nanoseconds.
    return element(Element.ebml, ebml) + Element.segment
      + [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
      + element(Element.info, element(Element.timestampScale, 1))
      + element(Element.tracks, element(Element.track, track))
  }

  /// What stands before the bytes of a frame.
  ///
  /// - Parameters:
  ///   - time: in nanoseconds, not negative.
  ///   - count: the frame's bytes.
  static func frame(time: Int, count: Int) -> [UInt8] {
    let clock = element(Element.timestamp, time)
    // Of the track 1, at the cluster's own time, for itself.
    let block: [UInt8] = [0x81, 0, 0, 0x80]
    let beginning = Element.block + size(block.count + count) + block
    return Element.cluster + size(clock.count + beginning.count + count) + clock + beginning
  }

  private static func element(_ number: [UInt8], _ content: [UInt8]) -> [UInt8] {
    number + size(content.count) + content
  }

  private static func element(_ number: [UInt8], _ value: Int) -> [UInt8] {
    element(
      number, bigEndian(value, count: max((Int.bitWidth - value.leadingZeroBitCount + 7) / 8, 1)))
  }

  /// A number of bytes, in eight with their mark.
  private static func size(_ count: Int) -> [UInt8] { [0x01] + bigEndian(count, count: 7) }

  private static func bigEndian(_ value: Int, count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
