internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor
internal import AviaryTraining

/// A part of a picture, and what the network is given to restore it from.
struct CalibrationImage {
  let original: Image
  let small: Image

  /// Which stream of the seed pictures and parts are drawn from: the letters "quan".
  private static let purpose: UInt64 = 0x7175_616E

  /// Draws parts of the pictures of a folder.
  ///
  /// - Parameters:
  ///   - scale: what the network enlarges by.
  ///   - enlargesFirst: whether pictures are enlarged before the network sees them.
  ///   - rule: the sizes that the network takes.
  /// - Throws: `AviaryError.noImages` where none is large enough; `ImageError`.
  static func drawn(
    by options: QuantizationOptions, scale: Int, enlargesFirst: Bool, _ rule: SizeRule,
    _ degradations: [DataRecipe.Degradation], progress: (Double) -> Void
  ) throws -> [CalibrationImage] {
    var generator = SeededGenerator(seed: options.seed, purpose)
    let names = try generator.shuffled(ImageFolder.pictures(in: options.data))
    var pictures: [CalibrationImage] = []
    for (position, name) in names.enumerated() where pictures.count < options.pictures {
      progress(Double(pictures.count) / Double(min(options.pictures, names.count)))
      let whole = try Image(contentsOf: "\(options.data)/\(name)").opaque
      func side(_ length: Int, only: Int?) -> Int {
        if let only { return only * (enlargesFirst ? 1 : scale) }
        let step = scale * rule.exactMultiple
        return min(options.patch, length) / step * step
      }
      let width = side(whole.width, only: rule.size?.width)
      let height = side(whole.height, only: rule.size?.height)
      // SSIM's window is 11 pixels wide.
      guard min(width, height) >= max(scale * rule.minimum, 2 * scale + 11),
        width <= whole.width, height <= whole.height
      else { continue }
      let original = try whole.cropped(
        x: generator.integer(in: 0...whole.width - width),
        y: generator.integer(in: 0...whole.height - height), width: width,
        height: height)
      let small = try Evaluation.lowResolution(of: original, name, scale: scale, folder: nil)
      pictures.append(
        CalibrationImage(
          original: original,
          small: try Evaluation.degraded(small, by: degradations, position: position)))
    }
    guard !pictures.isEmpty else { throw AviaryError.noImages(folder: options.data) }
    return pictures
  }

  /// What the network is given: [runs, channels, height, width].
  func input(of model: Model, scale: Int) throws -> Tensor {
    let colour = model.picture.colour.model(for: small.format.color)
    var image = try small.converted(to: colour)
    if model.picture.enlargeFirst == .bicubic {
      image = try Resampling().resize(image, by: ScaleFactor(scale))
    }
    let channels = model.graph.inputs[0].channels
    var values: [Float] = []
    values.reserveCapacity(image.channels * image.width * image.height)
    let size = image.width * image.height
    unsafe image.withFloats { pixels in
      for plane in 0..<image.channels {
        let (factor, offset) = model.picture.scaling(channel: plane % channels)
        for i in plane * size..<(plane + 1) * size {
          unsafe values.append(pixels[i] * factor + offset)
        }
      }
    }
    return try Tensor(
      shape: [image.channels / channels, channels, image.height, image.width], values)
  }
}
