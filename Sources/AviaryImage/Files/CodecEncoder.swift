import CImageCodecs

/// Writes files by a C library, which writes to the descriptor by itself.
struct CodecEncoder: ImageEncoder {
  private let image: EncodedImage
  private let writer: CodecWriter
  private(set) var dropped: [String] = []

  /// - Parameter create: one of the codecs' functions that begin a file.
  /// - Throws: `ImageError.cannotWrite`.
  init(
    _ image: EncodedImage,
    _ create: (CInt, UnsafePointer<cimg_target>, UnsafeMutablePointer<cimg_error>) ->
      OpaquePointer?
  ) throws(ImageError) {
    self.image = image
    let density = image.metadata.pixelsPerMetre ?? (0, 0)
    var target = cimg_target(
      width: UInt32(image.width), height: UInt32(image.height),
      channels: Int32(image.format.channels), bit_depth: Int32(image.format.bitDepth.rawValue),
      quality: image.options.isLossless
        ? 0 : Int32(image.options.quality ?? EncodingOptions.usualQuality),
      is_full_chroma: image.options.isChromaHalved ? 0 : 1,
      is_progressive: image.options.isProgressive ? 1 : 0,
      density_x: Double(density.x), density_y: Double(density.y))
    var error = cimg_error()
    guard let opened = unsafe create(image.descriptor, &target, &error) else {
      throw .cannotWrite(path: image.path, reason: error.reason)
    }
    writer = unsafe CodecWriter(opened, path: image.path)
  }

  mutating func begin() throws(ImageError) -> [[UInt8]] {
    let metadata = image.metadata
    for (kind, bytes) in [
      (cimg_kind_exif, metadata.exif), (cimg_kind_icc, metadata.icc?.bytes),
      (cimg_kind_xmp, metadata.xmp), (cimg_kind_iptc, metadata.iptc),
    ] {
      guard let bytes, !bytes.isEmpty else { continue }
      _ = try writer.write(kind, keyword: "", bytes)
    }
    for text in metadata.text where !text.text.isEmpty {
      // A format that has no keywords has them in the text.
      let isComment = text.keyword == "Comment"
      let words =
        isComment || image.hasKeywords ? text.text : "\(text.keyword): \(text.text)"
      guard
        try writer.write(cimg_kind_comment, keyword: text.keyword, Array(words.utf8)) == false
      else { continue }
      dropped.append("the text \(text.keyword)")
    }
    return []
  }

  mutating func encode(_ band: Image) throws(ImageError) -> [[UInt8]] {
    let depth = image.format.bitDepth
    let band = try band.converted(to: image.format.color)
    var rows = [UInt8](
      repeating: 0, count: band.width * band.height * band.channels * depth.byteCount)
    unsafe rows.withUnsafeMutableBytes {
      unsafe Samples.pack(band, rows: 0..<band.height, depth: depth, into: $0)
    }
    if depth == .sixteen {
      unsafe rows.withUnsafeMutableBytes { bytes in
        let words = unsafe bytes.bindMemory(to: UInt16.self)
        for i in words.indices { unsafe words[i] = unsafe UInt16(bigEndian: words[i]) }
      }
    }
    try writer.write(rows: rows, count: band.height)
    return []
  }

  mutating func end() throws(ImageError) -> [[UInt8]] {
    try writer.finish()
    return []
  }
}

/// A C codec writing one file, and the only place that checks its statuses. What is not finished is
/// abandoned with the last reference.
@safe private final class CodecWriter {
  private let handle: OpaquePointer
  private let path: String

  @unsafe init(_ handle: OpaquePointer, path: String) {
    unsafe self.handle = unsafe handle
    self.path = path
  }

  /// Writes what is beside the pixels; says whether the format has a place for it.
  func write(_ kind: Int, keyword: String, _ bytes: [UInt8]) throws(ImageError) -> Bool {
    var error = cimg_error()
    let status = unsafe cimg_write_metadata(
      handle, Int32(kind), keyword, bytes, bytes.count, &error)
    guard status >= 0 else { throw .cannotWrite(path: path, reason: error.reason) }
    return status == 0
  }

  func write(rows: [UInt8], count: Int) throws(ImageError) {
    var error = cimg_error()
    guard unsafe cimg_write_rows(handle, rows, UInt32(count), &error) == 0 else {
      throw .cannotWrite(path: path, reason: error.reason)
    }
  }

  func finish() throws(ImageError) {
    var error = cimg_error()
    guard unsafe cimg_finish(handle, &error) == 0 else {
      throw .cannotWrite(path: path, reason: error.reason)
    }
  }

  deinit { unsafe cimg_abandon(handle) }
}

extension cimg_error {
  /// The text as it goes on a sentence.
  fileprivate var reason: String { message.prefix(1).lowercased() + message.dropFirst() }
}
