internal import AviaryGraph
internal import AviaryImage

/// The way of an image from a file's colours through a model and back, in bands of rows.
///
/// Alpha is enlarged bicubically, with colour bled under it first; a network on luma leaves chroma
/// to bicubic. The three ways give rows at their own pace; a row goes out when all have it.
final class ImagePipeline {
  /// The result's columns.
  let outputWidth: Int
  /// The result's rows.
  let outputHeight: Int
  /// The result's channels and depth.
  let outputFormat: PixelFormat
  /// The network at work.
  let inference: TiledInference
  /// The tiles in all, for progress.
  var tileCount: Int { inference.rowSpans.count * inference.columnSpans.count }

  private let source: PixelFormat
  private let color: ColorModel
  private let takesAlpha: Bool
  private let result: ResultChannels
  private let height: Int
  private let threads: Int
  private var bleeding: RowWindow
  private var bledRows = 0
  private var main: RowWindow
  /// The two planes of colour where the network has luma alone.
  private var chroma: [SidePlane]
  private var alpha: SidePlane?
  private var position = 0

  /// Decides how the image is divided; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - source: of the bands that will come: gray or RGB, with alpha or not.
  ///   - policy: for networks of which tiles do not give what the whole gives.
  /// - Throws: what `TiledInference` throws.
  init(
    _ model: Model, scale: Ratio, width: Int, height: Int, source: PixelFormat,
    policy: TilePolicy = .exact, _ context: InferenceContext
  ) throws {
    let result = try ResultChannels(
      model, channels: model.graph.outputChannels(scale) ?? model.graph.inputs[0].channels,
      depth: source.bitDepth)
    let colour = model.picture.colour
    takesAlpha = colour == .rgba
    // Colour goes channel by channel through a network on gray that gives gray.
    let color = result == .input ? colour.model(for: source.color) : colour.plainModel
    let format = PixelFormat(color, hasAlpha: takesAlpha, bitDepth: source.bitDepth)
    let leavesChroma = result == .input && color == .luma && source.color == .rgb
    var (resultFormat, outputFormat) = (format, source)
    var leavesAlpha = source.hasAlpha && !takesAlpha
    if case .image(let image) = result {
      (resultFormat, outputFormat) = (image, image)
      if image.hasAlpha { leavesAlpha = false }
      if leavesAlpha { outputFormat.hasAlpha = true }
    }
    // Of a band's pixel: what waits beside the network's result, that in the image's colours, the
    // same with alpha, and what compressing takes.
    let waiting = 4 * ((leavesChroma ? 2 : 0) + (leavesAlpha ? 1 : 0))
    let converted =
      leavesChroma || result == .input && color != source.color ? 4 * source.color.channels : 0
    let joined = leavesAlpha ? 4 * outputFormat.channels : 0
    inference = try TiledInference(
      model, scale: scale, width: width, height: height, format: format, result: resultFormat,
      resultBytes: waiting + converted + joined
        + 2 * outputFormat.channels * source.bitDepth.byteCount,
      policy: policy, context)
    (outputWidth, outputHeight) = (inference.outputWidth, inference.outputHeight)
    let output = (outputWidth, outputHeight)
    func side() throws -> SidePlane {
      try SidePlane(
        width: width, height: height, bitDepth: source.bitDepth, to: output, context.threads)
    }
    bleeding = try RowWindow(width: width, format: source)
    main = try RowWindow(width: outputWidth, format: resultFormat)
    chroma = leavesChroma ? [try side(), try side()] : []
    alpha = leavesAlpha ? try side() : nil
    (self.result, self.outputFormat) = (result, outputFormat)
    (self.source, self.color, self.height) = (source, color, height)
    threads = context.threads
  }

  /// The result for a whole image.
  func result(for image: Image, progress: () -> Void = {}) throws -> Image {
    var bands: [Image] = []
    try push(image, progress: progress, sink: { bands.append($0) })
    return try .stacked(bands)
  }

  /// Takes the next rows of the image and hands the rows of the result that they complete to
  /// `sink`, in the image's format.
  func push(_ band: Image, progress: () -> Void, sink: (Image) throws -> Void) throws {
    if alpha != nil, let plane = try band.alpha { try alpha?.push(plane) }
    if takesAlpha {
      try inference.append(try band.converted(to: color, threads: threads).withOwnAlpha())
      return try computed(progress, sink)
    }
    let opaque = try bled(band)
    let input: Image
    if chroma.isEmpty {
      input = try opaque.converted(to: color, threads: threads)
    } else {
      let colours = try opaque.converted(to: .ycbcr, threads: threads)
      input = try colours.plane(0).labelled(PixelFormat(.luma, bitDepth: source.bitDepth))
      for i in chroma.indices { try chroma[i].push(colours.plane(i + 1)) }
    }
    try inference.append(input)
    try computed(progress, sink)
  }

