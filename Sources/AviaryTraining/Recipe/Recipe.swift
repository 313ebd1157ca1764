public import AviaryCompute
public import AviaryGraph

/// Everything that a training is made of: what one YAML file says, and goes into the checkpoint.
///
/// Two trainings of one recipe, on the same data, thread count and processor, give the same weights
/// bit by bit.
public struct Recipe: Hashable, Sendable {
  /// The architecture's name in the registry.
  public var architecture: String
  /// A preset of the architecture; nil for its first.
  public var preset: String?
  /// Members of the configuration that differ from the preset, as a JSON object.
  public var configuration: JSON?
  /// How many times as large results are as what is to be restored; nil for what the configuration
  /// says, or 1 where it says nothing (denoising).
  public var scale: Int?
  /// A checkpoint whose weights the training begins with, as far as names and shapes agree.
  public var from: String?
  /// What is learned from.
  public var data: DataRecipe
  /// How batches are drawn.
  public var batch = BatchRecipe()
  /// What makes a result good; the sum of all, each times its weight.
  public var losses: [LossRecipe] = [LossRecipe(.l1)]
  /// A discriminator that is trained against the network; nil for none.
  public var adversarial: AdversarialRecipe?
  /// How weights follow gradients.
  public var optimizer = OptimizerRecipe()
  /// How fast, step by step.
  public var schedule = ScheduleRecipe()
  /// How many steps of the optimiser the training has.
  public var steps = 20_000
  /// Gradients longer than this (Euclidean norm over all parameters) are shortened to it.
  public var clip: Double?
  /// The decay of the moving average of the weights, which is what is validated and kept; nil for
  /// the weights themselves.
  public var average: Double? = 0.999
  /// How parameters begin.
  public var initialization = Initialization.he
  /// The numbers that convolutions calculate with. Weights, sums and the optimiser are float32.
  public var precision = Precision.float32
  /// Where all random numbers come from.
  public var seed: UInt64 = 1
  /// How many threads calculate; nil for all cores.
  public var threads: Int?
  /// What is looked at on the way.
  public var validation = ValidationRecipe()
  /// What is kept on the way.
  public var saving = SavingRecipe()

  /// A training of an architecture on some data, by the defaults.
  public init(_ architecture: String, data: DataRecipe) {
    (self.architecture, self.data) = (architecture, data)
  }

  /// How parameters begin. Biases begin at zero, but for those of the frameworks' defaults; scales of
  /// normalisations at one.
  public enum Initialization: String, CaseIterable, Codable, Hashable, Sendable {
    /// He et al., "Delving deep into rectifiers" (2015): normal, deviation √(2 / fan in); and the
    /// last layer of every branch that is added to something a tenth of it, so that training starts
    /// near the identity.
    case he
    /// As `he`, with the network's last layer zero: it begins as its skip connection.
    case zeroLast = "zero-last"
    /// PyTorch's: uniform, bound 1/√(fan in), biases too.
    case pytorch
    /// Keras's: Glorot and Bengio (2010), uniform, bound √(6 / (fan in + fan out)); biases zero.
    case keras
  }
}

/// Pictures to learn from, and what is done to them.
public struct DataRecipe: Hashable, Sendable {
  /// A folder of good pictures, searched with all folders in it: the targets.
  public var targets: String
  /// A folder with the inputs of the same names; nil where they are made of the targets.
  public var inputs: String?
  /// What inputs suffer, in this order, after they were reduced by the scale.
  public var degradations: [Degradation] = []
  /// The largest share of files that may be unreadable or too small and are left out, 0 to 1.
  public var tolerated = 0.1

  /// A folder of good pictures.
  public init(targets: String) { self.targets = targets }

  /// Something that makes a picture worse. Strengths are drawn anew for every patch.
  public enum Degradation: Hashable, Sendable {
    /// Gaussian noise of a deviation in parts of 255.
    case noise(deviation: ClosedRange<Double>)
    /// JPEG's compression at a quality of 1 to 100.
    case jpeg(quality: ClosedRange<Double>)
    /// A Gaussian blur of a deviation in pixels.
    case blur(deviation: ClosedRange<Double>)
  }
}

/// How batches are drawn.
public struct BatchRecipe: Hashable, Sendable {
  /// Pairs in a batch, over all processes.
  public var size = 16
  /// Into how many parts a batch is divided, whose gradients are added up: memory for time.
  public var accumulation = 1
  /// The side of a patch of what the network is given, in pixels.
  public var patch = 48
  /// Mirrored left to right, half of the time.
  public var flips = true
  /// Turned by quarters.
  public var turns = true
  /// Red, green and blue in any order.
  public var shuffledChannels = false
  /// Threads that prepare batches ahead.
  public var workers = 1

