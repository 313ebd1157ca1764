import AviaryCheckpoint
import ArgumentParser
import Aviary
import AviaryCompute
import AviaryGraph

/// `aviary bench`: how fast a network runs on this machine, and where its time goes.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Benchmark a network, as a whole or layer by layer.",
    discussion: """
      Times a network on random input, tensor to tensor, without files or decoding. An architecture \
      gets random weights. Multiply-adds are counted by the definition, whatever the algorithm saves, \
      and compared with the processor's peak, which is measured with direct convolutions that fit the \
      caches. Absolute times depend on what else the machine does: compare runs made together.

      EXAMPLES
        aviary bench fusion-cae-x2
        aviary bench residual-cae --size 512x512 --layers
        aviary bench vdsr.pth --batch 4 --threads 1 --json
        aviary bench plain-cae --size 128x128 --batch 16 --training
      """)

  @Argument(
    help: ArgumentHelp(
      "Checkpoint (path or name), third-party weights, or ARCHITECTURE[:PRESET].",
      valueName: "model"),
    completion: .models)
  var reference: String

  @Option(
    help: ArgumentHelp(
      "Input size (default: 256x256, or the network's own).",
      valueName: "width x height"),
    transform: ImageSize.init)
  var size: ImageSize?

  @Option(help: ArgumentHelp("Batch size.", valueName: "number"))
  var batch = 1

  @Option(
    help: ArgumentHelp(
      "Timed runs, after three warm-up runs; the median is reported.", valueName: "number"))
  var runs = 9

  @Option(
    help: ArgumentHelp("Number of threads (default: all available cores).", valueName: "number"))
  var threads: Int?

  @OptionGroup var numbers: PrecisionOptions

  @Option(
    help: ArgumentHelp(
      "When to autotune before timing (default: $AVIARY_TUNE, else always).",
      valueName: "always|auto|never"))
  var tune: TuningChoice?

  @Flag(help: "Exclude algorithms that trade accuracy for speed (Winograd, FFT).")
  var exact = false

  @Flag(help: "Time the forward and backward pass, without loss and optimizer.")
  var training = false

  @Flag(help: "List each step: operation, implementation, time.")
  var layers = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    for (name, value, limit) in [
      ("--batch", batch, 65_536), ("--runs", runs, 100_000), ("--threads", threads ?? 1, 1024),
    ] {
      guard !(1...limit).contains(value) else { continue }
      throw ValidationError("\(name): expected 1 to \(limit), found \(value)")
    }
  }

  func run() throws {
    let zoo = try zooOptions.zoo()
    func options(_ model: Model) throws -> BenchmarkOptions {
      var plan = try model.planOptions(
        numbers.precision, exact: exact, tuning: TuningChoice.tuning(tune, else: .always))
      plan.runsAhead = runs
      // Training steps have no int8.
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

/// A size as people write it: 640x480, width first.
struct ImageSize {
  let size: Size

  init(_ text: String) throws {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1],
      (1...1 << 24).contains(width), (1...1 << 24).contains(height)
    else { throw ValidationError("expected a size such as 640x480") }
    size = Size(height, width)
  }
}
