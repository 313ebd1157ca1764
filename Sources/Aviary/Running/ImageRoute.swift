internal import AviaryGraph
internal import AviaryImage

/// The way of one image through all that an enlargement does, in bands of rows: what is cut out of
/// it goes through one network after the other, and is reduced to the size that is wanted.
final class ImageRoute {
  /// The result's columns.
  let outputWidth: Int
  /// The result's rows.
  let outputHeight: Int
  /// The result's channels and depth.
  let outputFormat: PixelFormat
  /// The memory for activations; of an image that is held whole, all of it.
  let arenaBytes: Int
  /// The tiles in all, for progress.
  let tileCount: Int

  private let enlargement: Enlargement
  /// What is cut out of the image.
  private let region: Comparison.Region
  private let isCropped: Bool
  private let pipelines: [ImagePipeline]
  private let upscalers: [Upscaler]
  /// Reduces what the networks make; nil where that is of the right size.
  private var resampler: BandResampler?
  /// Rows of the image that came.
  private var position = 0
  /// What computes an image that must be held whole, and its rows; nil for any other.
  private var whole: WholeEnlargement?
  private var rows: [Image] = []

  /// How often a network is applied at most to reach a size.
  private static let mostRepetitions = 8

  /// Decides how the image is divided; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - source: of the bands that will come: gray or RGB, with alpha or not.
  ///   - contexts: one for each stage.
  /// - Throws: `ImageError.sizeMismatch` for a part outside the image, `AviaryError.scale` and
  ///   `.imageSize` for a size that cannot be had, and what planning throws.
  init(
    _ enlargement: Enlargement, width: Int, height: Int, source: PixelFormat,
    _ contexts: [InferenceContext]
  ) throws {
    let region =
      enlargement.crop ?? Comparison.Region(x: 0, y: 0, width: width, height: height)
    guard region.x + region.width <= width, region.y + region.height <= height else {
      throw ImageError.sizeMismatch(
        thing: "crop", expected: "a part of \(width)x\(height)",
        found: "\(region.width)x\(region.height) at (\(region.x), \(region.y))")
    }
    var size = (width: region.width, height: region.height)
    let wanted = try enlargement.target?.size(width: size.width, height: size.height)
    for side in [wanted?.width, wanted?.height] {
      guard let side, !(1...1 << 20).contains(side) else { continue }
      throw AviaryError.imageSize(
        "result", expected: "sides of 1 to \(1 << 20) pixels", found: "\(side)")
    }
    var pipelines: [ImagePipeline] = []
    var used: [(upscaler: Upscaler, context: InferenceContext)] = []
    var format = source
    func add(_ stage: Int) throws {
      let upscaler = enlargement.stages[stage]
      let pipeline = try ImagePipeline(
        upscaler.model, scale: upscaler.ratio, width: size.width, height: size.height,
        source: format, policy: contexts[stage].policy, contexts[stage])
      pipelines.append(pipeline)
      used.append((upscaler, contexts[stage]))
      size = (pipeline.outputWidth, pipeline.outputHeight)
      format = pipeline.outputFormat
    }
    for stage in enlargement.stages.indices { try add(stage) }
    if let wanted {
      let last = enlargement.stages.lastIndex { $0.ratio.value > 1 }
      while size.width < wanted.width || size.height < wanted.height {
        guard let last,
          pipelines.count < enlargement.stages.count + ImageRoute.mostRepetitions
        else {
          throw AviaryError.scale(
            model: enlargement.stages.map(\.model.name).joined(separator: ", "),
            expected: last == nil
              ? "a result no larger than the image (the network does not enlarge)"
              : "one that \(ImageRoute.mostRepetitions) repetitions reach",
            found: "\(wanted.width)x\(wanted.height) of \(region.width)x\(region.height)")
        }
        try add(last)
      }
    }
    let result = wanted ?? size
    (outputWidth, outputHeight, outputFormat) = (result.width, result.height, format)
    (self.enlargement, self.region, self.pipelines) = (enlargement, region, pipelines)
    upscalers = used.map(\.upscaler)
    isCropped = region.width < width || region.height < height
    let passes = enlargement.isEnsemble ? 8 : 1
    tileCount = passes * pipelines.reduce(0) { $0 + $1.tileCount }
    let kernel: ResamplingKernel = pipelines.allSatisfy(\.isNearest) ? .nearest : .bicubic
    let besides = pipelines.reduce(0) { $0 + $1.inference.arenaBytes }
    if enlargement.isWhole {
      let whole = WholeEnlargement(enlargement, used, result, format, kernel)
      let held = whole.byteCount(region.width, region.height, natural: size, source)
      let most = contexts[0].allowance.most
      guard held <= most else {
        throw AviaryError.memory(
          needed: held, allowed: most,
          reason: "an image is held whole for an ensemble, a blend or seamless borders")
      }
      (self.whole, arenaBytes) = (whole, besides + held)
    } else {
      arenaBytes = besides
      if result != size {
        resampler = try BandResampler(
          Resampling(kernel), width: size.width, height: size.height, format: format,
          toWidth: result.width, height: result.height)
        resampler?.threads = contexts[0].threads
      }
    }
  }