  /// Computes what is there and hands over what that completes.
  private func computed(_ progress: () -> Void, _ sink: (Image) throws -> Void) throws {
    // One after the other, lest all that a band completes be in memory at once.
    while let rows = try inference.next(progress: progress) {
      try main.append(rows)
      try emit(sink)
    }
    try emit(sink)
  }

  /// The colour of those rows that no later row can bleed into.
  private func bled(_ band: Image) throws -> Image {
    guard source.hasAlpha else { return band }
    try bleeding.append(band)
    let margin = Image.bleedingMargin
    let end = bleeding.range.upperBound == height ? height : bleeding.range.upperBound - margin
    let rows = bledRows..<max(end, bledRows)
    let around = max(rows.lowerBound - margin, 0)..<bleeding.range.upperBound
    let result = try bleeding.rows(around).bledUnderTransparency().opaque
      .rows(rows.lowerBound - around.lowerBound..<rows.upperBound - around.lowerBound)
    bledRows = rows.upperBound
    try bleeding.discard(before: bledRows - margin)
    return result
  }

  /// Hands over the rows that are there in every way.
  private func emit(_ sink: (Image) throws -> Void) throws {
    let sides = chroma + [alpha].compactMap(\.self)
    let end = sides.reduce(main.range.upperBound) { min($0, $1.window.range.upperBound) }
    guard end > position else { return }
    let rows = position..<end
    var result = try main.rows(rows)
    if chroma.isEmpty {
      if self.result == .input {
        result = try result.converted(to: source.color, threads: threads)
      }
    } else {
      result = try Image(
        luma: result, blue: chroma[0].window.rows(rows), red: chroma[1].window.rows(rows),
        bitDepth: source.bitDepth, threads: threads)
    }
    if let plane = try alpha?.window.rows(rows) { result = try result.withAlpha(plane) }
    position = end
    // What is not needed any more goes before the rows are compressed.
    try main.discard(before: end)
    for i in chroma.indices { try chroma[i].window.discard(before: end) }
    try alpha?.window.discard(before: end)
    try sink(result.labelled(outputFormat))
  }
}

/// A plane that no network sees, enlarged bicubically in bands: alpha, or a colour beside luma.
private struct SidePlane: Sendable {
  /// Rows of the enlarged plane that wait for the network's.
  var window: RowWindow
  private var resampler: BandResampler

  /// - Parameters:
  ///   - width: of the image, as `height`.
  ///   - output: the result's columns and rows.
  ///   - threads: how many enlarge.
  init(
    width: Int, height: Int, bitDepth: BitDepth, to output: (width: Int, height: Int),
    _ threads: Int
  ) throws(ImageError) {
    let format = PixelFormat(.gray, bitDepth: bitDepth)
    resampler = try BandResampler(
      Resampling(), width: width, height: height, format: format, toWidth: output.width,
      height: output.height)
    resampler.threads = threads
    window = try RowWindow(width: output.width, format: format)
  }

  /// Takes the next rows of the plane, of one channel.
  mutating func push(_ band: Image) throws(ImageError) {
    try window.append(resampler.push(band))
  }
}

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
    _ model: Model, scale: Ratio, _ header: ImageHeader, policy: TilePolicy,
    _ context: InferenceContext
  ) throws {
    try self.init(
      model, scale: scale, width: header.width, height: header.height, source: header.format,
      policy: policy, context)
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
    _ reader: inout ImageReader, to output: String, threads: Int,
    start: ContinuousClock.Instant, warnings: [String], progress: (Double) -> Void
  ) throws -> UpscaleReport {
    let header = reader.header
    var writer = try ImageWriter(
      path: output, width: outputWidth, height: outputHeight, format: outputFormat,
      metadata: header.metadata, threads: threads)
    // A row makes as many of the result as that is higher.
    let rows = max(outputHeight / max(header.height, 1), 1)
    let rowBytes = max(outputWidth * rows * outputFormat.channels, header.width) * 4
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

extension Image {
  /// The image with its alpha, or with one that is opaque everywhere.
  fileprivate func withOwnAlpha() throws(ImageError) -> Image {
    if format.hasAlpha { return self }
    var plane = try Image(
      width: width, height: height, format: PixelFormat(.gray, bitDepth: format.bitDepth))
    unsafe plane.withMutableFloats { unsafe $0.update(repeating: 1) }
    return try withAlpha(plane)
  }
}

extension ImageSpec.Colour {
  /// The colour model of the network's input, whatever the image's colours are.
  fileprivate var plainModel: ColorModel { self == .gray ? .gray : model(for: .rgb) }
}
