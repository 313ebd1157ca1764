internal import AviaryGraph
internal import AviaryImage

/// From an image file to an image file.
extension ImagePipeline {
  /// Rows that are read at once: enough that decoding in bands costs nothing, and few enough that
  /// they take little memory once they are enlarged.
  private static let mostRows = 64
  private static let bandBytes = 1 << 25

  /// A pipeline for an image file whose header is read.
  ///
  /// - Throws: as the other `init`.
  convenience init(
    _ model: Model, scale: Int, _ header: ImageHeader, _ context: InferenceContext
  ) throws {
    try self.init(
      model, scale: scale, width: header.width, height: header.height, source: header.format,
      context)
  }

  /// Decodes the image in bands of rows, computes it, and writes the result.
  ///
  /// - Parameters:
  ///   - reader: a file whose header was read and nothing else.
  ///   - start: when the file was opened.
  ///   - warnings: what the user should know.
  ///   - progress: is told the share done, 0 to 1.
  /// - Throws: `ImageError` and what computing throws.
  func run(
    _ reader: inout ImageReader, to output: String, scale: Int, threads: Int,
    start: ContinuousClock.Instant, warnings: [String], progress: (Double) -> Void
  ) throws -> UpscaleReport {
    let header = reader.header
    var writer = try ImageWriter(
      path: output, width: outputWidth, height: outputHeight, format: header.format,
      metadata: header.metadata, threads: threads)
    let rowBytes = header.width * scale * scale * header.format.channels * 4
    let bandHeight = min(
      max(ImagePipeline.bandBytes / rowBytes, 1), ImagePipeline.mostRows)
    var done = 0
    let total = Double(max(tileCount, 1))
    while let band = try reader.read(rows: bandHeight) {
      try push(
        band,
        progress: {
          done += 1
          progress(Double(done) / total)
        }, sink: { try writer.write($0) })
    }
    try writer.finish()
    return UpscaleReport(
      width: header.width, height: header.height, outputWidth: outputWidth,
      outputHeight: outputHeight, tiles: tileCount,
      tileWidth: inference.columnSpans.map(\.length).max() ?? 0,
      tileHeight: inference.rowSpans.map(\.length).max() ?? 0, arenaBytes: inference.arenaBytes,
      seconds: start.duration(to: .now) / .seconds(1), warnings: warnings)
  }
}
