internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import AviaryTraining

/// Validation during training: figures on a folder of originals, and a few results as images.
struct Validation: Sendable {
  private let folder: String
  private let names: [String]
  private let scale: Int
  private let degradations: [DataRecipe.Degradation]
  private let sampleCount: Int
  private let options: UpscalerOptions

  /// Nil if the recipe asks for none. Of images, only the headers are read.
  ///
  /// - Throws: `AviaryError.noImages`; `ImageError` for a file that is not an image;
  ///   `AviaryError.imageSize` for an image too small to measure.
  init?(_ recipe: Recipe, scale: Int, threads: Int) throws {
    guard let folder = recipe.validation.data else { return nil }
    self.folder = folder
    names = try ImageFolder.images(in: folder)
    self.scale = scale
    degradations = recipe.data.degradations
    sampleCount = recipe.validation.samples
    options = UpscalerOptions(threads: threads)
    // Check now: they are measured only hours later.
    for name in names {
      let header = try ImageReader(path: "\(folder)/\(name)").header
      try Evaluation.requireMeasurable(
        "\(folder)/\(name)", width: header.width, height: header.height, scale: scale)
    }
  }

  /// The set's name in model cards: that of the folder, or of its parent if the originals are in a
  /// folder `HR`.
  var setName: String {
    let parts = folder.pathNames
    guard let last = parts.last else { return folder }
    return last == "HR" && parts.count > 1 ? parts[parts.count - 2] : last
  }

  /// How figures are measured, as stated in model cards.
  var measured: String {
    let words = degradations.map { degradation in
      func range(_ range: ClosedRange<Double>) -> String {
        range.lowerBound == range.upperBound
          ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
      }
      return switch degradation {
      case .noise(let deviation): "noise of \(range(deviation))/255"
      case .jpeg(let quality): "JPEG of quality \(range(quality))"
      case .blur(let deviation): "blur of \(range(deviation)) pixels"
      }
    }
    return (["Y of BT.601, border = scale"] + (scale > 1 ? ["bicubic of MATLAB"] : []) + words)
      .joined(separator: ", ")
  }

  /// The figures of a model.
  ///
  /// - Throws: errors from `Evaluation`, and its first failure: without it, figures would be
  ///   compared over different sets of images.
  func evaluate(_ model: Model) throws -> Evaluation {
    let evaluation = try Evaluation(
      model, originals: folder, scale: scale, degradations: degradations, options: options)
    if let failure = evaluation.failures.first { throw failure.error }
    return evaluation
  }

  /// Writes the results for the first images.
  ///
  /// - Returns: the files.
  func writeSamples(_ model: Model, step: Int, to folder: RunFolder) throws -> [String] {
    guard sampleCount > 0 else { return [] }
    try folder.createSamples()
    let upscaler = try Upscaler(model, scale: scale, options: options)
    return try names.prefix(sampleCount).enumerated().map { position, name in
      let original = try Image(contentsOf: "\(self.folder)/\(name)").opaque
        .cropped(toMultipleOf: scale)
      let given = try Evaluation.degraded(
        Evaluation.lowResolution(of: original, name, scale: scale, folder: nil),
        by: degradations, position: position)
      let stem = name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex)
      let path =
        "\(folder.samples)/step-\(RunFolder.text(step))-\(stem).\(ImageFormat.png.endings[0])"
      try upscaler.enlarge(given).write(to: path)
      return path
    }
  }
}
