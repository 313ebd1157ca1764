import AviaryFiles
import CImageCodecs

/// Reads TIFF as gray or RGB, with alpha or not, of 8, 16 bits or floats, by libtiff.
struct TIFFDecoder: ImageDecoder {
  let stored: StoredImage
  private let codec: CodecHandle

  /// - Parameter page: from 1; nil for the first, which is then said to be so.
  init(_ file: borrowing InputFile, page: Int?) throws(ImageError) {
    let descriptor = file.descriptor
    codec = try unsafe CodecHandle(path: file.path) { info, error in
      unsafe cimg_open_tiff(descriptor, UInt32((page ?? 1) - 1), info, error)
    }
    var stored = codec.stored
    if page == nil, codec.info.pages > 1 {
      stored.remarks.append("the first of \(codec.info.pages) pages (--page takes another)")
    }
    if stored.format.bitDepth == .float, codec.info.stored_bit_depth != 32 {
      stored.remarks.append("\(codec.info.stored_bit_depth) bits were read as floats of 32")
    }
    self.stored = stored
  }

  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata {
    try codec.checkSize(file.path, limitedTo: file.byteCount)
    var metadata = codec.metadata(stored)
    metadata.xmp = codec.xmp.map { XMP.upright($0) }
    return metadata
  }

  func rows(_ count: Int) throws(ImageError) -> [UInt8] { try codec.rows(count) }
}

/// Reads GIF of one image as RGB, with alpha or not, by giflib.
struct GIFDecoder: ImageDecoder {
  let stored: StoredImage
  private let codec: CodecHandle

  init(_ file: borrowing InputFile) throws(ImageError) {
    let descriptor = file.descriptor
    codec = try unsafe CodecHandle(path: file.path) { info, error in
      unsafe cimg_open_gif(descriptor, info, error)
    }
    stored = codec.stored
  }

  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata {
    try codec.checkSize(file.path, limitedTo: file.byteCount)
    return ImageMetadata()
  }

  func rows(_ count: Int) throws(ImageError) -> [UInt8] { try codec.rows(count) }
}

/// Reads WebP of one image as RGB, with alpha or not, by libwebp.
struct WebPDecoder: ImageDecoder {
  let stored: StoredImage
  private let codec: CodecHandle
  private let exif: Exif

  /// Files beyond this are no image of 16383 pixels a side.
  private static let mostBytes = 1 << 31

  init(_ file: borrowing InputFile) throws(ImageError) {
    guard file.byteCount <= WebPDecoder.mostBytes else {
      throw .damaged(path: file.path, reason: "\(file.byteCount) bytes are no WebP image")
    }
    let bytes = try file.read(at: 0, count: file.byteCount)
    codec = try unsafe CodecHandle(path: file.path, memory: bytes) { bytes, info, error in
      unsafe cimg_open_webp(bytes.baseAddress, bytes.count, info, error)
    }
    // Some writers put JPEG's name before it.
    let name = Array("Exif\0\0".utf8), bytesOfExif = codec.exif ?? []
    exif = Exif(
      bytesOfExif.starts(with: name) ? Array(bytesOfExif.dropFirst(name.count)) : bytesOfExif)
    var stored = codec.stored
    stored.orientation = exif.orientation
    self.stored = stored
  }

  func metadata(_ file: borrowing InputFile) throws(ImageError) -> ImageMetadata {
    try codec.checkSize(file.path, limitedTo: file.byteCount)
    var metadata = codec.metadata(stored)
    if !exif.bytes.isEmpty {
      var upright = exif
      upright.resetOrientation()
      metadata.exif = upright.bytes
    }
    metadata.xmp = codec.xmp.map { XMP.upright($0) }
    return metadata
  }

  func rows(_ count: Int) throws(ImageError) -> [UInt8] { try codec.rows(count) }
}
