public import AviaryCompute
public import AviaryGraph

/// Everything that defines a training: the content of one YAML file, which is stored in the
/// checkpoint.
///
/// Two trainings with the same recipe, data, thread count and processor give the same weights bit
/// for bit.
public struct Recipe: Hashable, Sendable {
  /// The architecture's name in the registry.
  public var architecture: String
  /// A preset of the architecture; nil for its first.
  public var preset: String?
  /// Members of the configuration that differ from the preset, as a JSON object.
  public var configuration: JSON?
  /// How many times larger results are than inputs; nil for the configuration's own, or 1 if it has
  /// none (denoising).
  public var scale: Int?
  /// Weights of any format that the training starts from, where names and shapes agree.
  public var from: String?
  /// The training data.
  public var data: DataRecipe
  /// How batches are drawn.
  public var batch = BatchRecipe()
  /// The losses; the total is their weighted sum.
  public var losses: [LossRecipe] = [LossRecipe(.l1)]
  /// A discriminator that is trained against the network; nil for none.
  public var adversarial: AdversarialRecipe?
  /// The optimizer.
  public var optimizer = OptimizerRecipe()
  /// The learning rate schedule.
  public var schedule = ScheduleRecipe()
  /// The number of optimizer steps.
  public var steps = 20_000
  /// The maximum gradient norm (Euclidean, over all parameters); longer gradients are clipped to
  /// it.
  public var clipNorm: Double?
  /// The decay of the weights' moving average, which is what is validated and saved; nil for the
  /// weights themselves.
  public var emaDecay: Double? = 0.999
  /// How parameters are initialized.
  public var initialization = Initialization.he
  /// The data type in which convolutions multiply. Weights, sums and the optimizer are float32.
  public var precision = Precision.float32
  /// The seed of all random numbers.
  public var seed: UInt64 = 1
  /// The number of compute threads; nil for all cores.
  public var threads: Int?
  /// Validation settings.
  public var validation = ValidationRecipe()
  /// Checkpoint settings.
  public var saving = SavingRecipe()

  /// A training of an architecture on some data, by the defaults.
  public init(_ architecture: String, data: DataRecipe) {
    (self.architecture, self.data) = (architecture, data)
  }

  /// Parameter initialization. Biases start at zero, except in the frameworks' defaults; the scales
  /// of normalisations at one.
  public enum Initialization: String, CaseIterable, Codable, Hashable, Sendable {
    /// He et al., "Delving deep into rectifiers" (2015): normal, deviation √(2 / fan in); the last
    /// layer of every residual branch gets a tenth of it, so that training starts near the
    /// identity.
    case he
    /// As `he`, with the network's last layer zero: it starts as its skip connection.
    case zeroLast = "zero-last"
    /// PyTorch's: uniform, bound 1/√(fan in), biases too.
    case pytorch
    /// Keras's: Glorot and Bengio (2010), uniform, bound √(6 / (fan in + fan out)); biases zero.
    case keras
  }
}

/// Training images, and how they are degraded.
public struct DataRecipe: Hashable, Sendable {
  /// The folder of targets, searched with all its subfolders.
  public var targets: String
  /// A folder with inputs of the same names; nil to make them from the targets.
  public var inputs: String?
  /// Degradations of the inputs, in this order, after downscaling.
  public var degradations: [Degradation] = []
  /// The largest share of files that may be unreadable or too small and are skipped, 0 to 1.
  public var maxInvalidShare = 0.1

  /// A folder of targets.
  public init(targets: String) { self.targets = targets }

  /// A degradation of an image. Strengths are drawn anew for every patch.
  public enum Degradation: Hashable, Sendable {
    /// Gaussian noise, with the deviation in units of 1/255.
    case noise(deviation: ClosedRange<Double>)
    /// JPEG compression with a quality of 1 to 100.
    case jpeg(quality: ClosedRange<Double>)
    /// A Gaussian blur, with the deviation in pixels.
    case blur(deviation: ClosedRange<Double>)
  }
}

/// How batches are drawn.
public struct BatchRecipe: Hashable, Sendable {
  /// Pairs in a batch, over all processes.
  public var size = 16
  /// The number of parts that a batch is split into, with gradient accumulation: saves memory,
  /// costs time.
  public var accumulation = 1
  /// The side of the network's input patch, in pixels.
  public var patch = 48
  /// Flip left to right, half of the time.
  public var horizontalFlip = true
  /// Rotate by multiples of 90 degrees.
  public var rot90 = true
  /// Permute red, green and blue at random.
  public var channelShuffle = false
  /// Threads that prepare batches ahead.
  public var workers = 1

  /// The defaults.
  public init() {}
}

/// One term of the loss.
public struct LossRecipe: Hashable, Sendable {
  /// The kind of loss.
  public var kind: Kind
  /// The weight.
  public var weight = 1.0

  /// A loss with weight 1 unless stated.
  public init(_ kind: Kind, weight: Double = 1) { (self.kind, self.weight) = (kind, weight) }

