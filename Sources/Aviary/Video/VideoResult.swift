internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import FoundationEssentials
internal import Glibc

/// A video that is to be written: how its frames are encoded, and what is put beside them.
struct VideoResult: Sendable {
  let path: String
  /// What the user should know.
  private(set) var warnings: [String] = []
  private let encoding: VideoEncoding
  private let programs: MediaPrograms
  /// Where sound and texts come from; nil for a sequence of images.
  private let source: VideoFile?
  /// The numbers of the streams that are carried.
  private let carried: [Int]

  /// Decides how frames are stored.
  ///
  /// - Throws: `VideoError.result` for what the encoder does not take.
  init(
    _ path: String, _ source: FrameSource, _ frames: FrameComputation, _ options: VideoOptions,
    _ programs: MediaPrograms
  ) throws {
    (self.path, self.programs) = (path, programs)
    let encoder = options.encoder(for: path)
    let format = frames.outputFormat
    var file: VideoFile?
    if case .video(let found, _) = source { file = found }
    let taken = try programs.pixelFormats(encoder: encoder[0], path: path)
    let wanted =
      options.pixelFormat.map { [$0] }
      ?? VideoResult.pixelFormats(for: format, of: file, source.format)
    guard let name = wanted.first(where: { taken?.contains($0) ?? true }) else {
      throw VideoError.result(
        path: path,
        expected: "pixels that \(encoder[0]) takes (--encoder and --pixel-format state others): "
          + (taken ?? []).sorted().joined(separator: ", "), found: wanted.joined(separator: ", "))
    }
    let pixels = try VideoFile.StoredPixels(name, programs, subject: path)
    let (width, height) = (frames.outputWidth, frames.outputHeight)
    guard width % pixels.sharing.x == 0, height % pixels.sharing.y == 0 else {
      throw VideoError.result(
        path: path,
        expected: "sides in multiples of \(pixels.sharing.x) and \(pixels.sharing.y) for \(name) "
          + "(--width and --height or --crop make them; --pixel-format yuv444p takes any)",
        found: "\(width)x\(height)")
    }
    let byteCount = width * height * format.channels * format.bitDepth.byteCount
    guard byteCount < RawMatroska.mostBytes - 64 else {
      throw VideoError.result(
        path: path, expected: "frames below 256 MiB", found: "\(byteCount >> 20) MiB")
    }
    if format.hasAlpha, !pixels.hasAlpha {
      warnings.append("\(path): \(name) does not hold alpha, which is left out")
    }
    if format.bitDepth == .sixteen, pixels.bitDepth <= 8 {
      warnings.append("\(path): \(name) holds 8 bits of more")
    }
    // What was RGB has no matrix of its own.
    let hasOwn = file.map { !$0.pixels.isRGB && $0.pixels.isColor } ?? false
    var colors = hasOwn ? file?.colors ?? .usual : .usual
    if hasOwn, let file { colors = colors.result(height: height, of: file.height) }
    if !pixels.isColor { colors = file?.colors ?? colors }
    if pixels.isRGB { colors.space = nil }
    let matrix = hasOwn ? file?.colors.matrix(height: file?.height ?? height) : nil
    encoding = VideoEncoding(
      encoder: encoder, pixels: pixels, colors: colors,
      matrix: matrix ?? colors.matrix(height: height), format: format, width: width,
      height: height, timeBase: source.timeBase, rate: file?.rate ?? VideoResult.rate(source),
      aspect: file?.aspect)
    self.source = file
    let subtitles = options.carriesSubtitles ? [] : file?.subtitles ?? []
    carried = file?.carried.filter { !subtitles.contains($0) } ?? []
  }

  private static func rate(_ source: FrameSource) -> TimeRatio {
    if case .images(_, _, _, let rate) = source { rate } else { TimeRatio(25, 1) }
  }

  /// How pixels may be stored, the best first: as those of the input, where the channels are the same.
  private static func pixelFormats(
    for format: PixelFormat, of file: VideoFile?, _ source: PixelFormat
  ) -> [String] {
    let isDeep = format.bitDepth != .eight
    let ending = isDeep ? "10le" : ""
    var names: [String] = []
    if let file, source.color == format.color, source.hasAlpha == format.hasAlpha {
      names.append(file.pixels.name)
    }
    if format.hasAlpha {
      return names + ["yuva444p\(ending)", "yuva420p\(ending)", isDeep ? "rgba64le" : "rgba"]
    }
    if format.color == .gray { names.append("gray\(ending)") }
    // Colours of a screen are as fine as its brightness.
    if file?.pixels.isRGB == true { names.append("yuv444p\(ending)") }
    return names + ["yuv420p\(ending)"]
  }

  /// What the result depends on.
  var identity: JSON {
    [
      "path": .string(path.pathText), "encoder": .array(encoding.encoder.map(JSON.string)),
      "pixels": .string(encoding.pixels.name), "colors": .string("\(encoding.colors)"),
      "rate": .string(encoding.rate.text), "size": [.int(encoding.width), .int(encoding.height)],
      "carried": .array(carried.map(JSON.int)),
    ]
  }

  /// Begins a segment.
  func encoder(to path: String) throws(VideoError) -> FrameEncoder {
    try FrameEncoder(encoding, to: path, subject: self.path, programs)
  }

