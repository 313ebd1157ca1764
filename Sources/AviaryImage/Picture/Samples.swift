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

  /// Planes of floats from interleaved integers.
  static func unpack(
    _ bytes: UnsafeRawBufferPointer, _ layout: Layout, depth: BitDepth,
    into image: inout Image
  ) {
    let (channels, height, width) = (image.channels, image.height, image.width)
    let scale = Float(depth.maximum)
    unsafe image.withMutableFloats { target in
      for c in 0..<channels {
        for row in 0..<height {
          var from = layout.origin + row * layout.rowStep + c * depth.byteCount
          let to = (c * height + row) * width
          for column in 0..<width {
            let level: Int =
              depth == .eight
              ? Int(unsafe bytes[from])
              : Int(unsafe bytes.loadUnaligned(fromByteOffset: from, as: UInt16.self))
            unsafe target[to + column] = Float(level) / scale
            from += layout.columnStep
          }
        }
      }
    }
  }

  /// Interleaved integers, without gaps between rows, from some rows of an image.
  static func pack(
    _ image: Image, rows: Range<Int>, depth: BitDepth, into bytes: UnsafeMutableRawBufferPointer
  ) {
    let (channels, height, width) = (image.channels, image.height, image.width)
    let maximum = Float(depth.maximum)
    unsafe image.withFloats { source in
      for c in 0..<channels {
        for row in rows {
          let from = (c * height + row) * width
          var to = ((row - rows.lowerBound) * width * channels + c) * depth.byteCount
          for column in 0..<width {
            let level = unsafe Samples.level(source[from + column], maximum: maximum)
            if depth == .eight {
              unsafe bytes[to] = UInt8(truncatingIfNeeded: level)
            } else {
              unsafe bytes.storeBytes(
                of: UInt16(truncatingIfNeeded: level), toByteOffset: to, as: UInt16.self)
            }
            to += channels * depth.byteCount
          }
        }
      }
    }
  }
}
