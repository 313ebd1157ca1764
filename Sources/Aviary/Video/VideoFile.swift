internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage

/// What a file with a video in it says of that video, and of what lies beside it.
struct VideoFile: Sendable {
  let path: String
  /// The number of the video's stream.
  let index: Int
  /// Columns, as it is seen.
  let width: Int
  /// Rows.
  let height: Int
  /// How its pixels are stored.
  let pixels: StoredPixels
  let colors: VideoColors
  /// The unit of its times.
  let timeBase: TimeRatio
  /// Frames in a second, on average; nil where the file does not say.
  let rate: TimeRatio?
  /// A pixel's width by its height; nil for square ones.
  let aspect: TimeRatio?
  /// About how many frames there are; nil where nothing says.
  let frameCount: Int?
  let isInterlaced: Bool
  /// The numbers of the streams that are carried.
  let carried: [Int]
  /// Of these, those of subtitles.
  let subtitles: [Int]
  /// What is left behind, in words.
  let leftBehind: [String]

  /// How a file stores pixels.
  struct StoredPixels: Sendable {
    /// What ffmpeg calls it.
    var name: String
    var hasAlpha: Bool
    /// Whether it has colours.
    var isColor: Bool
    /// Whether colours are red, green and blue, or a palette of those.
    var isRGB: Bool
    var bitDepth: Int
    /// How many columns, and rows, share one colour.
    var sharing: (x: Int, y: Int)

    /// What is handed over of it.
    var format: PixelFormat {
      PixelFormat(
        isColor || hasAlpha ? .rgb : .gray, hasAlpha: hasAlpha,
        bitDepth: bitDepth > 8 ? .sixteen : .eight)
    }
  }

  /// Asks ffprobe.
  ///
  /// - Throws: `VideoError.program` for what it cannot read; `.video` for a file without a video, and
  ///   for one that is not enlarged.
  init(_ path: String, _ programs: MediaPrograms) throws {
    // The system's own word, where nothing is there.
    _ = try InputFile(path)
    let answer = try programs.probe(
      ["-show_streams", "-show_format", VideoFile.address(path)], subject: path)
    let streams = answer["streams"]?.array ?? []
    let stream = streams.first {
      $0["codec_type"]?.string == "video" && $0["disposition"]?["attached_pic"]?.int != 1
    }
    guard let stream, let index = stream["index"]?.int else {
      throw VideoError.video(
        path: path, expected: "a video",
        found: streams.isEmpty
          ? "nothing that ffprobe knows"
          : streams.compactMap { $0["codec_type"]?.string }.joined(separator: ", "))
    }
    guard let width = stream["width"]?.int, let height = stream["height"]?.int, width > 0,
      height > 0, let name = stream["pix_fmt"]?.string,
      let timeBase = TimeRatio(stream["time_base"]?.string)
    else {
      throw VideoError.video(
        path: path, expected: "a size, a format of pixels and a unit of time",
        found: "a video without (\(stream["codec_name"]?.string ?? "of an unknown codec"))")
    }
    guard width <= 1 << 16, height <= 1 << 16, width * height <= 1 << 27 else {
      throw VideoError.video(
        path: path, expected: "frames of 2^27 pixels at most", found: "\(width)x\(height)")
    }
    let rotation =
      stream["side_data_list"]?.array?.compactMap { $0["rotation"]?.double }.first ?? 0
    // ffmpeg turns frames upright when it decodes.
    let isTurned = Int(rotation.magnitude.rounded()) % 180 == 90
    (self.width, self.height) = isTurned ? (height, width) : (width, height)
    pixels = try StoredPixels(name, programs, subject: path)
    colors = VideoColors(stream)
    try colors.check(pixels, path)
    (self.path, self.index, self.timeBase) = (path, index, timeBase)
    rate = TimeRatio(stream["avg_frame_rate"]?.string) ?? TimeRatio(stream["r_frame_rate"]?.string)
    let aspect = TimeRatio(stream["sample_aspect_ratio"]?.string)
    let turned = isTurned ? aspect.map { TimeRatio($0.denominator, $0.numerator) } : aspect
    self.aspect = turned.flatMap { $0.numerator == $0.denominator ? nil : $0 }
    let seconds = [stream["duration"], answer["format"]?["duration"]].lazy
      .compactMap { $0?.string.flatMap(Double.init) }.first { $0 > 0 && $0 < 1e9 }
    let rate = rate
    frameCount =
      stream["nb_frames"]?.string.flatMap { Int($0) }
      ?? seconds.flatMap { seconds in rate.map { Int((seconds * $0.value).rounded()) } }
    isInterlaced = ["tt", "bb", "tb", "bt"].contains(stream["field_order"]?.string ?? "")
    var (carried, subtitles): ([Int], [Int]) = ([], [])
    var leftBehind: [String] = []
    for other in streams where other["index"]?.int != index {
      guard let number = other["index"]?.int else { continue }
      let kind = other["codec_type"]?.string ?? "unknown"
      let isCover = other["disposition"]?["attached_pic"]?.int == 1
      if ["audio", "subtitle", "attachment"].contains(kind) || isCover {
        carried.append(number)
        if kind == "subtitle" { subtitles.append(number) }
      } else {
        leftBehind.append("stream \(number) (\(kind == "video" ? "another video" : kind))")
      }
    }
    (self.carried, self.subtitles, self.leftBehind) = (carried, subtitles, leftBehind)
  }

