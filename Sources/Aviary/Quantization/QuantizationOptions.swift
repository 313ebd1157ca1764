public import AviaryTraining

/// How a network is calibrated to compute in whole numbers.
public struct QuantizationOptions: Sendable {
  /// A folder of pictures, best such as the network will see; not those that it is measured on.
  public var data: String
  /// How many of them are taken; all if there are fewer.
  public var pictures: Int
  /// The side of the part that is taken of each, in pixels of the result.
  public var patch: Int
  /// What chooses pictures and parts.
  public var seed: UInt64
  /// What of PSNR may be lost, in dB, on the mean of these pictures; layers stay as they are until no
  /// more is.
  public var budget: Double
  /// What pictures suffer after they were reduced; nil for what the recipe in the card says, that the
  /// network was trained by.
  public var degradations: [DataRecipe.Degradation]?
  /// Threads; nil for as many as the cores that the process may use.
  public var threads: Int?

  /// 24 parts of 192 pixels, and at most 0.05 dB lost, unless stated.
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
