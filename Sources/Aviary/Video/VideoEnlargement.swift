internal import AviaryCheckpoint
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import AviaryThreads
internal import FoundationEssentials
internal import SystemPackage

/// Enlarges videos and sequences of images, frame by frame.
///
/// Frames are encoded in segments, each a file in a folder beside the result; a run that was ended
/// goes on behind the last whole one, to the same result.
public struct VideoEnlargement: Sendable {
  /// What is done to a frame.
  public let enlargement: Enlargement
  /// How videos are read and written.
  public let options: VideoOptions

  /// An enlargement of frames.
  public init(_ enlargement: Enlargement, _ options: VideoOptions = VideoOptions()) {
    (self.enlargement, self.options) = (enlargement, options)
  }

  /// Enlarges a video or a sequence into one.
  ///
  /// - Parameters:
  ///   - input: a file that ffmpeg reads, or names of images with `%d` or `%05d` for their numbers.
  ///   - output: a file whose ending ffmpeg knows, or names of images likewise.
  ///   - report: is told of progress.
  /// - Throws: `VideoError`; what reading, computing and writing images throws.
  public func enlarge(
    from input: String, to output: String, report: (VideoEvent) -> Void = { _ in }
  ) throws -> VideoReport {
    let start = ContinuousClock.now
    let source = try source(input)
    var warnings = self.warnings(source)
    let frames = try FrameComputation(enlargement, source)
    warnings += frames.warnings(input)
    let sink = try sink(output, source, frames)
    warnings += sink.warnings
    // Behind links, so that the folder is where the result will be.
    let target = try AtomicFile.resolved(output).string
    var journal = try VideoJournal(
      for: target, task: task(source, sink), restarts: options.restarts)
    if journal.segments.isEmpty {
      do { try sink.rehearse(in: journal.folder) } catch {
        // Nothing was done that could be gone on with.
        try? journal.remove()
        throw error
      }
    }
    let before = journal.frames
    report(
      .begun(
        width: frames.outputWidth, height: frames.outputHeight, done: before,
        of: source.frameCount))
    warnings += try compute(source, frames, sink, &journal, report)
    guard journal.frames > 0 else {
      throw VideoError.frames(path: input, expected: "frames", found: "none")
    }
    warnings += try sink.finish(journal, to: target)
    let count = journal.frames
    try journal.remove()
    return VideoReport(
      frames: count, doneBefore: before, width: source.width, height: source.height,
      outputWidth: frames.outputWidth, outputHeight: frames.outputHeight,
      seconds: start.duration(to: .now) / .seconds(1), warnings: warnings)
  }

  /// Enlarges one frame and writes it as an image, to be looked at before all are computed.
  ///
  /// - Parameter second: the time of the frame, from the beginning; of a sequence, by its rate.
  /// - Throws: as `enlarge`.
  public func preview(second: Double, of input: String, to output: String) throws -> VideoReport {
    let start = ContinuousClock.now
    let source = try source(input)
    let frames = try FrameComputation(enlargement, source)
    let found: FrameDecoder.Frame?
    switch source {
    case .video(let file, let programs):
      var decoder = try FrameDecoder(
        file, from: .second(second), deinterlaces: options.deinterlaces, programs)
      found = try decoder.next()
    case .images(_, let numbers, _, let rate):
      let place = Int(min(second * rate.value, 1e9))
      var images = try source.frames(from: min(place, numbers.count), deinterlaces: false)
      found = try images.next()
    }
    guard let found else {
      throw VideoError.frames(
        path: input, expected: "a frame at \(second) s", found: "none so late")
    }
    let image = try frames.results(for: [found.image])[0]
    try image.write(
      to: output, options: enlargement.encoding, threads: enlargement.threads)
    return VideoReport(
      frames: 1, doneBefore: 0, width: source.width, height: source.height,
      outputWidth: frames.outputWidth, outputHeight: frames.outputHeight,
      seconds: start.duration(to: .now) / .seconds(1),
      warnings: warnings(source) + frames.warnings(input))
  }

