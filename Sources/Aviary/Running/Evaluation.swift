internal import AviaryImage
public import AviaryTraining

/// How good a model is on a folder of images, by the protocol that publications use.
///
/// Originals are cut to a multiple of the scale and reduced as MATLAB's `imresize` does it; results
/// are rounded to 8 bits; PSNR and SSIM are those of the rounded luma (BT.601, studio range), less
/// `scale` pixels on every side. A network on luma is judged on its own luma. Beside every figure
/// stands that of bicubic enlargement: at scale 1, of the image as the network was given it.
public struct Evaluation: Sendable {
  /// PSNR in dB and SSIM.
  public struct Score: Codable, Hashable, Sendable {
    /// Peak signal-to-noise ratio in dB.
    public var psnr: Double
    /// Structural similarity, at most 1.
    public var ssim: Double
  }

  /// The mean over all images.
  public struct Mean: Codable, Hashable, Sendable {
    /// In dB.
    public var psnr: Double
    /// At most 1.
    public var ssim: Double
    /// Of bicubic enlargement.
    public var bicubic: Score
  }

  /// One image.
  public struct Entry: Codable, Hashable, Sendable {
    /// The file's name.
    public var name: String
    /// In dB.
    public var psnr: Double
    /// At most 1.
    public var ssim: Double
    /// Of bicubic enlargement.
    public var bicubic: Score
  }

  /// An image that could not be measured.
  public struct Failure: Sendable {
    /// The file's name.
    public var name: String
    /// Why: an `ImageError`, `AviaryError.imageSize`, or what enlarging throws.
    public var error: any Error
  }

  /// The mean over all images that were measured.
  public var mean: Mean
  /// The images that were measured, by name.
  public var images: [Entry]
  /// The others, by name: the mean is not that of the whole folder.
  public var failures: [Failure] = []

  /// Evaluates a model. An image that cannot be measured (damaged, too small, or without its
  /// partner) is among the failures, and the others are measured all the same.
  ///
  /// - Parameters:
  ///   - folder: the originals, PNG or JPEG.
  ///   - lowResolution: a folder with images to enlarge, of the originals' names; nil to make them
  ///     of the originals.
  ///   - degradations: what images to restore suffer after they were reduced, as in training: the
  ///     same in every evaluation, for each image has a random stream of its own.
  ///   - unroundedLuma: whether luma is compared without rounding, as some publications do; that
  ///     gives figures 0.02 to 0.07 dB higher.
  ///   - progress: is told how many images are done, and of how many.
  /// - Throws: `AviaryError.noImages`, and the first failure where no image can be measured.
  public init(
    _ model: Model, originals folder: String, scale: Int, lowResolution: String? = nil,
    degradations: [DataRecipe.Degradation] = [], unroundedLuma: Bool = false,
    options: UpscalerOptions = UpscalerOptions(),
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    let upscaler = try Upscaler(model, scale: scale, options: options)
    let names = try ImageFolder.images(in: folder)
    var images: [Entry] = []
    var failures: [Failure] = []
    for (done, name) in names.enumerated() {
      progress(done, names.count)
      do {
        let image = try Image(contentsOf: "\(folder)/\(name)").opaque
        try Evaluation.requireMeasurable(
          "\(folder)/\(name)", width: image.width, height: image.height, scale: scale)
        let original = try image.cropped(toMultipleOf: scale)
        let small = try Evaluation.degraded(
          Evaluation.lowResolution(of: original, name, scale: scale, folder: lowResolution),
          by: degradations, position: done)
        let bicubic = try Resampling(rounding: .eight).resize(small, by: ScaleFactor(scale))
        func score(_ result: Image) throws -> ImageQuality {
          try ImageQuality(
            of: Evaluation.comparable(result, with: original), original: original, border: scale,
            roundsLuma: !unroundedLuma)
        }
        // A network may refuse an image for its size, or for the memory that it takes.
        let quality = try score(upscaler.result(for: small)), plain = try score(bicubic)
        images.append(
          Entry(
            name: name, psnr: quality.psnr, ssim: quality.ssim,
            bicubic: Score(psnr: plain.psnr, ssim: plain.ssim)))
      } catch {
        failures.append(Failure(name: name, error: error))
      }
    }
    progress(names.count, names.count)
    if images.isEmpty, let failure = failures.first { throw failure.error }
    (self.images, self.failures) = (images, failures)
    func average(_ value: (Entry) -> Double) -> Double {
      images.reduce(0) { $0 + value($1) } / Double(images.count)
    }
    mean = Mean(
      psnr: average(\.psnr), ssim: average(\.ssim),
      bicubic: Score(psnr: average(\.bicubic.psnr), ssim: average(\.bicubic.ssim)))
  }

  /// The result as the protocol judges it: luma of a network on luma as it is, anything else as the
  /// 8-bit image that a user would get; gray again where the original is gray.
  static func comparable(_ result: Image, with original: Image) throws -> Image {
    if result.format.color == .luma || result.format.color == .gray { return result }
    let image = try result.converted(to: .rgb).rounded(to: .eight)
    return original.format.color == .gray ? try image.converted(to: .gray) : image
  }

  /// Throws `AviaryError.imageSize` for an image that is too small to be measured: a window of SSIM
  /// has to lie within the border, which is as wide as the scale.
  static func requireMeasurable(
    _ path: String, width: Int, height: Int, scale: Int
  ) throws(AviaryError) {
    let least = (ImageQuality.leastSide + 3 * scale - 1) / scale * scale
    guard min(width, height) >= least else {
      throw .imageSize(
        path, expected: "at least \(least)x\(least) pixels", found: "\(width)x\(height)")
    }
  }

  /// An image made worse.
  ///
  /// - Parameter position: of the image among the folder's.
  static func degraded(
    _ image: Image, by degradations: [DataRecipe.Degradation], position: Int
  ) throws -> Image {
    guard !degradations.isEmpty else { return image }
    var data = DataRecipe(targets: "")
    data.degradations = degradations
    var generator = SeededGenerator(seed: 1, Evaluation.purpose, UInt64(position))
    return try data.degraded(image, using: &generator)
  }

  /// Which stream of the seed degradations are drawn from: the letters "eval".
  private static let purpose: UInt64 = 0x6576_616C

  /// The image to enlarge: the original reduced, or the one of its name in a folder.
  static func lowResolution(
    of original: Image, _ name: String, scale: Int, folder: String?
  ) throws -> Image {
    guard let folder else {
      return try Resampling(rounding: .eight).resize(original, by: ScaleFactor(1, over: scale))
    }
    let found = ImagePartner.name(of: name, scale: scale, in: folder)
    let small = try Image(contentsOf: "\(folder)/\(found ?? name)").opaque
    let expected = (original.width / scale, original.height / scale)
    guard (small.width, small.height) == expected else {
      throw AviaryError.imageSize(
        "\(folder)/\(found ?? name)", expected: "\(expected.0)x\(expected.1)",
        found: "\(small.width)x\(small.height)")
    }
    return small
  }
}
