internal import AviaryGraph
internal import FoundationEssentials
internal import Glibc

/// ffmpeg's programs, found on PATH.
struct MediaPrograms: Sendable {
  /// Decodes and encodes.
  let ffmpeg: String
  /// Says what a file holds.
  let ffprobe: String
  /// The option that keeps frames at their own times, whose name changed.
  let keepsTimes: [String]

  /// Finds them.
  ///
  /// - Throws: `VideoError.noProgram` where one is missing.
  init() throws(VideoError) {
    func found(_ name: String) throws(VideoError) -> String {
      let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
      for folder in folders {
        let path = "\(folder)/\(name)"
        if unsafe access(path, X_OK) == 0 { return path }
      }
      throw .noProgram(name)
    }
    ffmpeg = try found("ffmpeg")
    ffprobe = try found("ffprobe")
    let text = try MediaPrograms.output(ffmpeg, ["-hide_banner", "-version"], subject: "ffmpeg")
    // `ffmpeg version 4.4.2-0ubuntu`; what is built from a repository says no number, and is new.
    let numbers =
      text.split(separator: " ").dropFirst(2).first?
      .split { !$0.isNumber }.prefix(2).compactMap { Int($0) } ?? []
    let isOld = numbers.count == 2 && (numbers[0], numbers[1]) < (5, 1)
    keepsTimes = [isOld ? "-vsync" : "-fps_mode", "passthrough"]
  }

  /// What a program writes to standard output.
  ///
  /// - Throws: `VideoError.program` where it fails.
  static func output(
    _ program: String, _ arguments: [String], subject: String
  ) throws(VideoError) -> String {
    var process = try ChildProcess(program, arguments, outputs: 1, subject: subject)
    let bytes = process.rest()
    try process.succeed(subject)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What ffprobe says, as JSON.
  ///
  /// - Throws: `VideoError.program`.
  func probe(_ arguments: [String], subject: String) throws(VideoError) -> JSON {
    let text = try MediaPrograms.output(
      ffprobe, ["-v", "error", "-of", "json"] + arguments, subject: subject)
    do throws(GraphError) { return try JSON(parsing: text) } catch {
      throw .program("ffprobe", path: subject, reason: "\(error)")
    }
  }

  /// The formats of pixels that an encoder takes; nil where it does not say.
  ///
  /// - Throws: `VideoError.result` for an encoder that this ffmpeg lacks.
  func pixelFormats(encoder: String, path: String) throws(VideoError) -> Set<String>? {
    let text = try MediaPrograms.output(
      ffmpeg, ["-hide_banner", "-h", "encoder=\(encoder)"], subject: path)
    guard text.hasPrefix("Encoder ") else {
      throw .result(
        path: path, expected: "an encoder that ffmpeg has (ffmpeg -encoders)", found: encoder)
    }
    let title = "Supported pixel formats:"
    let line = text.split(whereSeparator: \.isNewline).first { $0.contains(title) }
    return line.map { line in
      Set(line.split(separator: " ").map(String.init)).subtracting(
        title.split(separator: " ").map(String.init))
    }
  }
}

/// A fraction as ffmpeg writes it: `30000/1001`.
struct TimeRatio: Hashable, Sendable {
  var numerator: Int
  var denominator: Int

  init(_ numerator: Int, _ denominator: Int) {
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  /// Nil unless both are numbers above 0.
  init?(_ text: String?) {
    let parts = text?.split { $0 == "/" || $0 == ":" }.compactMap { Int($0) } ?? []
    guard let first = parts.first, first > 0 else { return nil }
    let second = parts.count > 1 ? parts[1] : 1
    guard parts.count < 3, second > 0 else { return nil }
    self.init(first, second)
  }

  /// As filters take it.
  var text: String { "\(numerator)/\(denominator)" }
  /// As options take it.
  var option: String { "\(numerator):\(denominator)" }
  var value: Double { Double(numerator) / Double(denominator) }

  /// So many of it, in parts of a second, rounded to the nearest; nil for times that no video has.
  ///
  /// - Parameters:
  ///   - count: not negative.
  ///   - unit: parts in a second, 10^9 at most.
  func times(_ count: Int, perSecond unit: Int) -> Int? {
    // 68 years in nanoseconds fit.
    guard count >= 0, Double(count) * value < 0x1p31 else { return nil }
    let (ticks, overflows) = count.multipliedReportingOverflow(by: numerator)
    guard !overflows else { return nil }
    let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: denominator)
    let (parts, isLarge) = rest.multipliedReportingOverflow(by: unit)
    guard !isLarge else { return nil }
    return seconds * unit + (parts + denominator / 2) / denominator
  }
}
