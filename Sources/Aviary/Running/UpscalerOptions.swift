public import AviaryCompute

/// How pictures are computed.
public struct UpscalerOptions: Sendable {
  /// Threads; nil for as many as the cores that the process may use.
  public var threads: Int?
  /// The memory that activations may take, in bytes; nil for `MemoryAllowance.standard`.
  public var memory: Int?
  /// Whether algorithms that trade accuracy for speed (Winograd's) are left out.
  public var exact: Bool
  /// The numbers that are computed with; nil for what the model is made for: whole numbers where it
  /// was calibrated for them, unless `exact`, else float32.
  public var precision: RunPrecision?
  /// What was measured, by which algorithms are chosen; nil to choose by estimate.
  public var tuning: Tuning?
  /// How many pictures are to come, roughly: what is not measured yet is timed where that pays.
  public var pictureCount = 1
  /// The side of tiles in pixels of the network's input, where the memory allows it; nil for what
  /// is usually fast.
  package var tile: Int?

  /// All cores, half of the free memory, the fast algorithms by estimate, the model's own precision,
  /// unless stated.
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

/// What was done to enlarge a picture.
public struct UpscaleReport: Codable, Sendable {
  /// Columns of the picture.
  public var width: Int
  /// Rows of the picture.
  public var height: Int
  /// Columns of the result.
  public var outputWidth: Int
  /// Rows of the result.
  public var outputHeight: Int
  /// Into how many parts the picture was divided.
  public var tiles: Int
  /// Columns of a part, in pixels of the network's input.
  public var tileWidth: Int
  /// Rows of a part.
  public var tileHeight: Int
  /// The memory for activations.
  public var arenaBytes: Int
  /// The time from opening the picture to closing the result.
  public var seconds: Double
  /// What the user should know.
  public var warnings: [String]
}
