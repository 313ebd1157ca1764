internal import AviaryImage

/// A picture file whose header is read and whose parts are decided upon; nothing is computed yet.
struct OpenPicture: ~Copyable {
  private let start = ContinuousClock.now
  private let input: String
  private let machinery: Machinery
  private var reader: PictureReader
  private var stages: PictureStages
  private var warnings: [String] = []

  /// Rows that are read at once: enough that decoding in bands costs nothing, and few enough that
  /// they take little memory once they are enlarged.
  private let bandHeight: Int

  private static let mostRows = 64
  private static let bandBytes = 1 << 25
  /// Pixels of a small picture.
  private static let small = 1 << 19

  /// - Throws: `ImageError` for what is no picture, and what `PictureStages` throws.
  init(_ input: String, _ model: Model, scale: Int, _ machinery: Machinery) throws {
    let reader = try PictureReader(path: input)
    let header = reader.header
    let stages = try PictureStages(
      model, scale: scale, width: header.width, height: header.height, source: header.format,
      machinery)
    // Nothing throws from here on: a value that cannot be copied must not be left half made.
    self.input = input
    self.machinery = machinery
    self.reader = reader
    self.stages = stages
    let rowBytes = header.width * scale * scale * header.format.channels * 4
    bandHeight = min(max(OpenPicture.bandBytes / rowBytes, 1), OpenPicture.mostRows)
    if !model.scales.isEmpty, !model.scales.contains(scale) {
      let scales = model.scales.map(String.init).joined(separator: ", ")
      warnings.append("\(model.name): trained for scale \(scales), used for \(scale)")
    }
    if header.isConvertedFromCMYK { warnings.append("\(input): converted from CMYK to RGB") }
  }

  /// Whether it is worth no more than one thread where others wait: a second or two of a large network.
  var isSmall: Bool { reader.header.width * reader.header.height <= OpenPicture.small }
  /// The memory that it takes.
  var byteCount: Int { stages.arenaBytes }

  /// Computes it, in bands of rows, and writes the result.
  ///
  /// - Throws: `ImageError` and what computing throws.
  mutating func enlarge(
    to output: String, progress: (Double) -> Void
  ) throws -> UpscaleReport {
    let header = reader.header
    var writer = try PictureWriter(
      path: output, width: stages.outputWidth, height: stages.outputHeight, format: header.format,
      metadata: header.metadata, threads: machinery.threads)
    var done = 0
    let total = Double(max(stages.tileCount, 1))
    while let band = try reader.read(rows: bandHeight) {
      try stages.push(
        band,
        progress: {
          done += 1
          progress(Double(done) / total)
        }, sink: { try writer.write($0) })
    }
    try writer.finish()
    return UpscaleReport(
      width: header.width, height: header.height, outputWidth: stages.outputWidth,
      outputHeight: stages.outputHeight, tiles: stages.tileCount,
      tileWidth: stages.columnSpans.map(\.length).max() ?? 0,
      tileHeight: stages.rowSpans.map(\.length).max() ?? 0, arenaBytes: stages.arenaBytes,
      seconds: start.duration(to: .now) / .seconds(1), warnings: warnings)
  }
}
