/// What a person should know about a checkpoint: where it comes from, what it may be used for, and
/// how good it is. Stored as JSON; members that are absent are empty, unknown ones are ignored.
public struct Card: Hashable, Sendable {
  /// The licence of the weights, as an SPDX identifier where there is one.
  public var licence: String?
  /// Every file and conversion that the weights went through, the oldest first.
  public var provenance: [Provenance] = []
  /// What the weights were trained on.
  public var trainingData: String?
  /// How they were trained; nil where that is not known.
  public var training: Training?
  /// How it was calibrated to compute in int8; nil where it was not.
  public var quantization: Quantization?
  /// Measured quality, one entry per set and scale.
  public var quality: [Quality] = []
  /// Anything else worth a sentence.
  public var notes: [String] = []

  /// An empty card.
  public init() {}

  /// One step in the history of the weights: a source file and what was done to it.
  public struct Provenance: Hashable, Sendable {
    /// The source file's name, without folder.
    public var file: String
    /// The source file's SHA-256 in hexadecimal.
    public var sha256: String?
    /// The source file's format, such as `PyTorch zip`.
    public var format: String
    /// What was done on import, in words: unwrapped, renamed, transposed, narrowed.
    public var conversions: [String]
    /// What the file does not say and was assumed, or stated by the user.
    public var assumptions: [String]
    /// What a file for PyTorch calls the parameters whose names differ from the network's, by these;
    /// nil for other files, and where none differs.
    public var names: [String: String]?

    /// A step.
    public init(
      file: String, sha256: String? = nil, format: String, conversions: [String] = [],
      assumptions: [String] = [], names: [String: String]? = nil
    ) {
      self.file = file
      self.sha256 = sha256
      self.format = format
      self.conversions = conversions
      self.assumptions = assumptions
      self.names = names
    }
  }

  /// One measurement.
  public struct Quality: Hashable, Sendable {
    /// The set of images, such as `Set5`.
    public var set: String
    /// The scale.
    public var scale: Int
    /// Mean PSNR in dB.
    public var psnr: Double
    /// Mean SSIM, 0 to 1.
    public var ssim: Double?
    /// How it was measured, such as `Y of BT.601, border = scale, bicubic of MATLAB`.
    public var measured: String

    /// A measurement.
    public init(set: String, scale: Int, psnr: Double, ssim: Double? = nil, measured: String) {
      self.set = set
      self.scale = scale
      self.psnr = psnr
      self.ssim = ssim
      self.measured = measured
    }
  }
}

// Decoding is written out because the compiler's own insists on every array being there.
extension Card: Codable {
  private enum CodingKeys: String, CodingKey {
    case licence, provenance, trainingData, training, quantization, quality, notes
  }

  /// Decodes a card; absent members are empty.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    licence = try values.decodeIfPresent(String.self, forKey: .licence)
    provenance = try values.decodeIfPresent([Provenance].self, forKey: .provenance) ?? []
    trainingData = try values.decodeIfPresent(String.self, forKey: .trainingData)
    training = try values.decodeIfPresent(Training.self, forKey: .training)
    quantization = try values.decodeIfPresent(Quantization.self, forKey: .quantization)
    quality = try values.decodeIfPresent([Quality].self, forKey: .quality) ?? []
    notes = try values.decodeIfPresent([String].self, forKey: .notes) ?? []
  }
}

extension Card.Provenance: Codable {
  private enum CodingKeys: String, CodingKey {
    case file, sha256, format, conversions, assumptions, names
  }

  /// Decodes a step; absent lists are empty.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    file = try values.decode(String.self, forKey: .file)
    sha256 = try values.decodeIfPresent(String.self, forKey: .sha256)
    format = try values.decode(String.self, forKey: .format)
    conversions = try values.decodeIfPresent([String].self, forKey: .conversions) ?? []
    assumptions = try values.decodeIfPresent([String].self, forKey: .assumptions) ?? []
    names = try values.decodeIfPresent([String: String].self, forKey: .names)
  }
}

extension Card.Quality: Codable {
  private enum CodingKeys: String, CodingKey {
    case set, scale, psnr, ssim
    case measured = "protocol"
  }
}

extension Card {
  /// How weights were trained: with it and the same images they can be made again.
  public struct Training: Codable, Hashable, Sendable {
    /// The recipe, as the text of a file.
    public var recipe: String
    /// Steps of the optimiser.
    public var steps: Int
    /// Where all random numbers came from.
    public var seed: UInt64
    /// The fingerprint of the images.
    public var fingerprint: String
    /// The program and its version.
    public var program: String

    /// A training.
    public init(
      recipe: String, steps: Int, seed: UInt64, fingerprint: String, program: String
    ) {
      self.recipe = recipe
      self.steps = steps
      self.seed = seed
      self.fingerprint = fingerprint
      self.program = program
    }
  }
}

extension Card {
  /// How the quantization scales were found, and what computing in int8 costs.
  public struct Quantization: Codable, Hashable, Sendable {
    /// The folder of images, without its path.
    public var data: String
    /// Images that were computed.
    public var pictures: Int
    /// The side of the part that was taken of each, in pixels of the result; nil for all of it.
    public var patch: Int?
    /// What chose the images and their parts.
    public var seed: UInt64
    /// Convolutions that multiply 8-bit integers.
    public var layers: Int
    /// Convolutions that would cost too much, by the names of their nodes.
    public var kept: [String]
    /// Mean PSNR in dB of these images, computed in float32.
    public var psnr: Double
    /// What of it is lost in int8.
    public var loss: Double

    /// A calibration.
    public init(
      data: String, pictures: Int, patch: Int?, seed: UInt64, layers: Int, kept: [String],
      psnr: Double, loss: Double
    ) {
      self.data = data
      self.pictures = pictures
      self.patch = patch
      self.seed = seed
      self.layers = layers
      self.kept = kept
      self.psnr = psnr
      self.loss = loss
    }
  }
}
