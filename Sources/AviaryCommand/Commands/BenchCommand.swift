import AviaryCheckpoint
import ArgumentParser
import Aviary
import AviaryCompute
import AviaryGraph

/// `aviary bench`: how fast a network is here, and where its time goes.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time a network, and say where the time goes.",
    discussion: """
      Times a network on noise, from a tensor to a new tensor: no files, no decoding. An architecture \
      gets random weights, which take as long as others. Multiply-adds are those of the definition, \
      whatever an algorithm saves; they are held against the processor's peak, which is measured with \
      direct convolutions that stay in the caches. Absolute times change with the machine's other \
      work: compare those of one hour.

      EXAMPLES
        aviary bench fusion-cae-x2
        aviary bench residual-cae --size 512x512 --layers
        aviary bench vdsr.pth --batch 4 --threads 1 --json
        aviary bench plain-cae --size 128x128 --batch 16 --training
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint or its name, other weights, or an architecture, with a preset or without.",
      valueName: "model"),
    completion: .models)
  var reference: String

  @Option(
    help: ArgumentHelp(
      "The size of the pictures (default: 256x256, or what the network takes).",
      valueName: "width x height"),
    transform: PictureSize.init)
  var size: PictureSize?

  @Option(help: ArgumentHelp("Pictures at a time.", valueName: "number"))
  var batch = 1

  @Option(
    help: ArgumentHelp(
      "Runs that are timed, after three that are not; the median counts.", valueName: "number"))
  var runs = 9

  @Option(
    help: ArgumentHelp("Threads (default: the cores that may be used).", valueName: "number"))
  var threads: Int?

  @OptionGroup var numbers: PrecisionOptions

  @Option(
    help: ArgumentHelp(
      "When to time the ways to compute a layer, before the network is timed (default: $AVIARY_TUNE, else always).",
      valueName: "always|auto|never"))
  var tune: TuningChoice?

  @Flag(help: "Leave out algorithms that trade accuracy for speed.")
  var exact = false

  @Flag(help: "Time forward and back, as in a training, without loss and optimiser.")
  var training = false

  @Flag(help: "List each step: what is done, by whom, how long it takes.")
  var layers = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    for (name, value, limit) in [
      ("--batch", batch, 65_536), ("--runs", runs, 100_000), ("--threads", threads ?? 1, 1024),
    ] {
      guard !(1...limit).contains(value) else { continue }
      throw ValidationError("\(name): 1 to \(limit) expected, \(value) found")
    }
  }

  func run() throws {
    let zoo = try zooOptions.zoo()
    func options(_ model: Model) throws -> BenchmarkOptions {
      var plan = try model.planOptions(
        numbers.precision, exact: exact, tuning: TuningChoice.tuning(tune, else: .always))
      plan.runsAhead = runs
      // Steps of training have no whole numbers.
      if training { plan.quantization = nil }
      return BenchmarkOptions(
        size: size?.size, batch: batch, runs: runs, threads: threads, plan: plan,
        isTraining: training)
    }
    let report: BenchReport
    if let path = zoo.file(reference) {
      let model = try zoo.load(path, scale: nil, weights, quiet: output.quiet)
      let tensors = Dictionary(model.weights.map { ($0.name, $0.tensor) }) { first, _ in first }
      report = BenchReport(
        reference, "\(model.name), its own weights",
        try NetworkBenchmark(model.graph, weights: tensors, options: options(model)))
    } else {
      let (network, tensors) = try zoo.untrained(
        reference, configuration: weights.config?.json ?? [:])
      report = BenchReport(
        reference, tensors.isEmpty ? "no weights" : "random weights",
        try NetworkBenchmark(
          network.graph, weights: tensors,
          options: options(Model(network, weights: NamedTensors()))))
    }
    try output.print(report.text(withLayers: layers), json: report.json(withLayers: layers))
  }
}

/// A size as people write it: 640x480, columns first.
struct PictureSize {
  let size: Size

  init(_ text: String) throws {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1],
      (1...1 << 24).contains(width), (1...1 << 24).contains(height)
    else { throw ValidationError("a size such as 640x480 expected") }
    size = Size(height, width)
  }
}
