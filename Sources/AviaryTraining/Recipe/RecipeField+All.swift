internal import AviaryGraph

extension RecipeField {
  /// All fields, in the order in which they are written.
  package static let all: [RecipeField] =
    [
      RecipeField(
        "architecture", \.architecture, .name("an architecture's name"),
        "Architecture, by its name in `aviary list`."),
      RecipeField(
        "preset", \.preset, .optional(.name("a preset's name")),
        "Preset of the architecture; none for the first."),
      RecipeField(
        "configuration", flag: "config", \.configuration, .optional(.object),
        "Configuration members that differ from the preset, such as {features: [32, 64]}."),
      RecipeField(
        "scale", \.scale, .optional(.integer(1...64)),
        "Upscaling factor; none for the architecture's own, or 1."),
      RecipeField(
        "from", \.from, .optional(.checkpoint),
        "Weights of any format to initialize from, where names and shapes match."),
      RecipeField(
        "data.targets", flag: "data", \.data.targets, .latterFolder,
        "Folder of high-quality images, searched recursively."),
      RecipeField(
        "data.inputs", \.data.inputs, .optional(.folder),
        "Folder of inputs with the same names; none to make them from the targets."),
      RecipeField(
        "data.degradations", \.data.degradations,
        .list(.degradation, "a list of noise, jpeg and blur with strengths, as noise: 5...25"),
        "Degradations applied to inputs, in this order, after downscaling: Gaussian noise (standard "
          + "deviation in 1/255), JPEG (quality), blur (standard deviation in pixels)."),
      RecipeField(
        "data.max-invalid-share", formerly: "tolerated", \.data.maxInvalidShare, .number(0...1),
        "Largest share of files that may be skipped as unreadable or too small."),
      RecipeField(
        "batch.size", flag: "batch-size", \.batch.size, .integer(1...4096),
        "Training pairs per batch, over all processes."),
      RecipeField(
        "batch.accumulation", \.batch.accumulation, .integer(1...4096),
        "Gradient accumulation: split each batch into this many parts, to save memory."),
      RecipeField(
        "batch.patch", \.batch.patch, .integer(8...1024),
        "Side of the network's input patch, in pixels."),
      RecipeField(
        "batch.horizontal-flip", formerly: "flips", \.batch.horizontalFlip, .truth,
        "Flip half of the patches left to right."),
      RecipeField(
        "batch.rot90", formerly: "turns", \.batch.rot90, .truth,
        "Rotate patches by multiples of 90 degrees."),
      RecipeField(
        "batch.channel-shuffle", formerly: "shuffled-channels", \.batch.channelShuffle, .truth,
        "Shuffle red, green and blue."),
      RecipeField(
        "batch.workers", \.batch.workers, .integer(1...64),
        "Threads that prepare batches ahead of time."),
      RecipeField(
        "losses", \.losses,
        .list(.loss, "a list of l1, l2, charbonnier, ssim, total-variation and perceptual"),
        "Losses: names, or {kind: ssim, weight: 0.1}; {kind: charbonnier, epsilon: "
          + "0.001}; {kind: perceptual, checkpoint: vgg.h5, layers: {NAME: 1}, squared: true}."),
    ] + adversarial
    + optimizer("optimizer", flag: "", \.optimizer) + schedule + [
      RecipeField(
        "steps", \.steps, .integer(1...1_000_000_000), "Number of training steps."),
      RecipeField(
        "clip-norm", formerly: "clip", \.clipNorm, .optional(.number(1e-9...1e9)),
        "Clip gradients to this Euclidean norm over all parameters."),
      RecipeField(
        "ema-decay", formerly: "average", \.emaDecay, .optional(.number(0...0.999999)),
        "Decay of the exponential moving average of the weights, which is validated and saved; none "
          + "to use the weights themselves."),
      RecipeField(
        "initialization", \.initialization, .word,
        "Initialization: He et al.'s, the same with the last layer zero, or a framework's default."),
      RecipeField(
        "precision", \.precision, .word,
        "Data type of convolutions. Weights and accumulation are float32."),
      RecipeField("seed", \.seed, .seed, "Seed of all random numbers."),
      RecipeField(
        "threads", \.threads, .optional(.integer(1...1024)),
        "Compute threads; none for all available cores."),
      RecipeField(
        "validation.data", flag: "validation", \.validation.data,
        .optional(.folder),
        "Folder of originals on which PSNR is measured; none to skip validation."),
      RecipeField(
        "validation.every", flag: "validate-every", \.validation.every,
        .integer(1...1_000_000_000), "Validate every so many steps."),
      RecipeField(
        "validation.samples", \.validation.samples, .integer(0...1000),
        "Number of validation results written as images each time."),
      RecipeField(
        "saving.folder", flag: "output", \.saving.folder, .latterFolder,
        "Folder of the run: checkpoints, logs, samples (default: runs/ and the recipe's name)."),
      RecipeField(
        "saving.every", flag: "save-every", \.saving.every, .optional(.integer(1...1_000_000_000)),
        "Save a checkpoint every so many steps."),
      RecipeField(
        "saving.minutes", flag: "save-minutes", \.saving.minutes, .optional(.number(0.01...1e6)),
        "Save a checkpoint every so many minutes."),
      RecipeField(
        "saving.keep", flag: "keep", \.saving.keep, .integer(1...1_000_000),
        "Number of recent checkpoints to keep, besides the best."),
    ]