  /// Makes a video of one black frame with all that is carried: what the encoder or the container does
  /// not take shows before hours of work.
  func rehearse(in folder: String) throws {
    let frame = try Image(width: encoding.width, height: encoding.height, format: encoding.format)
    var encoder = try encoder(to: "\(folder)/rehearsal.nut")
    try encoder.write(frame, at: 0)
    try encoder.finish()
    let result = "\(folder)/rehearsal.\(ending)"
    do {
      try assemble(
        [(file: "rehearsal.nut", duration: 1_000_000)], start: 0, in: folder, to: result,
        limit: ["-t", "0.5"])
    } catch VideoError.program(let program, let path, let reason) {
      guard !carried.isEmpty else {
        throw VideoError.program(program, path: path, reason: reason)
      }
      throw VideoError.program(
        program, path: path,
        reason:
          "\(reason) (not every container holds every kind of subtitles and sound: .mkv holds "
          + "most; --no-subtitles leaves those out)")
    }
    for name in ["rehearsal.nut", "rehearsal.\(ending)"] {
      _ = unsafe "\(folder)/\(name)".withPath { unsafe unlink($0) }
    }
  }

  private var ending: String {
    path.lastIndex(of: ".").map { String(path[path.index(after: $0)...]) } ?? "mkv"
  }

  /// Puts segments together, with what is carried, in the result's place.
  ///
  /// - Returns: what the user should know.
  /// - Throws: `VideoError`, where ffmpeg fails or the result is not as it should be; `FileError`.
  func finish(_ journal: borrowing VideoJournal, to target: String) throws -> [String] {
    let unit = encoding.timeBase
    func microseconds(_ count: Int) throws(VideoError) -> Int {
      guard let time = unit.times(max(count, 0), perSecond: 1_000_000) else {
        throw .video(
          path: path, expected: "times of less than 68 years", found: "\(count) x \(unit.text) s")
      }
      return time
    }
    let segments = journal.segments
    var parts: [(file: String, duration: Int)] = []
    for (number, segment) in segments.enumerated() {
      let next =
        number + 1 < segments.count
        ? segments[number + 1].first : segment.last + max(segment.duration, 1)
      parts.append(
        (VideoJournal.name(number), try microseconds(next - segment.first)))
    }
    let first = segments.first?.first ?? 0
    let result = "\(journal.folder)/result.\(ending)"
    try assemble(
      parts, start: first < 0 ? -(try microseconds(-first)) : try microseconds(first),
      in: journal.folder, to: result, limit: [])
    let warnings = try check(result, frames: journal.frames)
    _ = try VideoJournal.move(result, to: target)
    return warnings
  }

  /// Copies segments, and what is carried, into a container.
  ///
  /// - Parameters:
  ///   - parts: names in the folder, and durations in microseconds.
  ///   - start: the time of the first frame, in microseconds from the source's beginning.
  private func assemble(
    _ parts: [(file: String, duration: Int)], start: Int, in folder: String, to result: String,
    limit: [String]
  ) throws {
    func seconds(_ microseconds: Int) -> String {
      let digits = String(microseconds.magnitude)
      let padded = String(repeating: "0", count: max(7 - digits.count, 0)) + digits
      return (microseconds < 0 ? "-" : "") + padded.dropLast(6) + "." + padded.suffix(6)
    }
    let lines = parts.map { "file '\($0.file)'\nduration \(seconds($0.duration))\n" }
    let list = "\(folder)/list.ffconcat"
    let file = try AtomicFile(replacing: list)
    try file.write(Array("ffconcat version 1.0\n\(lines.joined())".utf8))
    try file.commit(isTemporary: true)
    var arguments = ["-nostdin", "-v", "error", "-y", "-itsoffset", seconds(start)]
    arguments += ["-f", "concat", "-safe", "0", "-i", VideoFile.address(list)]
    if let source { arguments += ["-i", VideoFile.address(source.path)] }
    arguments += ["-map", "0:v:0"]
    for number in carried { arguments += ["-map", "1:\(number)"] }
    if let source {
      arguments += ["-map_metadata", "1", "-map_chapters", "1"]
      // One stream's own said, all must be.
      for (place, number) in ([source.index] + carried).enumerated() {
        arguments += ["-map_metadata:s:\(place)", "1:s:\(number)"]
      }
    }
    arguments += ["-c", "copy"] + limit
    // These count in a unit of their own, which should be that of the source.
    let unit = encoding.timeBase
    if ["mp4", "m4v", "mov"].contains(ending.lowercased()) {
      if unit.numerator == 1 || unit.denominator % unit.numerator == 0 {
        arguments += ["-video_track_timescale", "\(unit.denominator / unit.numerator)"]
      } else {
        arguments += ["-video_track_timescale", "\(unit.denominator)"]
      }
      arguments += ["-movflags", "+faststart"]
    }
    var process = try ChildProcess(
      programs.ffmpeg, arguments + [VideoFile.address(result)], subject: path)
    try process.succeed(path)
  }

  /// Reads the result again: all frames must be there.
  private func check(_ result: String, frames: Int) throws -> [String] {
    let answer = try programs.probe(
      [
        "-count_packets", "-select_streams", "v:0", "-show_streams", VideoFile.address(result),
      ], subject: path)
    let stream = answer["streams"]?.array?.first
    let found = stream?["nb_read_packets"]?.string.flatMap { Int($0) } ?? 0
    guard found == frames, let stream else {
      throw VideoError.result(path: path, expected: "\(frames) frames", found: "\(found)")
    }
    let colors = VideoColors(stream)
    let tags = [
      ("range", encoding.colors.range, colors.range),
      ("matrix", encoding.colors.space, colors.space),
      ("transfer", encoding.colors.transfer, colors.transfer),
      ("primaries", encoding.colors.primaries, colors.primaries),
    ].filter { $0.1 != nil && $0.1 != $0.2 }
    return tags.isEmpty
      ? []
      : [
        "\(path): does not say what its colours are: "
          + tags.map { "\($0.0) \($0.1 ?? "")" }.joined(separator: ", ")
      ]
  }
}
