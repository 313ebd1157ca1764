internal import AviaryGraph

extension RecipeField {
  /// All fields, in the order in which they are written.
  package static let all: [RecipeField] =
    [
      RecipeField(
        "architecture", \.architecture, .name("an architecture's name"),
        "The network, by its name in `aviary list`."),
      RecipeField(
        "preset", \.preset, .optional(.name("a preset's name")),
        "A preset of the architecture; none for its first."),
      RecipeField(
        "configuration", flag: "config", \.configuration, .optional(.object),
        "Members of the configuration that differ from the preset, as {features: [32, 64]}."),
      RecipeField(
        "scale", \.scale, .optional(.integer(1...64)),
        "How many times as large results are; none for what the architecture says, or 1."),
      RecipeField(
        "from", \.from, .optional(.checkpoint),
        "A checkpoint whose weights the training begins with, as far as names and shapes agree."),
      RecipeField(
        "data.targets", flag: "data", \.data.targets, .latterFolder,
        "A folder of good pictures, searched with all folders in it."),
      RecipeField(
        "data.inputs", \.data.inputs, .optional(.folder),
        "A folder with the inputs of the same names; none where they are made of the targets."),
      RecipeField(
        "data.degradations", \.data.degradations,
        .list(.degradation, "a list of noise, jpeg and blur with strengths, as noise: 5...25"),
        "What inputs are degraded by, in this order, after downscaling: Gaussian noise of "
          + "a deviation in parts of 255, JPEG of a quality, blur of a deviation in pixels."),
      RecipeField(
        "data.tolerated", \.data.tolerated, .number(0...1),
        "The largest share of files that may be unreadable or too small and are left out."),
      RecipeField(
        "batch.size", flag: "batch-size", \.batch.size, .integer(1...4096),
        "Pairs in a batch, over all processes."),
      RecipeField(
        "batch.accumulation", \.batch.accumulation, .integer(1...4096),
        "Into how many parts a batch is divided, whose gradients are added up: memory for time."),
      RecipeField(
        "batch.patch", \.batch.patch, .integer(8...1024),
        "The side of a patch of what the network is given, in pixels."),
      RecipeField(
        "batch.flips", \.batch.flips, .truth,
        "Mirror patches left to right, half of the time."),
      RecipeField(
        "batch.turns", \.batch.turns, .truth, "Rotate patches by random multiples of 90 degrees."),
      RecipeField(
        "batch.shuffled-channels", \.batch.shuffledChannels, .truth,
        "Put red, green and blue in any order."),
      RecipeField(
        "batch.workers", \.batch.workers, .integer(1...64), "Threads that prepare batches ahead."),
      RecipeField(
        "losses", \.losses,
        .list(.loss, "a list of l1, l2, charbonnier, ssim, total-variation and perceptual"),
        "The loss: names, or {kind: ssim, weight: 0.1}; {kind: charbonnier, epsilon: "
          + "0.001}; {kind: perceptual, checkpoint: vgg.h5, layers: {NAME: 1}, squared: true}."),
    ] + adversarial
    + optimizer("optimizer", flag: "", \.optimizer) + schedule + [
      RecipeField(
        "steps", \.steps, .integer(1...1_000_000_000), "How many steps the training has."),
      RecipeField(
        "clip", \.clip, .optional(.number(1e-9...1e9)),
        "Gradients longer than this (Euclidean norm over all parameters) are shortened to it."),
      RecipeField(
        "average", \.average, .optional(.number(0...0.999999)),
        "The decay of the moving average of the weights, which is validated and kept; none for the "
          + "weights themselves."),
      RecipeField(
        "initialization", \.initialization, .word,
        "How parameters begin: He et al.'s, the same with the last layer zero, or as the frameworks "
          + "do."),
      RecipeField(
        "precision", \.precision, .word,
        "What convolutions calculate with. Weights and sums are float32."),
      RecipeField("seed", \.seed, .seed, "Where all random numbers come from."),
      RecipeField(
        "threads", \.threads, .optional(.integer(1...1024)),
        "How many threads calculate; none for all cores that may be used."),
      RecipeField(
        "validation.data", flag: "validation", \.validation.data,
        .optional(.folder),
        "A folder of originals to measure PSNR on; none to leave validation out."),
      RecipeField(
        "validation.every", flag: "validate-every", \.validation.every,
        .integer(1...1_000_000_000), "Steps from one validation to the next."),
      RecipeField(
        "validation.samples", \.validation.samples, .integer(0...1000),
        "How many of the pictures' results are written at each."),
      RecipeField(
        "saving.folder", flag: "output", \.saving.folder, .latterFolder,
        "The folder of the run: checkpoints, logs, samples (default: runs/ and the recipe's name)."),
      RecipeField(
        "saving.every", flag: "save-every", \.saving.every, .optional(.integer(1...1_000_000_000)),
        "Steps from one checkpoint to the next."),
      RecipeField(
        "saving.minutes", flag: "save-minutes", \.saving.minutes, .optional(.number(0.01...1e6)),
        "Minutes from one checkpoint to the next."),
      RecipeField(
        "saving.keep", flag: "keep", \.saving.keep, .integer(1...1_000_000),
        "How many of the last checkpoints are kept, beside the best."),
    ]

