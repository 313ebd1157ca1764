import AviaryFiles

/// Writes an image file in bands of rows, from top to bottom.
///
/// The file appears under its name only when `finish()` has returned: until then it is a temporary
/// file, which goes away with a writer that is abandoned or fails. A file of that
/// name that was there before stays whole until it is replaced as a whole.
public struct ImageWriter: ~Copyable {
  /// The rows written so far.
  public private(set) var position = 0
  /// Columns.
  public let width: Int
  /// Rows that must have been written before `finish()`.
  public let height: Int
  /// Of the bands that are taken: gray or RGB, with or without alpha.
  public let format: PixelFormat
  /// What of the image the file cannot hold, in words; empty where it holds all.
  public let dropped: [String]

  /// Of the bands that are written.
  private let written: PixelFormat
  private let file: AtomicFile
  private var encoder: any ImageEncoder

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - path: its ending says the format; where it says none that is written, the usual one is. `-`
  ///     is standard output, which has the file once it is whole.
  ///   - metadata: what to carry from the image read (an ICC profile for gray is left out of an RGB
  ///     image, and the other way round).
  ///   - options: what the user states of the file.
  ///   - threads: how many compress. The file is the same whatever their number.
  /// - Throws: `ImageError.cannotWrite`; `.formatMismatch` for another colour model than gray and
  ///   RGB; `.tooLarge` for sides beyond 2^20, `.invalidSize` for those below 1.
  public init(
    path: String, width: Int, height: Int, format: PixelFormat,
    metadata: ImageMetadata = ImageMetadata(), options: EncodingOptions = EncodingOptions(),
    threads: Int = 1
  ) throws(ImageError) {
    guard format.color == .gray || format.color == .rgb else {
      throw .formatMismatch(thing: path, expected: "gray or rgb", found: "\(format.color)")
    }
    guard width >= 1, height >= 1 else {
      throw .invalidSize(width: width, height: height, channels: format.channels)
    }
    let target = options.format ?? ImageFormat.writing(path) ?? ImageFormat.writable.first
    guard let target, let make = target.encoder, let capacity = target.capacity else {
      throw .cannotWrite(
        path: path, reason: target.map { "\($0) is not written" } ?? "no image format is written")
    }
    guard width <= capacity.side, height <= capacity.side else {
      throw .tooLarge(
        path: path, width: width, height: height, channels: format.channels,
        limit: "sides of 1 to \(capacity.side) pixels")
    }
    let file: AtomicFile
    do {
      file =
        path == "-"
        ? try AtomicFile(standardOutput: "standard output") : try AtomicFile(replacing: path)
    } catch {
      throw ImageError(error)
    }
    let held = capacity.holding(format, metadata)
    let image = EncodedImage(
      path: path, width: width, height: height, format: held.format, metadata: held.metadata,
      threads: threads, options: options, descriptor: file.descriptor)
    var encoder = try make(image)
    for bytes in try encoder.begin() { try ImageWriter.write(bytes, to: file) }
    self.width = width
    self.height = height
    self.format = format
    self.file = file
    dropped = (held.dropped + encoder.dropped).map { "\(path): \(target) does not hold \($0)" }
    written = held.format
    self.encoder = encoder
  }

  /// Writes the rows that follow, limited to 0...1 and rounded to the file's depth.
  ///
  /// - Throws: `ImageError.cannotWrite`; `.formatMismatch` if the band has another colour model or
  ///   other alpha than the file, `.sizeMismatch` if it is not as wide or there are too many rows.
  public mutating func write(_ band: Image) throws(ImageError) {
    guard band.format.color == format.color, band.format.hasAlpha == format.hasAlpha else {
      throw .formatMismatch(thing: "band", expected: "\(format)", found: "\(band.format)")
    }
    guard band.width == width, band.height <= height - position else {
      throw .sizeMismatch(
        thing: "band", expected: "\(width)x\(height - position) at most",
        found: "\(band.width)x\(band.height)")
    }
    let band = written.hasAlpha ? band : try band.composedOverWhite()
    for bytes in try encoder.encode(band) { try ImageWriter.write(bytes, to: file) }
    position += band.height
  }

  /// Ends the file and puts it in its place.
  ///
  /// - Throws: `ImageError.cannotWrite`; `.sizeMismatch` if rows are missing.
  public consuming func finish() throws(ImageError) {
    guard position == height else {
      throw .sizeMismatch(thing: "image", expected: "\(height) rows", found: "\(position)")
    }
    for bytes in try encoder.end() { try ImageWriter.write(bytes, to: file) }
    do {
      try file.commit()
    } catch {
      throw ImageError(error)
    }
  }
}

extension ImageWriter {
  private static func write(
    _ bytes: [UInt8], to file: borrowing AtomicFile
  ) throws(ImageError) {
    do {
      try file.write(bytes)
    } catch {
      throw ImageError(error)
    }
  }
}

extension Image {
  /// Writes the image as a file; see `ImageWriter`.
  ///
  /// - Throws: `ImageError.cannotWrite`, `.formatMismatch`, `.invalidSize` or `.tooLarge`.
  public func write(
    to path: String, metadata: ImageMetadata = ImageMetadata(),
    options: EncodingOptions = EncodingOptions(), threads: Int = 1
  ) throws(ImageError) {
    var writer = try ImageWriter(
      path: path, width: width, height: height, format: format, metadata: metadata,
      options: options, threads: threads)
    try writer.write(self)
    try writer.finish()
  }
}
