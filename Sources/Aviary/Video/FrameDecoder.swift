internal import AviaryImage
internal import Glibc

/// The frames of a video, one after the other, with their times.
///
/// ffmpeg decodes and turns colours into RGB of the full range; the times come by a pipe of their own,
/// because raw frames have none. Both pipes are read as they fill: ffmpeg may be a frame ahead on either.
struct FrameDecoder: ~Copyable {
  /// One frame.
  struct Frame: Sendable {
    let image: Image
    /// In units of the video's time base, from the file's start.
    let time: Int
    /// How long it is shown; 0 where nothing says.
    let duration: Int
    /// What an image file says besides.
    var metadata = ImageMetadata()
  }

  /// Where to begin.
  enum Start {
    /// With a frame, counted from 0.
    case frame(Int)
    /// With the first frame that is not before this, in seconds.
    case second(Double)
  }

  private let file: VideoFile
  private var process: ChildProcess
  private let byteCount: Int
  /// Whole frames that were read ahead, and the beginning of the next.
  private var bytes: [UInt8] = []
  /// Where in `bytes` the next frame begins.
  private var position = 0
  /// What was read of the times; whole lines are taken off.
  private var text: [UInt8] = []
  private var isOpen = [true, true]

  /// Starts decoding.
  ///
  /// - Parameters:
  ///   - deinterlaces: whether the two fields of a frame are made one image.
  ///   - subject: the file, for messages.
  /// - Throws: `VideoError`.
  init(
    _ file: VideoFile, from start: Start, deinterlaces: Bool, _ programs: MediaPrograms
  ) throws(VideoError) {
    self.file = file
    let format = file.pixels.format
    byteCount = file.width * file.height * format.channels * format.bitDepth.byteCount
    var filters: [String] = []
    var seeking: [String] = []
    // Frames that are made of two must be made before they are counted.
    if deinterlaces { filters.append("bwdif=mode=send_frame") }
    switch start {
    case .frame(0): break
    case .frame(let number): filters.append("select='gte(n,\(number))'")
    case .second(let second): seeking = ["-ss", "\(second)"]
    }
    var scale = "scale=\(file.width):\(file.height)"
    if !file.pixels.isRGB {
      let range = file.colors.range == "pc" || file.pixels.name.hasPrefix("yuvj") ? "pc" : "tv"
      // Gray without a word is of the full range.
      let isFull = range == "pc" || !file.pixels.isColor && file.colors.range == nil
      scale +=
        ":in_color_matrix=\(file.colors.matrix(height: file.height))"
        + ":in_range=\(isFull ? "pc" : "tv"):out_range=pc"
    }
    scale += ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
    filters += [scale, "format=\(format.rawName)", "split[a][c];[c]crop=1:1[b]"]
    let graph = "[0:\(file.index)]\(filters.joined(separator: ","))"
    let times = programs.keepsTimes + ["-enc_time_base", file.timeBase.option]
    process = try ChildProcess(
      programs.ffmpeg,
      ["-nostdin", "-v", "error"] + seeking + ["-i", VideoFile.address(file.path)]
        + ["-filter_complex", graph]
        + ["-map", "[a]"] + times + ["-c:v", "rawvideo", "-f", "rawvideo", "pipe:1"]
        + ["-map", "[b]"] + times
        + ["-c:v", "rawvideo", "-flush_packets", "1", "-f", "framecrc", "pipe:3"],
      outputs: 2, subject: file.path)
  }

  /// The next frame; nil after the last.
  ///
  /// - Throws: `VideoError.program` where ffmpeg fails; `.frames` where it breaks off.
  mutating func next() throws -> Frame? {
    while bytes.count - position < byteCount, isOpen[0] { try fill() }
    guard bytes.count - position >= byteCount else {
      guard bytes.count == position else { throw brokenOff("a part of one") }
      return nil
    }
    var line = try takeLine()
    while line == nil, isOpen[1] {
      try fill()
      line = try takeLine()
    }
    guard let line else { throw brokenOff("a frame without a time") }
    let image = try Image(
      interleaved: Array(bytes[position..<position + byteCount]), width: file.width,
      height: file.height, format: file.pixels.format)
    position += byteCount
    if position == bytes.count { (bytes, position) = ([], 0) }
    return Frame(image: image, time: line.time, duration: line.duration)
  }

  /// Ends it once there are no frames left.
  ///
  /// - Returns: what ffmpeg complained of and went on.
  /// - Throws: `VideoError.program`.
  mutating func finish() throws(VideoError) -> [String] { try process.succeed(file.path) }

  private mutating func brokenOff(_ found: String) -> any Error {
    // Its own word says more.
    do throws(VideoError) { try process.succeed(file.path) } catch { return error }
    return VideoError.frames(path: file.path, expected: "whole frames", found: found)
  }

  /// Waits until one of the pipes has something, and takes it.
  private mutating func fill() throws(VideoError) {
    var waiting = process.outputs.enumerated().map { place, descriptor in
      // What is below 0 is left out.
      pollfd(fd: isOpen[place] ? descriptor : -1, events: Int16(POLLIN), revents: 0)
    }
    while unsafe poll(&waiting, nfds_t(waiting.count), -1) < 0, errno == EINTR {}
    for place in waiting.indices where waiting[place].revents != 0 {
      // As much as a pipe holds.
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = unsafe read(waiting[place].fd, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 {
        isOpen[place] = false
      } else if place == 0 {
        // What was handed over goes before memory is taken for more.
        if position > 0 {
          bytes.removeFirst(position)
          position = 0
        }
        bytes += buffer[..<count]
      } else {
        text += buffer[..<count]
      }
    }
  }

  /// The time and the duration of the next line; nil where it is not there as a whole.
  ///
  /// A line is `stream, decoding time, time, duration, bytes, checksum`; those before the first
  /// frame begin with `#`.
  private mutating func takeLine() throws -> (time: Int, duration: Int)? {
    while let end = text.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: text[..<end], as: UTF8.self)
      text.removeFirst(end + 1)
      guard !line.hasPrefix("#") else { continue }
      let fields = line.split(separator: ",").map { Int($0.filter { !$0.isWhitespace }) }
      guard fields.count >= 4, let time = fields[2] else { throw brokenOff(line) }
      return (time, max(fields[3] ?? 0, 0))
    }
    return nil
  }
}

extension PixelFormat {
  /// What ffmpeg calls interleaved samples of this format, 16 bits with the low byte first.
  var rawName: String {
    let isDeep = bitDepth != .eight
    return switch (color, hasAlpha) {
    case (.gray, false): isDeep ? "gray16le" : "gray"
    case (_, false): isDeep ? "rgb48le" : "rgb24"
    case (_, true): isDeep ? "rgba64le" : "rgba"
    }
  }

  /// What Matroska calls them.
  var rawTag: [UInt8] {
    let isDeep = bitDepth != .eight
    return switch (color, hasAlpha) {
    case (.gray, false): isDeep ? [0x59, 0x31, 0, 16] : Array("Y800".utf8)
    case (_, false): isDeep ? Array("RGB0".utf8) : [0x52, 0x47, 0x42, 24]
    case (_, true): isDeep ? [0x52, 0x42, 0x41, 64] : Array("RGBA".utf8)
    }
  }
}
