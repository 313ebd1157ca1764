import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary eval`: figures by the protocol of publications.
struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure PSNR and SSIM on a folder of pictures.",
    discussion: """
      By the protocol of publications: originals are cut to a multiple of the scale and reduced as \
      MATLAB's imresize does it; results are compared in 8-bit luma (BT.601), less a border of the \
      scale's width. Beside every figure stands that of bicubic enlargement, or, at scale 1, of the \
      picture as the network was given it.

      EXAMPLES
        aviary eval fusion-cae-x2 --data Set5
        aviary eval vdsr.h5 --data Set14 --scale 3 --json
        aviary eval bicubic --data Set5/HR --lr Set5/LR_x4 --scale 4
        aviary eval plain-cae.h5 --data Set5 --noise 25
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint or its name, other weights, or an architecture without weights.",
      valueName: "model"),
    completion: .models)
  var reference: String

  @Option(
    help: ArgumentHelp("A folder with original pictures.", valueName: "folder"),
    completion: .directory)
  var data: String

  @Option(
    help: ArgumentHelp("What to enlarge by, where the model serves several.", valueName: "number"))
  var scale: Int?

  @Option(
    name: .customLong("lr"),
    help: ArgumentHelp(
      "A folder with the pictures to enlarge, instead of making them of the originals.",
      valueName: "folder"),
    completion: .directory)
  var lowResolution: String?

  @OptionGroup var degradations: DegradationOptions

  @Flag(help: "Compare luma without rounding it, as some publications do: 0.02 to 0.07 dB more.")
  var unroundedLuma = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws {
    // A folder that is none is said so before a model is loaded.
    let count = try OutputPlan.pictures(in: data).count
    if let lowResolution { _ = try OutputPlan.pictures(in: lowResolution) }
    let model = try zooOptions.zoo().load(
      reference, scale: scale, weights, quiet: output.quiet)
    let scale = try Upscaler(model, scale: scale, options: compute.upscalerOptions).scale
    var bar = ProgressBar(
      data, amount: Double(count), unit: "pictures", isEnabled: !output.quiet)
    defer { bar.finish() }
    let evaluation = try Evaluation(
      model, originals: data, scale: scale, lowResolution: lowResolution,
      degradations: degradations.list, unroundedLuma: unroundedLuma,
      options: compute.upscalerOptions
    ) { done, total in
      bar.update(Double(done) / Double(max(total, 1)))
    }
    bar.finish()
    try output.print(evaluation.table(scale: scale).text, json: evaluation.json)
    // The figures above are not those of the whole folder: scripts must not take them for such.
    for failure in evaluation.failures { Console.error(failure.error) }
    if let first = evaluation.failures.first {
      throw ExitCode(ExitStatus(first.error).rawValue)
    }
  }
}
