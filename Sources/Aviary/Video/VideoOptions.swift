/// How videos are enlarged.
public struct VideoOptions: Sendable {
  /// ffmpeg's encoder and its options, as they stand on its command line after `-c:v`; nil for what is
  /// usual for the result's ending.
  public var encoder: String?
  /// How pixels are stored, by ffmpeg's name; nil for the way of the input, where the encoder has it.
  public var pixelFormat: String?
  /// Frames a second of a sequence of images, such as `24000/1001`; nil for 25.
  public var rate: String?
  /// Frames of a segment: so many are lost at most where the work is ended.
  public var segment = 100
  /// Whether what another run left unfinished is thrown away.
  public var restarts = false
  /// Whether the two fields of an interlaced frame are made one image.
  public var deinterlaces = false
  /// Whether subtitles are carried.
  public var carriesSubtitles = true

  /// What is usual.
  public init() {}

  /// The usual encoder for a name, one word each.
  func encoder(for path: String) -> [String] {
    if let encoder {
      let words = encoder.split(separator: " ").map(String.init)
      if !words.isEmpty { return words }
    }
    return path.lowercased().hasSuffix(".webm")
      ? ["libvpx-vp9", "-crf", "18", "-b:v", "0", "-row-mt", "1"]
      : ["libx264", "-preset", "medium", "-crf", "16"]
  }
}

/// What is told while a video is enlarged.
public enum VideoEvent: Sendable {
  /// The result's columns and rows, the frames that were done before, and about how many there are.
  case begun(width: Int, height: Int, done: Int, of: Int?)
  /// So many frames are done.
  case progress(Int)
}

/// What was done to enlarge a video.
public struct VideoReport: Codable, Sendable {
  /// Frames of the result.
  public var frames: Int
  /// Frames that another run had done before.
  public var doneBefore: Int
  /// Columns of a frame of the input.
  public var width: Int
  /// Rows of a frame of the input.
  public var height: Int
  /// Columns of a frame of the result.
  public var outputWidth: Int
  /// Rows of a frame of the result.
  public var outputHeight: Int
  /// The time that this run took.
  public var seconds: Double
  /// What the user should know.
  public var warnings: [String]
}