  private static let adversarial: [RecipeField] =
    [
      RecipeField(
        "adversarial.architecture", flag: "adversarial-architecture",
        \.adversary.architecture, .name("an architecture's name"),
        "Discriminator trained against the network; any field of this section turns it on."
      ),
      RecipeField(
        "adversarial.configuration", flag: "adversarial-config", \.adversary.configuration,
        .optional(.object), "Members of the discriminator's configuration."),
      RecipeField(
        "adversarial.kind", flag: "adversarial", \.adversary.kind, .word,
        "Adversarial loss."),
      RecipeField(
        "adversarial.weight", flag: "adversarial-weight", \.adversary.weight, .number(0...1e6),
        "Weight of the adversarial loss."),
      RecipeField(
        "adversarial.start", flag: "adversarial-start", \.adversary.start,
        .integer(0...1_000_000_000), "Step at which the adversarial loss starts."),
    ]
    + optimizer(
      "adversarial.optimizer", flag: "adversarial-", \.adversary.optimizer,
      of: "the discriminator's ")

  private static func optimizer(
    _ path: String, flag: String,
    _ optimizer: any WritableKeyPath<Recipe, OptimizerRecipe> & Sendable,
    of owner: String = ""
  ) -> [RecipeField] {
    func name(_ own: String) -> String { flag + own }
    let of = owner.isEmpty ? "" : " (\(owner)optimiser)"
    return [
      RecipeField(
        "\(path).kind", flag: name("optimizer"), optimizer, \.kind, .word,
        "The optimizer\(of)."),
      RecipeField(
        "\(path).learning-rate", flag: name("learning-rate"), formerly: "rate", optimizer,
        \.learningRate, .number(1e-12...1e3),
        "Peak learning rate\(of)."),
      RecipeField(
        "\(path).beta1", flag: name("beta1"), formerly: "momentum", optimizer, \.beta1,
        .number(0...0.999999), "Adam's decay of the first moment, and SGD's momentum\(of)."),
      RecipeField(
        "\(path).beta2", flag: name("beta2"), formerly: "second-momentum",
        optimizer, \.beta2, .number(0...0.99999999),
        "Adam's decay of the second moment\(of)."),
      RecipeField(
        "\(path).epsilon", flag: name("epsilon"), optimizer, \.epsilon,
        .number(1e-30...1), "Adam's epsilon, added to the root of the second moment\(of)."),
      RecipeField(
        "\(path).weight-decay", flag: name("weight-decay"), formerly: "decay", optimizer,
        \.weightDecay, .number(0...1e3),
        "Weight decay: decoupled in AdamW, L2 in Adam and SGD\(of)."),
    ]
  }

  private static let schedule: [RecipeField] = [
    RecipeField(
      "schedule.kind", flag: "schedule", \.schedule.kind, .word, "Learning rate schedule."),
    RecipeField(
      "schedule.warmup", \.schedule.warmup, .integer(0...1_000_000_000),
      "Warm-up steps, during which the learning rate rises from zero."),
    RecipeField(
      "schedule.min-lr-ratio", formerly: "floor", \.schedule.minLearningRateRatio, .number(0...1),
      "Final learning rate as a fraction of the peak."),
    RecipeField(
      "schedule.milestones", \.schedule.milestones,
      .list(.integer(1...1_000_000_000), "a list of integers from 1 to 1000000000"),
      "For step: steps after which the learning rate falls."),
    RecipeField(
      "schedule.factor", \.schedule.factor, .number(1e-9...1),
      "For step: multiplies the learning rate at each milestone."),
  ]
}

extension Recipe {
  /// The discriminator's section; setting any of its fields creates it.
  fileprivate var adversary: AdversarialRecipe {
    get { adversarial ?? AdversarialRecipe() }
    set { adversarial = newValue }
  }
}
