internal import AviaryCompute
internal import AviaryGraph
public import AviaryImage

/// What is done to enlarge an image: one network or several in a row, and what goes before and
/// after them.
///
/// Where the networks do not make the size that is wanted, the last one that enlarges is applied
/// again until the result is at least as large, and the result is reduced with antialiasing.
public struct Enlargement: Sendable {
  /// The networks, in order.
  public let stages: [Upscaler]
  /// The size of the result; nil for what the networks make.
  public var target: TargetSize?
  /// The part of the image that is enlarged; nil for all of it.
  public var crop: Comparison.Region?
  /// Whether the mean is taken of the results for the image in all eight positions that turning
  /// and mirroring give it ("geometric self-ensemble", Lim et al. 2017).
  public var isEnsemble = false
  /// The networks' share of the result, 0 to 1, the rest being bicubic enlargement; nil for 1.
  public var blend: Double?
  /// Whether the image goes on at its opposite border, as textures do.
  public var isSeamless = false
  /// Which image of a file that has several, from 1; nil for the first.
  public var page: Int?
  /// How files are written.
  public var encoding = EncodingOptions()

  /// One network or several.
  ///
  /// - Parameter stages: at least one.
  public init(_ stages: [Upscaler]) {
    precondition(!stages.isEmpty, "an enlargement without networks")
    self.stages = stages
  }

  /// Whether the image must be in memory as a whole.
  var isWhole: Bool { isEnsemble || isSeamless || blend != nil }

  /// What the networks make of a size together, for messages and names.
  package var ratio: Double { stages.reduce(1) { $0 * $1.ratio.value } }

  /// On how many threads images are computed.
  var threads: Int { stages[0].context.threads }

  /// What computes each stage on one thread, for one of several images at a time.
  var single: [InferenceContext] {
    get throws(ComputeError) {
      try stages.map { (stage) throws(ComputeError) in try stage.context.single }
    }
  }

  /// What computes each stage on as many threads as the calling thread can have.
  var here: [InferenceContext] {
    get throws(ComputeError) {
      try stages.map { (stage) throws(ComputeError) in try stage.context.here }
    }
  }

  /// What the user should know of an image.
  ///
  /// - Throws: what computing a part of it throws, where that shows how exact tiles are.
  func warnings(
    _ input: String, _ header: ImageHeader, _ route: ImageRoute
  ) throws -> [String] {
    var warnings = stages.compactMap(\.scaleWarning) + header.remarks.map { "\(input): \($0)" }
    if header.isConvertedFromCMYK {
      warnings.append(
        "\(input): converted from CMYK to RGB"
          + (header.isConvertedByProfile ? " by its profile" : ", without a profile"))
    }
    for (position, stage) in route.stages.enumerated() {
      guard let reason = stage.inference.tileSize.approximation else { continue }
      // What goes into a later network is known when it is there, and standard input is read once.
      let isMeasured = position == 0 && crop == nil && page == nil && input != "-"
      let found =
        isMeasured
        ? try TileProbe(stage.upscaler, input, header, stage.inference).text
        : "by how much they differ from the whole was not measured"
      warnings.append("\(input): tiles are an approximation (\(reason)); \(found)")
    }
    return warnings
  }

  /// Enlarges an image file and writes one with its colours, alpha, depth and metadata.
  ///
  /// The result appears under its name only when it is complete.
  ///
  /// - Parameters:
  ///   - input: an image file of any format that is read; `-` for standard input.
  ///   - output: the file to write; `-` for standard output.
  ///   - progress: is told the share done, 0 to 1.
  ///   - opened: is told the result's columns and rows once the image's header is read.
  /// - Throws: `ImageError` for images that cannot be read or written, `AviaryError.memory`,
  ///   `.imageSize` and `.scale` for a size that cannot be had, `GraphError` and `ComputeError`
  ///   where the network cannot be computed at this size.
  public func enlarge(
    from input: String, to output: String, progress: (Double) -> Void = { _ in },
    opened: (_ width: Int, _ height: Int) -> Void = { _, _ in }
  ) throws -> UpscaleReport {
    let start = ContinuousClock.now
    var reader = try ImageReader(path: input, page: page)
    let route = try ImageRoute(self, reader.header, stages.map(\.context))
    opened(route.outputWidth, route.outputHeight)
    return try route.run(
      &reader, to: output, threads: threads, start: start,
      warnings: warnings(input, reader.header, route), progress: progress)
  }

  /// Enlarges an image in memory.
  ///
  /// - Throws: as for files.
  public func enlarge(_ image: Image) throws -> Image {
    try enlarge(image, stages.map(\.context))
  }

  /// The same, computed by these contexts, one for each stage.
  func enlarge(_ image: Image, _ contexts: [InferenceContext]) throws -> Image {
    let route = try ImageRoute(
      self, width: image.width, height: image.height, source: image.format, contexts)
    var bands: [Image] = []
    try route.push(image, progress: {}, sink: { bands.append($0) })
    return try .stacked(bands)
  }

  /// Enlarges several image files, small ones several at a time, with the same results as one by
  /// one. An image that fails does not stop the others.
  ///
  /// - Parameter report: is told what happens, on the calling thread.
  /// - Throws: what `report` throws; `ComputeError` where no engine is to be had.
  public func enlarge(
    _ jobs: [ImageJob], report: (ImageEvent) throws -> Void
  ) throws {
    guard jobs.count > 1, threads > 1 else {
      for (position, job) in jobs.enumerated() {
        var failure: (any Error)?
        let result = Result {
          func tell(_ event: ImageEvent) {
            do { try report(event) } catch { failure = error }
          }
          return try enlarge(
            from: job.input, to: job.output.get(),
            progress: { tell(.progress(position, $0)) },
            opened: { tell(.opened(position, width: $0, height: $1)) })
        }
        if let failure { throw failure }
        try report(.finished(position, result))
      }
      return
    }
    try ImageQueue(self, jobs).run(report)
  }
}

extension Upscaler {
  /// That the model was trained for other scales; nil where it was not.
  var scaleWarning: String? {
    guard model.picture.enlargeFirst != .no, !model.scales.isEmpty, !model.scales.contains(scale)
    else { return nil }
    let scales = model.scales.map(String.init).joined(separator: ", ")
    return "\(model.name): trained for scale \(scales), used for \(scale)"
  }
}

extension Model {
  /// The scale to run a model at, of those that it serves, where images are to become so many times
  /// as large.
  ///
  /// - Parameter factor: nil where that differs from image to image.
  /// - Returns: nil where the model has one scale only, or none.
  public func scale(reaching factor: Double?) -> Int? {
    let isFree = picture.enlargeFirst != .no && ownScales.contains(1)
    if isFree, let factor, factor >= 1, factor.rounded() == factor { return Int(factor) }
    // One that enlarges by itself has but its own scales, whatever else was stated of it.
    let served = (isFree ? scales.isEmpty ? Array(2...64) : scales : ownScales).sorted()
    guard let largest = served.last else { return nil }
    return served.first { Double($0) >= factor ?? 2 } ?? largest
  }
}
