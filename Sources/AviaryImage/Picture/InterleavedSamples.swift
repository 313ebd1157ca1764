/// Pixels as other programs hand them over through pipes.
extension Image {
  /// An image of interleaved samples without gaps, 16 bits in the machine's byte order.
  ///
  /// - Throws: `ImageError.sizeMismatch` for another number of bytes, `.invalidSize`.
  package init(
    interleaved bytes: [UInt8], width: Int, height: Int, format: PixelFormat
  ) throws(ImageError) {
    try self.init(width: width, height: height, format: format)
    let pixelBytes = format.channels * format.bitDepth.byteCount
    guard bytes.count == width * height * pixelBytes else {
      throw .sizeMismatch(
        thing: "frame", expected: "\(width * height * pixelBytes) bytes", found: "\(bytes.count)")
    }
    let layout = Samples.Layout(origin: 0, rowStep: width * pixelBytes, columnStep: pixelBytes)
    unsafe bytes.withUnsafeBytes {
      unsafe Samples.unpack($0, layout, depth: format.bitDepth, into: &self)
    }
  }

  /// Interleaved samples without gaps, limited to 0...1 and rounded to 8 or 16 bits, 16 with the low
  /// byte first.
  package var interleaved: [UInt8] {
    let depth = format.bitDepth
    var bytes = [UInt8](repeating: 0, count: width * height * channels * depth.byteCount)
    unsafe bytes.withUnsafeMutableBytes {
      unsafe Samples.pack(self, rows: 0..<height, depth: depth, into: $0)
    }
    guard depth == .sixteen else { return bytes }
    for position in stride(from: 0, to: bytes.count, by: 2) { bytes.swapAt(position, position + 1) }
    return bytes
  }
}
