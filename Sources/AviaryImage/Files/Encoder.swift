import CImageCodecs

/// libpng writing one file: the C handle, and the only place that checks its statuses.
@safe struct Encoder: ~Copyable {
  private let handle: OpaquePointer
  private let path: String

  /// Writes the header.
  ///
  /// - Throws: `ImageError.cannotWrite`.
  init(
    descriptor: Int32, width: Int, height: Int, format: PixelFormat, path: String
  ) throws(ImageError) {
    var error = cimg_error()
    let created = unsafe cimg_create_png(
      descriptor, UInt32(width), UInt32(height), Int32(format.channels),
      Int32(format.bitDepth.rawValue), &error)
    guard let created = unsafe created else {
      throw .cannotWrite(path: path, reason: error.message)
    }
    unsafe handle = unsafe created
    self.path = path
  }

  /// Writes a chunk; before the first rows.
  func write(_ chunk: PNGChunk) throws(ImageError) {
    try check { error in
      unsafe chunk.data.withUnsafeBufferPointer {
        unsafe cimg_write_chunk(handle, chunk.type, $0.baseAddress, $0.count, &error)
      }
    }
  }

  /// Writes rows of interleaved samples that follow each other without gaps.
  func write(_ bytes: [UInt8], rows: Int) throws(ImageError) {
    try check { error in
      unsafe bytes.withUnsafeBufferPointer {
        unsafe cimg_write_rows(
          handle, $0.baseAddress, bytes.count / rows, UInt32(rows), &error)
      }
    }
  }

  /// Writes the end and empties the buffers.
  func finish() throws(ImageError) {
    try check { unsafe cimg_finish_png(handle, &$0) }
  }

  private func check(_ body: (inout cimg_error) -> Int32) throws(ImageError) {
    var error = cimg_error()
    guard body(&error) == 0 else {
      throw .cannotWrite(path: path, reason: error.message)
    }
  }

  deinit { unsafe cimg_close_writer(handle) }
}