  /// The defaults.
  public init() {}
}

/// A part of what makes a result good.
public struct LossRecipe: Hashable, Sendable {
  /// What is measured.
  public var kind: Kind
  /// How much it counts.
  public var weight = 1.0

  /// A loss that counts once.
  public init(_ kind: Kind, weight: Double = 1) { (self.kind, self.weight) = (kind, weight) }

  /// What is measured.
  public enum Kind: Hashable, Sendable {
    /// The mean of |result - target|.
    case l1
    /// The mean of (result - target)².
    case l2
    /// The mean of √((result - target)² + ε²): Charbonnier et al. (1994).
    case charbonnier(epsilon: Double)
    /// 1 - SSIM: Wang et al. (2004), with a Gaussian window of 11x11, deviation 1.5.
    case ssim
    /// The mean of the absolute differences of neighbours of the result: Rudin, Osher and Fatemi (1992).
    case totalVariation
    /// The distance of features: Johnson, Alahi and Fei-Fei (2016).
    case perceptual(PerceptualRecipe)
  }
}

/// A network whose features are compared.
public struct PerceptualRecipe: Hashable, Sendable {
  /// A checkpoint's path or name, or a file of Keras's or PyTorch's, of weights that the registry knows.
  public var checkpoint: String
  /// The nodes whose values are compared, with weights. Empty for what the architecture says.
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
  /// What both learn from.
  public var kind = Kind.standard
  /// How much it counts beside the losses.
  public var weight = 5e-3
  /// The step at which it begins to count.
  public var start = 0
  /// Its own optimiser.
  public var optimizer = OptimizerRecipe(rate: 1e-4)

  /// The defaults.
  public init() {}

  /// What is learned from.
  public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
    /// Goodfellow et al. (2014), the non-saturating form.
    case standard
    /// The relativistic average of Jolicoeur-Martineau (2018), as ESRGAN has it.
    case relativistic
    /// Lim and Ye (2017).
    case hinge
  }
}

/// How weights follow gradients.
public struct OptimizerRecipe: Hashable, Sendable {
  /// The rule.
  public var kind = Kind.adam
  /// The highest learning rate.
  public var rate = 1e-3
  /// The decay of the first moment: Adam's β₁; the momentum of SGD.
  public var momentum = 0.9
  /// The decay of the second moment: Adam's β₂.
  public var secondMomentum = 0.999
  /// Added to the root of the second moment.
  public var epsilon = 1e-8
  /// The share of a weight that it loses in a step, times the rate: decoupled in AdamW, part of the
  /// gradient in Adam and SGD.
  public var decay = 0.0

  /// The defaults.
  public init(rate: Double = 1e-3) { self.rate = rate }

  /// The rules.
  public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
    /// Kingma and Ba (2015).
    case adam
    /// Loshchilov and Hutter (2019).
    case adamw
    /// With momentum, as PyTorch has it.
    case sgd
  }
}

/// How the learning rate goes.
public struct ScheduleRecipe: Hashable, Sendable {
  /// The shape of the curve.
  public var kind = Kind.cosine
  /// Steps at the beginning during which the rate rises from zero; none of one-cycle's own.
  public var warmup = 0
  /// The last rate, in parts of the highest.
  public var floor = 1e-3
  /// For steps: after which steps the rate falls.
  public var milestones: [Int] = []
  /// What the rate is multiplied with at each milestone.
  public var factor = 0.5

  /// The defaults.
  public init() {}

  /// The shapes.
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

/// What is looked at on the way.
public struct ValidationRecipe: Hashable, Sendable {
  /// A folder of originals; nil for none.
  public var data: String?
  /// Steps from one validation to the next.
  public var every = 1_000
  /// How many of the pictures' results are written, as PNG.
  public var samples = 2

  /// The defaults.
  public init() {}
}

/// What is kept on the way.
public struct SavingRecipe: Hashable, Sendable {
  /// The folder of the run: checkpoints, logs, samples.
  public var folder = ""
  /// Steps from one checkpoint to the next; nil for none.
  public var every: Int?
  /// Minutes from one checkpoint to the next; nil for none.
  public var minutes: Double? = 10
  /// How many of the last are kept, beside the best.
  public var keep = 2

  /// The defaults.
  public init() {}
}