  private func source(_ input: String) throws -> FrameSource {
    let rate = TimeRatio(options.rate ?? "25")
    guard let rate, rate.value <= 1000 else {
      throw VideoError.frames(
        path: input, expected: "a rate of at most 1000 frames a second, such as 24000/1001",
        found: options.rate ?? "")
    }
    let source = try FrameSource(input, rate: rate) { try MediaPrograms() }
    if case .video(let file, _) = source, file.isInterlaced, !options.deinterlaces {
      throw VideoError.video(
        path: input, expected: "whole frames (--deinterlace makes them)",
        found: "interlaced ones, of two half images each")
    }
    return source
  }

  private func sink(
    _ output: String, _ source: FrameSource, _ frames: FrameComputation
  ) throws -> FrameSink {
    guard let names = FrameNames(output) else {
      if let format = ImageFormat.writing(output) {
        throw VideoError.result(
          path: output,
          expected: "the name of a video, or names of images with %d (--preview writes one image)",
          found: "that of one \(format) image")
      }
      return .video(
        try VideoResult(
          output, source, frames, options,
          { if case .video(_, let programs) = source { programs } else { try MediaPrograms() } }()))
    }
    guard ImageFormat.writing(output) != nil || enlargement.encoding.format != nil else {
      throw VideoError.result(
        path: output, expected: "an ending of \(ImageFormat.list(ImageFormat.writable))",
        found: "another")
    }
    if case .images(let read, _, _, _) = source, read == names {
      throw VideoError.result(
        path: output, expected: "other names than those of the input", found: "the same")
    }
    return .images(names, source, enlargement.encoding)
  }

  /// What the user should know of the input.
  private func warnings(_ source: FrameSource) -> [String] {
    guard case .video(let file, _) = source else { return [] }
    var warnings: [String] = []
    if !file.leftBehind.isEmpty {
      warnings.append("\(file.path): not carried: \(file.leftBehind.joined(separator: ", "))")
    }
    if file.colors.isHighRange {
      warnings.append(
        "\(file.path): its brightness is that of HDR, which networks are not trained for; mastering "
          + "data are not carried")
    }
    return warnings
  }

  /// All that the result depends on.
  private func task(_ source: FrameSource, _ sink: FrameSink) throws -> JSON {
    let stages: [JSON] = enlargement.stages.map { stage in
      [
        "name": .string(stage.model.name), "scale": .string("\(stage.ratio)"),
        "contentHash": .string(
          stage.model.weights.isEmpty ? "" : stage.model.checkpoint.contentHash),
        "configuration": stage.model.configuration,
        "image": .string("\(stage.model.picture)"),
        "precision": .string("\(stage.context.options.precision.map(\.rawValue) ?? "")"),
        "exact": .bool(stage.context.options.exact),
      ]
    }
    return [
      "version": .string(Aviary.version), "input": try source.identity, "stages": .array(stages),
      "target": .string(enlargement.target.map { "\($0)" } ?? ""),
      "crop": .string(enlargement.crop.map { "\($0)" } ?? ""),
      "ensemble": .bool(enlargement.isEnsemble), "seamless": .bool(enlargement.isSeamless),
      "blend": .string(enlargement.blend.map { "\($0)" } ?? ""),
      "deinterlaced": .bool(options.deinterlaces), "segment": .int(options.segment),
      "result": sink.identity,
    ]
  }

