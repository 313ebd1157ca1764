internal import AviaryGraph
internal import AviaryImage

/// What cannot be done band by band: the mean over all positions of an image, borders that go on
/// at the opposite side, and a share of bicubic enlargement.
struct WholeEnlargement {
  private let enlargement: Enlargement
  /// The networks in order, repetitions included, and what computes each.
  private let stages: [(upscaler: Upscaler, context: InferenceContext)]
  private let size: (width: Int, height: Int)
  private let format: PixelFormat
  /// By which the networks' result becomes one of the size.
  private let kernel: ResamplingKernel
  /// Pixels that are put around an image whose borders go on.
  private let margin: Int

  /// - Parameters:
  ///   - stages: the networks in order, repetitions included, and what computes each.
  ///   - size: of the result.
  ///   - format: of the result.
  ///   - kernel: by which the networks' result becomes one of the size.
  init(
    _ enlargement: Enlargement, _ stages: [(upscaler: Upscaler, context: InferenceContext)],
    _ size: (width: Int, height: Int), _ format: PixelFormat, _ kernel: ResamplingKernel
  ) {
    (self.enlargement, self.stages) = (enlargement, stages)
    (self.size, self.format, self.kernel) = (size, format, kernel)
    margin = enlargement.isSeamless ? WholeEnlargement.margin(stages.map(\.upscaler)) : 0
  }

  /// What an image of this size takes of the memory beside the networks.
  ///
  /// - Parameter natural: what the networks make of it.
  func byteCount(
    _ width: Int, _ height: Int, natural: (width: Int, height: Int), _ source: PixelFormat
  ) -> Int {
    // The image and its turned copy; the result of a pass, the sum, and what is made of it.
    let input = 2 * source.channels * (width + 2 * margin) * (height + 2 * margin)
    let ratio = Double(natural.width) / Double(max(width, 1))
    let rim = Int(2 * ratio * Double(margin))
    let output = 4 * format.channels * (natural.width + rim) * (natural.height + rim)
    return 4 * (input + output + 2 * format.channels * size.width * size.height)
  }

  /// Enlarges an image.
  ///
  /// - Parameter progress: is told after each tile.
  /// - Throws: `ImageError` and what computing throws.
  func enlarge(_ image: Image, progress: () -> Void) throws -> Image {
    let border: ResamplingBorder = enlargement.isSeamless ? .circular : .symmetric
    var result = try enlargedByAll(image.wrapped(margin), progress)
    if margin > 0 { result = try withoutMargin(result, of: image) }
    if result.width != size.width || result.height != size.height {
      result = try Resampling(kernel, border: border).resize(
        result, toWidth: size.width, height: size.height)
    }
    guard let share = enlargement.blend else { return result }
    let plain = try Resampling(border: border).resize(
      image.bledUnderTransparency().opaque.converted(to: format.color), toWidth: size.width,
      height: size.height)
    // Alpha stays that of the result.
    return try result.mixed(with: plain, share: Float(share))
  }

  /// The mean over the positions; one of them without an ensemble.
  private func enlargedByAll(_ image: Image, _ progress: () -> Void) throws -> Image {
    guard enlargement.isEnsemble else { return try enlarged(image, progress) }
    var sum: Image?
    for turn in ImageTurn.all {
      let result = try enlarged(image.turned(turn), progress).turned(turn.inverse)
      sum = try sum.map { try $0.adding(result) } ?? result
    }
    guard let sum else { return image }
    return sum.multiplied(by: 1 / Float(ImageTurn.all.count))
  }

  private func enlarged(_ image: Image, _ progress: () -> Void) throws -> Image {
    try stages.reduce(image) { image, stage in
      try stage.upscaler.enlarge(
        image, stage.context, policy: stage.context.policy, progress: progress)
    }
  }

  /// The part of a result that belongs to the image proper.
  private func withoutMargin(_ result: Image, of image: Image) throws -> Image {
    // Margins are multiples of all denominators: what they become is a whole number.
    let ratio = stages.reduce(1) { $0 * $1.upscaler.ratio.value }
    let rim = Int((ratio * Double(margin)).rounded())
    let width = Int((ratio * Double(image.width)).rounded())
    let height = Int((ratio * Double(image.height)).rounded())
    return try result.cropped(x: rim, y: rim, width: width, height: height)
  }

  /// As far as the networks see, in pixels of the image; a multiple of what their strides go by.
  private static func margin(_ upscalers: [Upscaler]) -> Int {
    // Bicubic enlargement of chroma and alpha, and colour that bleeds under transparency.
    var pixels = 16
    var common = 1
    for upscaler in upscalers {
      common *= upscaler.ratio.denominator
      if case .exact(let overlap, let multiple)? = try? upscaler.model.graph.tiling(
        height: nominalSide, width: nominalSide)
      {
        pixels += overlap
        common *= multiple / greatestCommonDivisor(common, multiple)
      } else {
        // It sees the whole image, or is not known to see less.
        pixels += nominalSide / 4
      }
    }
    return (pixels + common - 1) / common * common
  }

  /// What the reach of a network is asked for.
  private static let nominalSide = 256
}
