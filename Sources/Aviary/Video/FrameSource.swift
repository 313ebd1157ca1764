internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import FoundationEssentials
internal import Glibc

/// Where frames come from: a video, or images whose names are numbered.
enum FrameSource {
  case video(VideoFile, MediaPrograms)
  case images(FrameNames, numbers: Range<Int>, header: ImageHeader, rate: TimeRatio)

  /// Looks at what is there.
  ///
  /// - Parameters:
  ///   - rate: of images, in frames a second.
  ///   - programs: asked for where they are needed.
  /// - Throws: `VideoError`; `ImageError` for the first image.
  init(_ path: String, rate: TimeRatio, _ programs: () throws -> MediaPrograms) throws {
    // A file of that name is meant as it is.
    if unsafe path.withPath({ unsafe access($0, F_OK) }) != 0, let names = FrameNames(path) {
      let numbers = try names.numbers()
      let header = try ImageReader(path: names.path(numbers.lowerBound)).header
      self = .images(names, numbers: numbers, header: header, rate: rate)
    } else {
      let programs = try programs()
      self = .video(try VideoFile(path, programs), programs)
    }
  }

  var width: Int {
    switch self {
    case .video(let file, _): file.width
    case .images(_, _, let header, _): header.width
    }
  }

  var height: Int {
    switch self {
    case .video(let file, _): file.height
    case .images(_, _, let header, _): header.height
    }
  }

  /// Of the frames that are handed over.
  var format: PixelFormat {
    switch self {
    case .video(let file, _): file.pixels.format
    case .images(_, _, let header, _): header.format
    }
  }

  var timeBase: TimeRatio {
    switch self {
    case .video(let file, _): file.timeBase
    case .images(_, _, _, let rate): TimeRatio(rate.denominator, rate.numerator)
    }
  }

  /// About how many frames there are.
  var frameCount: Int? {
    switch self {
    case .video(let file, _): file.frameCount
    case .images(_, let numbers, _, _): numbers.count
    }
  }

  /// What tells this input from another, and from itself after a change.
  var identity: JSON {
    get throws {
      switch self {
      case .video(let file, _): [try FrameSource.identity(file.path)]
      case .images(let names, let numbers, _, _):
        .array(try numbers.map { try FrameSource.identity(names.path($0)) })
      }
    }
  }

  private static func identity(_ path: String) throws -> JSON {
    var status = stat()
    guard unsafe path.withPath({ unsafe stat($0, &status) }) == 0 else {
      throw FileError.cannotRead(path: path, reason: SystemReason.last)
    }
    return [
      "path": .string(path.pathText), "bytes": .int(Int(status.st_size)),
      "changed": .int(status.st_mtim.tv_sec), "nanoseconds": .int(status.st_mtim.tv_nsec),
    ]
  }

  /// The frames from one on.
  func frames(from first: Int, deinterlaces: Bool) throws -> Frames {
    switch self {
    case .video(let file, let programs):
      Frames(
        decoder: try FrameDecoder(file, from: .frame(first), deinterlaces: deinterlaces, programs))
    case .images(let names, let numbers, let header, _):
      Frames(names: names, numbers: numbers, from: first, like: header)
    }
  }

  /// Frames, one after the other.
  struct Frames: ~Copyable {
    private var decoder: FrameDecoder?
    private var names: FrameNames?
    private var numbers: ArraySlice<Int> = []
    private var header: ImageHeader?
    /// The number of the first frame of all, whose time is 0.
    private var base = 0

    init(decoder: consuming FrameDecoder) {
      self.decoder = consume decoder
    }

    init(names: FrameNames, numbers: Range<Int>, from first: Int, like header: ImageHeader) {
      decoder = nil
      (self.names, self.header, base) = (names, header, numbers.lowerBound)
      self.numbers = Array(numbers.dropFirst(first))[...]
    }

    /// The next frame; nil after the last.
    mutating func next() throws -> FrameDecoder.Frame? {
      if decoder != nil { return try decoder?.next() }
      guard let names, let header, let number = numbers.popFirst() else { return nil }
      let path = names.path(number)
      var reader = try ImageReader(path: path)
      let found = reader.header
      guard found.width == header.width, found.height == header.height,
        found.format == header.format
      else {
        throw VideoError.frames(
          path: path, expected: "\(header.width)x\(header.height), \(header.format), as the first",
          found: "\(found.width)x\(found.height), \(found.format)")
      }
      guard let image = try reader.read(rows: found.height) else { return nil }
      return FrameDecoder.Frame(
        image: image, time: number - base, duration: 1, metadata: found.metadata)
    }

    /// What the decoder complained of, once there are no frames left.
    mutating func finish() throws -> [String] { try decoder?.finish() ?? [] }
  }
}
