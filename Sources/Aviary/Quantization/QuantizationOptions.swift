public import AviaryTraining

/// How a network is calibrated for int8.
public struct QuantizationOptions: Sendable {
  /// A folder of images, ideally like those that the network will see, but not those used for
  /// evaluation.
  public var data: String
  /// How many images to use; all if there are fewer.
  public var pictures: Int
  /// The side of the patch taken from each image, in pixels of the result.
  public var patch: Int
  /// Seeds the choice of images and patches.
  public var seed: UInt64
  /// The largest loss of PSNR in dB, averaged over these images; layers stay in float32 until the
  /// loss is within it.
  public var budget: Double
  /// The degradations applied after downscaling; nil for those of the recipe in the model card, by
  /// which the network was trained.
  public var degradations: [DataRecipe.Degradation]?
  /// Threads; nil for one per core that the process may use.
  public var threads: Int?

  /// By default 24 patches of 192 pixels, and a loss of at most 0.05 dB.
  public init(
    data: String, pictures: Int = 24, patch: Int = 192, seed: UInt64 = 1, budget: Double = 0.05,
    degradations: [DataRecipe.Degradation]? = nil, threads: Int? = nil
  ) {
    self.data = data
    self.pictures = pictures
    self.patch = patch
    self.seed = seed
    self.budget = budget
    self.degradations = degradations
    self.threads = threads
  }
}
