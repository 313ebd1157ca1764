internal import AviaryGraph
public import AviaryImage

/// Enlarges pictures with a model, or restores them at their own size.
///
/// Pictures are read, computed and written in bands of rows: a large one is never whole in memory
/// (interlaced PNG and turned JPEG excepted). Networks that look only at a neighbourhood are computed
/// in tiles, with the same result as on the whole picture.
public struct Upscaler: Sendable {
  /// How many times as high and wide pictures become.
  public let scale: Int
  private let model: Model
  let machinery: Machinery

  /// An upscaler.
  ///
  /// - Parameter scale: what to enlarge by; nil where the model serves one scale only.
  /// - Throws: `AviaryError.scale` for a scale that the model does not serve, or if none is stated
  ///   and it serves several; `.notRestoration` for a network that gives no pictures; `ComputeError`
  ///   for a number of threads that makes no sense.
  public init(
    _ model: Model, scale: Int? = nil, options: UpscalerOptions = UpscalerOptions()
  ) throws {
    let scales = model.scales
    let enlargesFirst = model.picture.enlargeFirst != .no
    let own = model.ownScales
    guard !own.isEmpty else { throw AviaryError.notRestoration(model.name) }
    guard let chosen = scale ?? (scales.count == 1 ? scales[0] : nil) else {
      throw AviaryError.scale(
        model: model.name,
        expected: scales.isEmpty
          ? "to be stated (pictures are enlarged first, by any)"
          : "one of \(scales.map(String.init).joined(separator: ", "))", found: "none")
    }
    // A network that refines what was enlarged before may be put to any scale; one that enlarges by
    // itself has but its own, and what a checkpoint says of scales does not change it.
    let isServed =
      enlargesFirst ? own.contains(1) && (1...64).contains(chosen) : own.contains(chosen)
    guard isServed else {
      let expected = own.map(String.init).joined(separator: ", ")
      throw AviaryError.scale(
        model: model.name, expected: enlargesFirst && own.contains(1) ? "1 to 64" : expected,
        found: "\(chosen)")
    }
    self.scale = chosen
    self.model = model
    machinery = try Machinery(model, options)
  }

  /// Enlarges a picture file and writes a PNG with its colours, alpha, depth and metadata.
  ///
  /// The result appears under its name only when it is complete.
  ///
  /// - Parameters:
  ///   - input: PNG or JPEG.
  ///   - progress: is told the share done, 0 to 1.
  /// - Throws: `ImageError` for pictures that cannot be read or written, `AviaryError.memory`,
  ///   `GraphError` and `ComputeError` where the network cannot be computed at this size.
  public func enlarge(
    from input: String, to output: String, progress: (Double) -> Void = { _ in }
  ) throws -> UpscaleReport {
    var picture = try OpenPicture(input, model, scale: scale, machinery)
    return try picture.enlarge(to: output, progress: progress)
  }

  /// Opens a picture to enlarge it.
  ///
  /// - Throws: as `enlarge(from:to:)`, output aside.
  func open(_ input: String, _ machinery: Machinery) throws -> OpenPicture {
    try OpenPicture(input, model, scale: scale, machinery)
  }

  /// Enlarges a picture in memory.
  ///
  /// - Parameters:
  ///   - image: gray or RGB, with alpha or not; the result has the same format.
  ///   - progress: is told the share done, 0 to 1.
  /// - Throws: as for files.
  public func enlarge(
    _ image: Image, progress: (Double) -> Void = { _ in }
  ) throws -> Image {
    var stages = try PictureStages(
      model, scale: scale, width: image.width, height: image.height, source: image.format,
      machinery)
    var bands: [Image] = []
    var done = 0
    let total = Double(max(stages.tileCount, 1))
    try stages.push(
      image,
      progress: {
        done += 1
        progress(Double(done) / total)
      }, sink: { bands.append($0) })
    return try .stacked(bands)
  }

  /// The model's result in its own colours, as evaluation wants it: the luma of a network on luma is
  /// judged as it is, never by way of RGB.
  func result(for image: Image) throws -> Image {
    let input = try image.opaque.converted(to: model.picture.colour.model(for: image.format.color))
    var pass = try NetworkPass(
      model, scale: scale, width: image.width, height: image.height, format: input.format,
      machinery)
    try pass.append(input)
    var bands: [Image] = []
    while let rows = try pass.next(progress: {}) { bands.append(rows) }
    return try .stacked(bands)
  }
}