  /// A path as ffmpeg's programs take it, whatever it looks like.
  static func address(_ path: String) -> String { "file:\(path)" }
}

extension VideoFile.StoredPixels {
  /// Asks ffprobe what its name means.
  init(_ name: String, _ programs: MediaPrograms, subject: String) throws(VideoError) {
    let answer = try programs.probe(["-show_pixel_formats"], subject: subject)
    let format = answer["pixel_formats"]?.array?.first { $0["name"]?.string == name }
    let flags = format?["flags"]
    let depth = format?["components"]?.array?.compactMap { $0["bit_depth"]?.int }.max()
    guard let format, let depth, depth <= 16, flags?["hwaccel"]?.int != 1 else {
      throw .video(
        path: subject, expected: "pixels of at most 16 bits", found: "\(name), which has other")
    }
    self.name = name
    hasAlpha = flags?["alpha"]?.int == 1
    let isPalette = flags?["palette"]?.int == 1
    isRGB = flags?["rgb"]?.int == 1 || isPalette || name.hasPrefix("bayer")
    isColor = isRGB || (format["nb_components"]?.int ?? 0) >= 3
    bitDepth = depth
    func shared(_ member: String) -> Int { 1 << min(max(format[member]?.int ?? 0, 0), 4) }
    sharing = (shared("log2_chroma_w"), shared("log2_chroma_h"))
  }
}

/// How a video's colours are meant, by the names that ffmpeg gives to the code points of ITU-T H.273;
/// nil where the file does not say.
struct VideoColors: Hashable, Sendable {
  var range: String?
  var space: String?
  var transfer: String?
  var primaries: String?

  init(range: String?, space: String?, transfer: String?, primaries: String?) {
    (self.range, self.space, self.transfer, self.primaries) = (range, space, transfer, primaries)
  }

  /// What ffprobe says of a stream.
  init(_ stream: JSON) {
    func tag(_ member: String) -> String? {
      stream[member]?.string.flatMap {
        ["unknown", "unspecified", "reserved"].contains($0) ? nil : $0
      }
    }
    range = tag("color_range")
    space = tag("color_space")
    transfer = tag("color_transfer")
    primaries = tag("color_primaries")
  }

  /// BT.709, as videos of images are stored.
  static let usual = VideoColors(
    range: "tv", space: "bt709", transfer: "bt709", primaries: "bt709")

  /// The matrices between RGB and luma and colour differences that swscale has, by its names.
  private static let matrices = [
    "bt709": "bt709", "fcc": "fcc", "bt470bg": "bt601", "smpte170m": "bt601",
    "smpte240m": "smpte240m", "bt2020nc": "bt2020",
  ]

  /// Throws for colours that are not converted to RGB and back.
  func check(_ pixels: VideoFile.StoredPixels, _ path: String) throws(VideoError) {
    guard let space, !pixels.isRGB, pixels.isColor, VideoColors.matrices[space] == nil else {
      return
    }
    throw .video(
      path: path,
      expected:
        "a matrix of colours of \(VideoColors.matrices.keys.sorted().joined(separator: ", "))",
      found: space)
  }

  /// The matrix of frames of this height: that which players take where the file says none.
  func matrix(height: Int) -> String {
    space.flatMap { VideoColors.matrices[$0] } ?? (height >= 720 ? "bt709" : "bt601")
  }

  /// Whether brightness is that of a display of more range than the network was trained for.
  var isHighRange: Bool { ["smpte2084", "arib-std-b67"].contains(transfer) }

  /// What the result says: the same, and the matrix where players would take another one for frames
  /// of the result's size.
  func result(height: Int, of source: Int) -> VideoColors {
    var colors = self
    if space == nil, matrix(height: height) != matrix(height: source) {
      colors.space = matrix(height: source) == "bt601" ? "smpte170m" : "bt709"
    }
    return colors
  }

  /// As options of an encoder.
  var options: [String] {
    [
      ("-color_range", range), ("-colorspace", space), ("-color_trc", transfer),
      ("-color_primaries", primaries),
    ].flatMap { name, value in value.map { [name, $0] } ?? [] }
  }
}
