internal import AviaryGraph
internal import AviaryImage
internal import AviaryTraining

/// What is looked at on the way of a training: figures on a folder of originals, and a few results as
/// pictures.
struct Validation: Sendable {
  private let folder: String
  private let names: [String]
  private let scale: Int
  private let degradations: [DataRecipe.Degradation]
  private let sampleCount: Int
  private let options: UpscalerOptions

  /// Nil for a recipe that wants none. No picture is read but its header.
  ///
  /// - Throws: `AviaryError.noPictures`; `ImageError` for a file that is no picture, and
  ///   `AviaryError.pictureSize` for one that is too small to be measured.
  init?(_ recipe: Recipe, scale: Int, threads: Int) throws {
    guard let folder = recipe.validation.data else { return nil }
    self.folder = folder
    names = try PictureFolder.pictures(in: folder)
    self.scale = scale
    degradations = recipe.data.degradations
    sampleCount = recipe.validation.samples
    options = UpscalerOptions(threads: threads)
    // They are measured only hours later.
    for name in names {
      let header = try PictureReader(path: "\(folder)/\(name)").header
      try Evaluation.requireMeasurable(
        "\(folder)/\(name)", width: header.width, height: header.height, scale: scale)
    }
  }

  /// The set's name as cards have it: the folder's, or that of the one around it, where a set's
  /// originals lie in a folder `HR`.
  var setName: String {
    let parts = folder.split(separator: "/").map(String.init)
    guard let last = parts.last else { return folder }
    return last == "HR" && parts.count > 1 ? parts[parts.count - 2] : last
  }

  /// How figures are measured, as cards say it.
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
  /// - Throws: what `Evaluation` throws, and its first failure: figures of other pictures than before
  ///   would be compared.
  func evaluate(_ model: Model) throws -> Evaluation {
    let evaluation = try Evaluation(
      model, originals: folder, scale: scale, degradations: degradations, options: options)
    if let failure = evaluation.failures.first { throw failure.error }
    return evaluation
  }

  /// Writes the results of the first pictures.
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
      let path = "\(folder.samples)/step-\(RunFolder.text(step))-\(stem).png"
      try upscaler.enlarge(given).write(to: path)
      return path
    }
  }
}