  /// The kinds of loss.
  public enum Kind: Hashable, Sendable {
    /// The mean of |result - target|.
    case l1
    /// The mean of (result - target)².
    case l2
    /// The mean of √((result - target)² + ε²): Charbonnier et al. (1994).
    case charbonnier(epsilon: Double)
    /// 1 - SSIM: Wang et al. (2004), with a Gaussian window of 11x11, deviation 1.5.
    case ssim
    /// The mean absolute difference between neighbours of the result: Rudin, Osher and Fatemi
    /// (1992).
    case totalVariation
    /// The distance of features: Johnson, Alahi and Fei-Fei (2016).
    case perceptual(PerceptualRecipe)
  }
}

/// A perceptual loss: the network whose features are compared.
public struct PerceptualRecipe: Hashable, Sendable {
  /// A checkpoint's path or name, or a Keras or PyTorch file, with weights that the registry knows.
  public var checkpoint: String
  /// The nodes whose values are compared, with weights. Empty for the architecture's default.
  public var layers: [String: Double] = [:]
  /// The distance: L1 or L2.
  public var isSquared = true

  /// The features of a network.
  public init(checkpoint: String) { self.checkpoint = checkpoint }
}

/// A network that learns to tell results from targets.
public struct AdversarialRecipe: Hashable, Sendable {
  /// A discriminator of the registry.
  public var architecture = "patch-discriminator"
  /// Members of its configuration, as a JSON object.
  public var configuration: JSON?
  /// The adversarial loss.
  public var kind = Kind.standard
  /// Its weight relative to the losses.
  public var weight = 5e-3
  /// The step at which it takes effect.
  public var start = 0
  /// Its own optimizer.
  public var optimizer = OptimizerRecipe(learningRate: 1e-4)

  /// The defaults.
  public init() {}

  /// The adversarial losses.
  public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
    /// Goodfellow et al. (2014), the non-saturating form.
    case standard
    /// The relativistic average of Jolicoeur-Martineau (2018), as ESRGAN has it.
    case relativistic
    /// Lim and Ye (2017).
    case hinge
  }
}

/// The optimizer.
public struct OptimizerRecipe: Hashable, Sendable {
  /// The kind of optimizer.
  public var kind = Kind.adam
  /// The highest learning rate.
  public var learningRate = 1e-3
  /// The decay of the first moment: Adam's β₁; the momentum of SGD.
  public var beta1 = 0.9
  /// The decay of the second moment: Adam's β₂.
  public var beta2 = 0.999
  /// Added to the square root of the second moment.
  public var epsilon = 1e-8
  /// The weight decay, relative to the learning rate: decoupled in AdamW, part of the gradient in
  /// Adam and SGD.
  public var weightDecay = 0.0

  /// The defaults.
  public init(learningRate: Double = 1e-3) { self.learningRate = learningRate }

  /// The kinds of optimizer.
  public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
    /// Kingma and Ba (2015).
    case adam
    /// Loshchilov and Hutter (2019).
    case adamw
    /// With momentum, as in PyTorch.
    case sgd
  }
}

/// The learning rate schedule.
public struct ScheduleRecipe: Hashable, Sendable {
  /// The shape of the curve.
  public var kind = Kind.cosine
  /// Steps at the start during which the rate rises from zero; not with one-cycle, which has its
  /// own.
  public var warmup = 0
  /// The last learning rate, relative to the highest.
  public var minLearningRateRatio = 1e-3
  /// For `step`: the steps after which the rate falls.
  public var milestones: [Int] = []
  /// For `step`: the factor of the rate at each milestone.
  public var factor = 0.5

  /// The defaults.
  public init() {}

  /// The kinds of schedule.
  public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
    /// The highest rate throughout.
    case constant
    /// Falls at milestones.
    case step
    /// Half a cosine down: Loshchilov and Hutter (2017), without restarts.
    case cosine
    /// Up for the first 30 % and down: Smith and Topin (2018).
    case oneCycle = "one-cycle"
  }
}

/// Validation settings.
public struct ValidationRecipe: Hashable, Sendable {
  /// A folder of originals; nil for none.
  public var data: String?
  /// The number of steps between validations.
  public var every = 1_000
  /// How many results to write, as PNG.
  public var samples = 2

  /// The defaults.
  public init() {}
}

/// Checkpoint settings.
public struct SavingRecipe: Hashable, Sendable {
  /// The run folder: checkpoints, logs, samples.
  public var folder = ""
  /// The number of steps between checkpoints; nil for none.
  public var every: Int?
  /// The minutes between checkpoints; nil for none.
  public var minutes: Double? = 10
  /// How many of the latest checkpoints are kept, beside the best.
  public var keep = 2

  /// The defaults.
  public init() {}
}

extension Recipe {
  /// Fields that do not affect the weights: validation, saving, the paths of images (the
  /// fingerprint identifies them), the threads that load them.
  private static let withoutEffect = [
    "saving.", "validation.", "data.targets", "data.inputs", "data.max-invalid-share",
    "batch.workers",
    "threads", "from",
  ]

  /// The fields in which this recipe would give different weights from an earlier one, with both
  /// values in words, in the recipe's order.
  package func differences(from earlier: Recipe) -> [String] {
    RecipeField.all.compactMap { field in
      let (old, new) = (field.text(of: earlier), field.text(of: self))
      let counts = !Recipe.withoutEffect.contains { field.path.hasPrefix($0) }
      return counts && old != new ? "\(field.path) \(new), before \(old)" : nil
    }
  }
}
