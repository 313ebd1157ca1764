/// What a training needs to go on, beside the weights that a checkpoint is about.
///
/// A file converted from another framework's training checkpoint has the optimiser's state alone;
/// one of Aviary's own training has all of it.
public struct TrainingState: Sendable {
  /// How far the training is, and by what it was made; nil where another program trained.
  public var progress: TrainingProgress?
  /// The weights that the optimiser works on, with running statistics and counters, under the names
  /// and in the shapes of the checkpoint's own; nil where those are the same. A checkpoint's own
  /// are the moving average of these.
  public var weights: TensorSource?
  /// What the optimiser remembers.
  public var optimizer: OptimizerState?
  /// The network that is trained against this one.
  public var adversary: Adversary?

  /// A discriminator in training.
  public struct Adversary: Sendable {
    /// All its parameters under their canonical names.
    public var weights: TensorSource
    /// What its optimiser remembers; nil before it began.
    public var optimizer: OptimizerState?

    /// A discriminator.
    public init(weights: TensorSource, optimizer: OptimizerState?) {
      (self.weights, self.optimizer) = (weights, optimizer)
    }
  }

  /// A state.
  public init(
    progress: TrainingProgress? = nil, weights: TensorSource? = nil,
    optimizer: OptimizerState? = nil, adversary: Adversary? = nil
  ) {
    self.progress = progress
    self.weights = weights
    self.optimizer = optimizer
    self.adversary = adversary
  }

  /// All tensors of the state, for those who check them.
  var tensors: [TensorDescription] {
    [weights, optimizer?.tensors, adversary?.weights, adversary?.optimizer?.tensors]
      .flatMap { $0?.descriptions ?? [] }
  }

  /// Whether nothing is in it.
  var isEmpty: Bool {
    progress == nil && weights == nil && optimizer == nil && adversary == nil
  }
}

/// How far a training is, and everything that its exact repetition depends on.
public struct TrainingProgress: Codable, Hashable, Sendable {
  /// How many steps of the optimiser were taken.
  public var step: Int
  /// The recipe in its canonical text, seed included.
  public var recipe: String
  /// Where all random numbers come from.
  public var seed: UInt64
  /// What tells one set of images from another.
  public var dataFingerprint: String
  /// The program and its version.
  public var program: String
  /// How many threads calculate.
  public var threads: Int
  /// How many processes train together, each with as many threads; nil, as in files of before this
  /// was written down, for one.
  public var processes: Int?
  /// How each layer is calculated: another implementation sums in another order.
  public var algorithms: [Algorithm]
  /// What was chosen for each layer, in the engine's own words, so that who goes on can choose the
  /// same; nil in files of before this was written down.
  public var choices: [Algorithm]?
  /// The best validation so far; nil before the first.
  public var best: Best?
  /// How long was trained, over all stretches.
  public var seconds: Double
  /// How many pairs of images were learned from, repetitions counted.
  public var samples: Int

  /// How a layer is calculated.
  public struct Algorithm: Codable, Hashable, Sendable {
    /// The layer, and which of its calculations.
    public var layer: String
    /// What does it, in the words of the library.
    public var implementation: String

    /// A layer's implementation.
    public init(layer: String, implementation: String) {
      (self.layer, self.implementation) = (layer, implementation)
    }
  }

  /// A validation.
  public struct Best: Codable, Hashable, Sendable {
    /// The figure, the higher the better: PSNR in dB.
    public var figure: Double
    /// How many steps were taken before it.
    public var step: Int

    /// A validation after a step.
    public init(figure: Double, step: Int) { (self.figure, self.step) = (figure, step) }
  }

  /// A progress.
  public init(
    step: Int, recipe: String, seed: UInt64, dataFingerprint: String, program: String,
    threads: Int, algorithms: [Algorithm] = [], choices: [Algorithm]? = nil, best: Best? = nil,
    seconds: Double = 0,
    samples: Int = 0, processes: Int = 1
  ) {
    self.step = step
    self.recipe = recipe
    self.seed = seed
    self.dataFingerprint = dataFingerprint
    self.program = program
    self.threads = threads
    self.algorithms = algorithms
    self.choices = choices
    self.best = best
    self.seconds = seconds
    self.samples = samples
    self.processes = processes == 1 ? nil : processes
  }

  /// What no training could have got to, in words: numbers from a file. Those that pass can be
  /// added to without overflow.
  var problem: String? {
    // Every integer below has a number of its own in any program's JSON.
    let most = 1 << 53
    func range(_ name: String, _ found: Int, from least: Int) -> String? {
      (least...most).contains(found)
        ? nil : "\(name): expected a number from \(least) to \(most), found \(found)"
    }
    if let problem = range("step", step, from: 0) ?? range("threads", threads, from: 1)
      ?? range("samples", samples, from: 0) ?? range("processes", processes ?? 1, from: 1)
    {
      return problem
    }
    if !(0...Double(most)).contains(seconds) {
      return "seconds: expected a number from 0 to \(most), found \(seconds)"
    }
    guard let best, !(0...step).contains(best.step) else { return nil }
    return "best: expected a step from 0 to \(step), found \(best.step)"
  }
}
