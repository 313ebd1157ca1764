public import AviaryCompute
package import AviaryGraph
public import AviaryImage

/// How images are computed.
public struct UpscalerOptions: Sendable {
  /// Threads; nil for as many as the cores that the process may use.
  public var threads: Int?
  /// The memory that activations may take, in bytes; nil for `MemoryAllowance.standard`.
  public var memory: Int?
  /// Whether algorithms that trade accuracy for speed (Winograd's) are left out.
  public var exact: Bool
  /// The data type that is computed in; nil for what the model is made for: int8 where it was
  /// calibrated for that, unless `exact`, else float32.
  public var precision: RunPrecision?
  /// What was measured, by which algorithms are chosen; nil to choose by estimate.
  public var tuning: Tuning?
  /// How many images are to come, roughly: what is not measured yet is timed where that pays.
  public var imageCount = 1
  /// The side of tiles in pixels of the network's input, where the memory allows it; nil for what
  /// is usually fast.
  package var tile: Int?

  /// All cores, half of the free memory, the fast algorithms by estimate, the model's own
  /// precision, unless stated.
  public init(
    threads: Int? = nil, memory: Int? = nil, exact: Bool = false,
    precision: RunPrecision? = nil, tuning: Tuning? = nil
  ) {
    self.threads = threads
    self.memory = memory
    self.exact = exact
    self.precision = precision
    self.tuning = tuning
  }
}

/// What was done to enlarge an image.
public struct UpscaleReport: Codable, Sendable {
  /// Columns of the image.
  public var width: Int
  /// Rows of the image.
  public var height: Int
  /// Columns of the result.
  public var outputWidth: Int
  /// Rows of the result.
  public var outputHeight: Int
  /// Into how many parts the image was divided.
  public var tiles: Int
  /// Columns of a part, in pixels of the network's input.
  public var tileWidth: Int
  /// Rows of a part.
  public var tileHeight: Int
  /// The memory for activations.
  public var arenaBytes: Int
  /// The time from opening the image to closing the result.
  public var seconds: Double
  /// What the user should know.
  public var warnings: [String]
}

/// Enlarges images with a model, or restores them at their own size.
///
/// Images are read, computed and written in bands of rows: a large one is never whole in memory
/// (interlaced PNG and turned JPEG excepted). Networks that look only at a neighbourhood are
/// computed in tiles, with the same result as on the whole image.
public struct Upscaler: Sendable {
  /// How many times as high and wide images become; of a network that makes another size than a
  /// multiple, the numerator of its scale.
  public let scale: Int
  /// What the result's height and width are to the image's.
  package let ratio: Ratio
  let model: Model
  let context: InferenceContext

