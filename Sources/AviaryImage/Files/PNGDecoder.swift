import AviaryFiles
import CImageCodecs

/// Reads PNG: every colour type and depth, by libpng; the EXIF orientation is to be applied.
struct PNGDecoder: ImageDecoder {
  let stored: StoredImage
  private let codec: CodecHandle
  private let found: ImageMetadata
  /// Bytes of image data.
  private let compressedCount: Int

  init(_ file: borrowing InputFile) throws(ImageError) {
    let descriptor = file.descriptor
    codec = try unsafe CodecHandle(path: file.path) { info, error in
      unsafe cimg_open_png(descriptor, info, error)
    }
    let scan = try PNGScan(file)
    compressedCount = scan.compressedCount
    var stored = codec.stored
    var found = PNGMetadata.metadata(scan.chunks, color: stored.format.color)
    if let bytes = found.exif {
      var exif = Exif(bytes)
      stored.orientation = exif.orientation
      exif.resetOrientation()
      found.exif = exif.bytes
      if stored.orientation.exchangesSides { found.density = found.density?.turned }
    }
    found.xmp = found.xmp.map { XMP.upright($0) }
    (self.stored, self.found) = (stored, found)
  }

  /// Deflate cannot do better than this many bytes from one.
  private static let deflateRatio = 1032

  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata {
    let rowByteCount = (stored.width * stored.bitDepth + 7) / 8
    guard rowByteCount * stored.height <= (compressedCount + 1) * PNGDecoder.deflateRatio
    else {
      throw ImageLimits.cannotHold(stored, compressedCount, file.path)
    }
    return found
  }

  func rows(_ count: Int) throws(ImageError) -> [UInt8] { try codec.rows(count) }
}

/// A walk over a PNG file's chunks by their lengths alone, before anything is decoded.
///
/// It shows at once that a file is cut off, finds the chunks to carry wherever they stand (EXIF
/// data may follow the image, and rows are written before that is reached), and tells how much
/// compressed data there is, which bounds what it can decompress to. Checksums are libpng's part.
private struct PNGScan {
  private(set) var chunks: [PNGChunk] = []
  /// Bytes in IDAT chunks.
  private(set) var compressedCount = 0

  init(_ file: borrowing InputFile) throws(ImageError) {
    var offset = 8
    var carriedCount = 0
    while true {
      let head = try file.read(at: offset, count: 8)
      guard head.count == 8 else {
        throw .damaged(path: file.path, reason: "the file ends too early")
      }
      let length = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      let type = String(decoding: head.suffix(4), as: UTF8.self)
      guard head.suffix(4).allSatisfy({ (65...90).contains($0 & 0xDF) }) else {
        throw .damaged(path: file.path, reason: "no chunk begins at byte \(offset)")
      }
      // Lengths are below 2^32 and the file's own is an off_t: the sum cannot overflow.
      guard offset + 12 + length <= file.byteCount else {
        throw .damaged(path: file.path, reason: "the file ends too early, within chunk \(type)")
      }
      if type == "IDAT" { compressedCount += length }
      if type == "acTL", length >= 4 {
        let frames = PNGChunk.number(try file.read(at: offset + 8, count: 4)[...])
        if frames > 1 { throw .animation(path: file.path, frames: Int(frames)) }
      }
      if PNGMetadata.carries(type, length: length, after: chunks),
        carriedCount + length <= ImageMetadata.mostBytes
      {
        carriedCount += length
        chunks.append(PNGChunk(type: type, data: try file.read(at: offset + 8, count: length)))
      }
      if type == "IEND" { return }
      offset += 12 + length
    }
  }
}