  /// Computes what is not done; gives what the decoder complained of.
  private func compute(
    _ source: FrameSource, _ computation: FrameComputation, _ sink: FrameSink,
    _ journal: inout VideoJournal, _ report: (VideoEvent) -> Void
  ) throws -> [String] {
    var frames = try source.frames(from: journal.frames, deinterlaces: options.deinterlaces)
    var outOfOrder = 0
    var lastTime = journal.lastTime
    /// As many as are computed at a time, and fewer at the end of the segment and of the video.
    func batch(_ frames: inout FrameSource.Frames, _ room: Int) throws -> [FrameDecoder.Frame] {
      var batch: [FrameDecoder.Frame] = []
      while batch.count < min(computation.batch, room), let frame = try frames.next() {
        batch.append(frame)
      }
      return batch
    }
    var next = try batch(&frames, options.segment)
    // Nothing is begun without a frame for it.
    while let first = next.first {
      var segment = VideoJournal.Segment(
        frames: 0, bytes: 0, first: first.time, last: first.time, duration: 0)
      var writer = try sink.segment(journal)
      let before = journal.frames
      while !next.isEmpty {
        let results = try computation.results(for: next.map(\.image))
        for (frame, image) in zip(next, results) {
          // No container has two frames at one time.
          var time = frame.time
          if let lastTime, time <= lastTime { (time, outOfOrder) = (lastTime + 1, outOfOrder + 1) }
          lastTime = time
          try writer.write(image, frame, at: time)
          if segment.frames == 0 { segment.first = time }
          segment.frames += 1
          (segment.last, segment.duration) = (time, frame.duration)
        }
        report(.progress(before + segment.frames))
        next = try batch(&frames, options.segment - segment.frames)
      }
      try writer.finish()
      try journal.add(segment, hasFile: sink.hasFiles)
      next = try batch(&frames, options.segment)
    }
    var warnings = try frames.finish().last.map { ["the decoder went on after: \($0)"] } ?? []
    if outOfOrder > 0 {
      warnings.append("\(outOfOrder) frames had the time of another; moved behind it")
    }
    return warnings
  }
}

/// Frames through the networks, small ones several at a time.
struct FrameComputation: Sendable {
  let outputWidth: Int
  let outputHeight: Int
  let outputFormat: PixelFormat
  /// How many are computed at a time.
  let batch: Int
  private let enlargement: Enlargement
  private let contexts: [InferenceContext]
  private let approximations: [String]

  /// Pixels of a frame that is worth no more than one thread.
  private static let small = 1 << 19

  /// Decides how frames are divided.
  ///
  /// - Throws: what planning throws.
  init(_ enlargement: Enlargement, _ source: FrameSource) throws {
    func route(_ contexts: [InferenceContext]) throws -> ImageRoute {
      try ImageRoute(
        enlargement, width: source.width, height: source.height, source: source.format, contexts)
    }
    let all = enlargement.stages.map(\.context)
    var chosen = (route: try route(all), contexts: all, batch: 1)
    if enlargement.threads > 1, source.width * source.height <= FrameComputation.small {
      let single = try enlargement.single
      let alone = try route(single)
      if alone.arenaBytes * enlargement.threads <= all[0].allowance.wanted {
        chosen = (alone, single, enlargement.threads)
      }
    }
    (outputWidth, outputHeight) = (chosen.route.outputWidth, chosen.route.outputHeight)
    outputFormat = chosen.route.outputFormat
    (contexts, batch, self.enlargement) = (chosen.contexts, chosen.batch, enlargement)
    approximations = chosen.route.stages.compactMap(\.inference.tileSize.approximation)
  }

  /// What the user should know.
  func warnings(_ path: String) -> [String] {
    enlargement.stages.compactMap(\.scaleWarning)
      + approximations.map { "\(path): tiles are an approximation (\($0))" }
  }

  /// The results for frames, in their order.
  ///
  /// - Throws: what computing throws.
  func results(for frames: [Image]) throws -> [Image] {
    guard frames.count > 1 else {
      return try frames.map { try enlargement.enlarge($0, contexts) }
    }
    let tasks = frames.map { frame in
      BackgroundTask<Image, any Error>.start { () throws(any Error) -> Image in
        try self.enlargement.enlarge(frame, self.contexts)
      }
    }
    return try tasks.map { try $0.value() }
  }
}