  /// An upscaler.
  ///
  /// - Parameter scale: what to enlarge by; nil where the model serves one scale only.
  /// - Throws: `AviaryError.scale` for a scale that the model does not serve, or if none is stated
  ///   and it serves several; `.notRestoration` for a network that gives no images; `ComputeError`
  ///   for a number of threads that makes no sense.
  public init(
    _ model: Model, scale: Int? = nil, options: UpscalerOptions = UpscalerOptions()
  ) throws {
    let scales = model.scales
    let enlargesFirst = model.picture.enlargeFirst != .no
    let own = model.ownScales
    guard !own.isEmpty else {
      // Features of an image, as named architectures give them, are none; a smaller image is one.
      guard model.architecture.isEmpty, let ratio = model.graph.scales[0], !enlargesFirst else {
        throw AviaryError.notRestoration(model.name)
      }
      if let scale {
        throw AviaryError.scale(model: model.name, expected: ratio.text, found: "\(scale)")
      }
      (self.scale, self.ratio) = (ratio.numerator, ratio)
      self.model = model
      context = try InferenceContext(model, options)
      return
    }
    guard let chosen = scale ?? (scales.count == 1 ? scales[0] : nil) else {
      throw AviaryError.scale(
        model: model.name,
        expected: scales.isEmpty
          ? "to be stated (images are enlarged first, by any)"
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
    ratio = Ratio(chosen)
    self.model = model
    context = try InferenceContext(model, options)
  }

  /// Enlarges an image file and writes one with its colours, alpha, depth and metadata.
  ///
  /// The result appears under its name only when it is complete.
  ///
  /// - Parameters:
  ///   - input: an image file of any format that is read.
  ///   - progress: is told the share done, 0 to 1.
  ///   - opened: is told the image's columns and rows once its header is read.
  /// - Throws: `ImageError` for images that cannot be read or written, `AviaryError.memory`,
  ///   `GraphError` and `ComputeError` where the network cannot be computed at this size.
  public func enlarge(
    from input: String, to output: String, progress: (Double) -> Void = { _ in },
    opened: (_ width: Int, _ height: Int) -> Void = { _, _ in }
  ) throws -> UpscaleReport {
    let start = ContinuousClock.now
    var reader = try ImageReader(path: input)
    opened(reader.header.width, reader.header.height)
    let pipeline = try pipeline(reader.header, context)
    return try pipeline.run(
      &reader, to: output, threads: context.threads, start: start,
      warnings: warnings(input, reader.header, pipeline), progress: progress)
  }

  /// The way of an image of this header.
  ///
  /// - Throws: as `enlarge(from:to:)`, files aside.
  func pipeline(_ header: ImageHeader, _ context: InferenceContext) throws -> ImagePipeline {
    try ImagePipeline(
      model, scale: ratio, header, policy: context.options.exact ? .exact : .approximateInNeed,
      context)
  }

  /// What the user should know of an image.
  ///
  /// - Throws: what computing a part of it throws, where that shows how exact tiles are.
  func warnings(
    _ input: String, _ header: ImageHeader, _ pipeline: ImagePipeline
  ) throws -> [String] {
    var warnings: [String] = []
    if !model.scales.isEmpty, !model.scales.contains(scale) {
      let scales = model.scales.map(String.init).joined(separator: ", ")
      warnings.append("\(model.name): trained for scale \(scales), used for \(scale)")
    }
    if header.isConvertedFromCMYK { warnings.append("\(input): converted from CMYK to RGB") }
    if let reason = pipeline.inference.tileSize.approximation {
      let found = try TileProbe(self, input, header, pipeline.inference)
      warnings.append("\(input): tiles are an approximation (\(reason)); \(found.text)")
    }
    return warnings
  }

  /// Enlarges an image in memory.
  ///
  /// - Parameters:
  ///   - image: gray or RGB, with alpha or not; the result has the same format, unless the network
  ///     makes other channels.
  ///   - progress: is told the share done, 0 to 1.
  /// - Throws: as for files.
  public func enlarge(
    _ image: Image, progress: (Double) -> Void = { _ in }
  ) throws -> Image {
    let pipeline = try ImagePipeline(
      model, scale: ratio, width: image.width, height: image.height, source: image.format,
      context)
    var done = 0
    let total = Double(max(pipeline.tileCount, 1))
    return try pipeline.result(
      for: image,
      progress: {
        done += 1
        progress(Double(done) / total)
      })
  }

  /// The model's result in its own colours, as evaluation wants it: the luma of a network on luma
  /// is judged as it is, never by way of RGB.
  func result(for image: Image) throws -> Image {
    let input = try image.opaque.converted(to: model.picture.colour.model(for: image.format.color))
    let inference = try TiledInference(
      model, scale: ratio, width: image.width, height: image.height, format: input.format,
      context)
    try inference.append(input)
    var bands: [Image] = []
    while let rows = try inference.next(progress: {}) { bands.append(rows) }
    return try .stacked(bands)
  }
}

/// The numbers in which a model is computed: its raw value is how they are called on command lines.
public enum RunPrecision: String, CaseIterable, Codable, Hashable, Sendable {
  /// IEEE single precision.
  case float32 = "f32"
  /// The upper half of it, where that is faster and the processor has it: a result differs by about
  /// 0.2 % of the largest value.
  case bfloat16 = "bf16"
  /// Whole numbers of 8 bits, in the convolutions of a checkpoint that was calibrated for it; the
  /// others compute in float32.
  case int8
}

extension Model {
  /// How the model is computed.
  ///
  /// - Parameters:
  ///   - precision: the data type; nil for what the model is made for: int8 where it was calibrated
  ///     for that, unless `exact`, else float32.
  ///   - exact: whether algorithms that calculate in another order than the definition are left
  ///     out.
  ///   - tuning: what was measured; nil to choose by estimate.
  /// - Throws: `AviaryError.notQuantized` for int8 of a model that was not calibrated for it.
  public func planOptions(
    _ precision: RunPrecision? = nil, exact: Bool = false, tuning: Tuning? = nil
  ) throws(AviaryError) -> PlanOptions {
    var options = PlanOptions(exact: exact, tuning: tuning)
    switch precision ?? (quantization.isEmpty || exact ? .float32 : .int8) {
    case .float32: break
    case .bfloat16: options.precision = .bfloat16
    case .int8:
      guard !quantization.isEmpty else { throw .notQuantized(name) }
      // The other convolutions in float32: what was measured holds on every processor.
      options.quantization = Quantization(quantization)
    }
    return options
  }
}
