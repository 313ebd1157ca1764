import CImageCodecs

/// Between planes of floats and a file's rows of interleaved integers.
enum Samples {
  /// Where in a buffer of interleaved samples the pixel (row, column) begins, in bytes:
  /// `origin + row * rowStep + column * columnStep`. Negative and exchanged steps turn the picture.
  struct Layout {
    var origin: Int
    var rowStep: Int
    var columnStep: Int
  }

  /// The integer that stands for `value`: limited, halves rounded up, NaN to 0.
  @inline(__always)
  static func level(_ value: Float, maximum: Float) -> Int32 {
    // NaN fails the comparison.
    let limited = value > 0 ? (value < 1 ? value : 1) : 0
    return Int32(limited * maximum + 0.5)
  }

  /// Planes of floats from interleaved integers, 16 bits in the machine's byte order.
  static func unpack(
    _ bytes: UnsafeRawBufferPointer, _ layout: Layout, depth: BitDepth,
    into image: inout Image
  ) {
    let (channels, height, width) = (image.channels, image.height, image.width)
    guard let source = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    unsafe image.withMutableFloats { target in
      guard let target = target.baseAddress else { return }
      for c in 0..<channels {
        for row in 0..<height {
          let from = unsafe source + layout.origin + row * layout.rowStep + c * depth.byteCount
          let to = unsafe target + (c * height + row) * width
          switch depth {
          case .eight: unsafe cimg_unpack_8(from, width, layout.columnStep, to)
          case .sixteen: unsafe cimg_unpack_16(from, width, layout.columnStep, to)
          }
        }
      }
    }
  }

  /// Interleaved integers, without gaps between rows, from some rows of an image; 16 bits with the
  /// high byte first, as PNG has them.
  static func pack(
    _ image: Image, rows: Range<Int>, depth: BitDepth, into bytes: UnsafeMutableRawBufferPointer
  ) {
    let (channels, height, width) = (image.channels, image.height, image.width)
    guard let target = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    unsafe image.withFloats { source in
      guard let source = source.baseAddress else { return }
      for c in 0..<channels {
        for row in rows {
          let from = unsafe source + (c * height + row) * width
          let to =
            unsafe target
            + ((row - rows.lowerBound) * width * channels + c) * depth.byteCount
          switch depth {
          case .eight: unsafe cimg_pack_8(from, width, channels, to)
          case .sixteen: unsafe cimg_pack_16(from, width, channels, to)
          }
        }
      }
    }
  }
}