  /// A route for an image file whose header is read.
  ///
  /// - Throws: as the other `init`.
  convenience init(
    _ enlargement: Enlargement, _ header: ImageHeader, _ contexts: [InferenceContext]
  ) throws {
    try self.init(
      enlargement, width: header.width, height: header.height, source: header.format, contexts)
  }

  /// The networks in order, repetitions included, and how each is at work.
  var stages: [(upscaler: Upscaler, inference: TiledInference)] {
    zip(upscalers, pipelines).map { ($0, $1.inference) }
  }

  /// Takes the next rows of the image and hands the rows of the result that they complete to
  /// `sink`.
  ///
  /// - Parameter progress: is told after each tile.
  func push(_ band: Image, progress: () -> Void, sink: (Image) throws -> Void) throws {
    let rows = position..<position + band.height
    position = rows.upperBound
    let wanted = (region.y..<region.y + region.height).clamped(to: rows)
    guard !wanted.isEmpty else { return }
    let part =
      isCropped
      ? try band.cropped(
        x: region.x, y: wanted.lowerBound - rows.lowerBound, width: region.width,
        height: wanted.count) : band
    guard let whole else { return try feed(part, 0, progress, sink) }
    self.rows.append(part)
    guard wanted.upperBound == region.y + region.height else { return }
    let image = try Image.stacked(self.rows)
    self.rows = []
    try sink(whole.enlarge(image, progress: progress))
  }

  /// Hands a band to the network at `position`, and its result to those behind.
  private func feed(
    _ band: Image, _ position: Int, _ progress: () -> Void, _ sink: (Image) throws -> Void
  ) throws {
    guard position < pipelines.count else {
      let result = try resampler?.push(band) ?? band
      if result.height > 0 { try sink(result) }
      return
    }
    try pipelines[position].push(band, progress: progress) { result in
      try feed(result, position + 1, progress, sink)
    }
  }
}

/// From an image file to an image file.
extension ImageRoute {
  /// Rows that are read at once: enough that decoding in bands costs nothing, and few enough that
  /// they take little memory once they are enlarged.
  private static let mostRows = 64
  private static let bandBytes = 1 << 25

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
      metadata: header.metadata, options: enlargement.encoding, threads: threads)
    let (colors, problem) = enlargement.colors(header)
    let warnings = warnings + [problem].compactMap(\.self) + writer.dropped
    let isBack = outputFormat.color == .rgb
    // A row makes as many of the result as that is higher.
    let rows = max(outputHeight / max(header.height, 1), 1)
    let rowBytes = max(outputWidth * rows * outputFormat.channels, header.width) * 4
    let bandHeight = min(
      max(ImageRoute.bandBytes / rowBytes, 1), ImageRoute.mostRows)
    var done = 0
    let total = Double(max(tileCount, 1))
    while let band = try reader.read(rows: bandHeight) {
      try push(
        colors?.toSRGB(band) ?? band,
        progress: {
          done += 1
          progress(min(Double(done) / total, 1))
        }, sink: { try writer.write(isBack ? colors?.fromSRGB($0) ?? $0 : $0) })
    }
    try writer.finish()
    let spans = pipelines.map(\.inference)
    return UpscaleReport(
      width: header.width, height: header.height, outputWidth: outputWidth,
      outputHeight: outputHeight, tiles: tileCount,
      tileWidth: spans.flatMap { $0.columnSpans.map(\.length) }.max() ?? 0,
      tileHeight: spans.flatMap { $0.rowSpans.map(\.length) }.max() ?? 0, arenaBytes: arenaBytes,
      seconds: start.duration(to: .now) / .seconds(1), warnings: warnings)
  }
}

extension Enlargement {
  /// How the colours of an image become those that networks were trained with, and what the user should
  /// know of it; nil where they are so, or where no network sees them.
  fileprivate func colors(_ header: ImageHeader) -> (ProfileColors?, problem: String?) {
    guard stages.contains(where: { !$0.model.weights.isEmpty }), header.format.color == .rgb,
      let profile = header.metadata.icc, let colors = ProfileColors(profile), !colors.isSRGB
    else { return (nil, nil) }
    guard colors.isReversible else {
      return (
        nil,
        "the image's profile leads one way only: the network sees its values as they are, and takes them for sRGB"
      )
    }
    return (colors, nil)
  }
}
