internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import FoundationEssentials

/// Where frames go: into a video, or images whose names are numbered.
enum FrameSink {
  case video(VideoResult)
  case images(FrameNames, FrameSource, EncodingOptions)

  /// What the user should know of the result.
  var warnings: [String] {
    if case .video(let result) = self { result.warnings } else { [] }
  }

  /// Whether a segment is a file of its own.
  var hasFiles: Bool {
    if case .video = self { true } else { false }
  }

  /// What of it the result depends on.
  var identity: JSON {
    switch self {
    case .video(let result): result.identity
    case .images(let names, _, let encoding):
      ["path": .string(names.pattern.pathText), "encoding": .string("\(encoding)")]
    }
  }

  /// Finds out whether the result can be written, before anything is computed.
  func rehearse(in folder: String) throws {
    switch self {
    case .video(let result): try result.rehearse(in: folder)
    case .images(let names, _, _): try Folder.make(names.pattern.folder)
    }
  }

  /// Begins the next segment.
  func segment(_ journal: borrowing VideoJournal) throws -> Segment {
    switch self {
    case .video(let result):
      return Segment(encoder: try result.encoder(to: journal.nextPath))
    case .images(let names, let source, let encoding):
      // As ffmpeg counts; images keep their numbers.
      var first = journal.frames + 1
      if case .images(_, let numbers, _, _) = source {
        first = numbers.lowerBound + journal.frames
      }
      return Segment(names: names, first: first, encoding: encoding)
    }
  }

  /// Makes the result of all segments.
  ///
  /// - Returns: what the user should know.
  func finish(_ journal: borrowing VideoJournal, to target: String) throws -> [String] {
    if case .video(let result) = self { try result.finish(journal, to: target) } else { [] }
  }

  /// Frames on their way.
  struct Segment: ~Copyable {
    private var encoder: FrameEncoder?
    private var names: FrameNames?
    private var number = 0
    private var encoding = EncodingOptions()

    init(encoder: consuming FrameEncoder) { self.encoder = consume encoder }

    init(names: FrameNames, first: Int, encoding: EncodingOptions) {
      encoder = nil
      (self.names, number, self.encoding) = (names, first, encoding)
    }

    /// Adds a frame.
    mutating func write(_ image: Image, _ frame: FrameDecoder.Frame, at time: Int) throws {
      guard let names else {
        try encoder?.write(image, at: time)
        return
      }
      try image.write(to: names.path(number), metadata: frame.metadata, options: encoding)
      number += 1
    }

    /// Waits until all is written.
    mutating func finish() throws { try encoder?.finish() }
  }
}