  private static let adversarial: [RecipeField] =
    [
      RecipeField(
        "adversarial.architecture", flag: "adversarial-architecture",
        \.adversary.architecture, .name("an architecture's name"),
        "A discriminator that is trained against the network; any field of this section asks for it."
      ),
      RecipeField(
        "adversarial.configuration", flag: "adversarial-config", \.adversary.configuration,
        .optional(.object), "Members of the discriminator's configuration."),
      RecipeField(
        "adversarial.kind", flag: "adversarial", \.adversary.kind, .word,
        "What discriminator and network learn from."),
      RecipeField(
        "adversarial.weight", flag: "adversarial-weight", \.adversary.weight, .number(0...1e6),
        "How much the discriminator counts beside the losses."),
      RecipeField(
        "adversarial.start", flag: "adversarial-start", \.adversary.start,
        .integer(0...1_000_000_000), "The step at which the discriminator begins to count."),
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
        "How weights follow gradients\(of)."),
      RecipeField(
        "\(path).rate", flag: name("rate"), optimizer, \.rate, .number(1e-12...1e3),
        "The highest learning rate\(of)."),
      RecipeField(
        "\(path).momentum", flag: name("momentum"), optimizer, \.momentum,
        .number(0...0.999999), "The decay of the first moment; the momentum of SGD\(of)."),
      RecipeField(
        "\(path).second-momentum", flag: name("second-momentum"),
        optimizer, \.secondMomentum, .number(0...0.99999999),
        "The decay of the second moment\(of)."),
      RecipeField(
        "\(path).epsilon", flag: name("epsilon"), optimizer, \.epsilon,
        .number(1e-30...1), "Added to the root of the second moment\(of)."),
      RecipeField(
        "\(path).decay", flag: name("decay"), optimizer, \.decay, .number(0...1e3),
        "The share of a weight that it loses in a step, times the rate\(of)."),
    ]
  }

  private static let schedule: [RecipeField] = [
    RecipeField(
      "schedule.kind", flag: "schedule", \.schedule.kind, .word, "How the learning rate goes."),
    RecipeField(
      "schedule.warmup", \.schedule.warmup, .integer(0...1_000_000_000),
      "Steps at the beginning during which the rate rises from zero."),
    RecipeField(
      "schedule.floor", \.schedule.floor, .number(0...1),
      "The last rate, in parts of the highest."),
    RecipeField(
      "schedule.milestones", \.schedule.milestones,
      .list(.integer(1...1_000_000_000), "a list of integers from 1 to 1000000000"),
      "For step: after which steps the rate falls."),
    RecipeField(
      "schedule.factor", \.schedule.factor, .number(1e-9...1),
      "For step: what the rate is multiplied with at each milestone."),
  ]
}

extension Recipe {
  /// The discriminator's section; setting any of it asks for it.
  fileprivate var adversary: AdversarialRecipe {
    get { adversarial ?? AdversarialRecipe() }
    set { adversarial = newValue }
  }
}
