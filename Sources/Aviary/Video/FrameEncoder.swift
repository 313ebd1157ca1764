internal import AviaryImage

/// How frames are stored in the result.
struct VideoEncoding: Sendable {
  /// ffmpeg's encoder and its options, one word each.
  let encoder: [String]
  /// How pixels are stored.
  let pixels: VideoFile.StoredPixels
  let colors: VideoColors
  /// The matrix to colours' luma.
  let matrix: String
  /// Of the frames that come: interleaved samples.
  let format: PixelFormat
  let width: Int
  let height: Int
  let timeBase: TimeRatio
  /// Of most frames.
  let rate: TimeRatio
  /// A pixel's width by its height; nil for square ones.
  let aspect: TimeRatio?

  /// What ffmpeg does with frames before they are encoded.
  fileprivate var filters: String {
    var filters: [String] = []
    if !pixels.isRGB {
      let range = colors.range == "pc" || pixels.name.hasPrefix("yuvj") ? "pc" : "tv"
      let isFull = range == "pc" || !pixels.isColor && colors.range == nil
      filters.append(
        "scale=in_range=pc:out_color_matrix=\(matrix):out_range=\(isFull ? "pc" : "tv")"
          + ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp")
    }
    filters.append("format=\(pixels.name)")
    let stated = [
      ("range", colors.range), ("colorspace", colors.space), ("color_trc", colors.transfer),
      ("color_primaries", colors.primaries),
    ].compactMap { name, value in value.map { "\(name)=\($0)" } }
    if !stated.isEmpty { filters.append("setparams=\(stated.joined(separator: ":"))") }
    filters.append("setsar=\(aspect?.text ?? "1/1")")
    return filters.joined(separator: ",")
  }
}

/// Frames on their way into one segment of the result: a file that is whole when `finish` returned.
struct FrameEncoder: ~Copyable {
  private let encoding: VideoEncoding
  private let subject: String
  private var process: ChildProcess
  /// Of the segment, in units of the time base.
  private var first: Int?

  /// Starts encoding.
  ///
  /// - Parameters:
  ///   - path: the file to write.
  ///   - subject: the result, for messages.
  /// - Throws: `VideoError`.
  init(
    _ encoding: VideoEncoding, to path: String, subject: String, _ programs: MediaPrograms
  ) throws(VideoError) {
    var process = try ChildProcess(
      programs.ffmpeg,
      ["-v", "error", "-y", "-f", "matroska", "-i", "pipe:0", "-map", "0:v:0"]
        + ["-vf", encoding.filters] + programs.keepsTimes
        + ["-enc_time_base", encoding.timeBase.option] + encoding.colors.options
        + ["-pix_fmt", encoding.pixels.name, "-c:v"] + encoding.encoder
        + ["-f", "nut", VideoFile.address(path)],
      takesInput: true, subject: subject)
    let duration = TimeRatio(encoding.rate.denominator, encoding.rate.numerator)
      .times(1, perSecond: 1_000_000_000)
    try process.send(
      RawMatroska.header(
        tag: encoding.format.rawTag, width: encoding.width, height: encoding.height,
        duration: max(duration ?? 0, 1)), subject)
    // A value that cannot be copied must not be left half made: nothing throws from here on.
    (self.encoding, self.subject) = (encoding, subject)
    self.process = process
  }

  /// Adds a frame.
  ///
  /// - Parameter time: in units of the time base.
  /// - Throws: `VideoError.program` where ffmpeg fails, `.video` for a time that none has.
  mutating func write(_ image: Image, at time: Int) throws(VideoError) {
    let first = first ?? time
    self.first = first
    guard let moment = encoding.timeBase.times(time - first, perSecond: 1_000_000_000) else {
      throw .video(
        path: subject, expected: "times of less than 68 years",
        found: "\(time) x \(encoding.timeBase.text) s")
    }
    let bytes = image.interleaved
    try process.send(RawMatroska.frame(time: moment, count: bytes.count), subject)
    try process.send(bytes, subject)
  }

  /// Waits until all is encoded.
  ///
  /// - Throws: `VideoError.program`.
  mutating func finish() throws(VideoError) { try process.succeed(subject) }
}

extension ChildProcess {
  /// Hands it bytes, all of which it must take.
  ///
  /// - Throws: `VideoError.program` with its own word where it ended.
  fileprivate mutating func send(_ bytes: [UInt8], _ subject: String) throws(VideoError) {
    if write(bytes) { return }
    try succeed(subject)
    throw .program("ffmpeg", path: subject, reason: "it ended before all frames were there")
  }
}
