import ArgumentParser
import Aviary
import AviaryGraph

/// `aviary eval`: quality figures by the protocol used in publications.
struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure PSNR and SSIM on a folder of images.",
    discussion: """
      Follows the protocol of publications: originals are cropped to a multiple of the scale and \
      downscaled as MATLAB's imresize does; results are compared in 8-bit luma (BT.601), without a \
      border as wide as the scale. Each figure is shown beside that of bicubic enlargement or, at \
      scale 1, of the network's input.

      EXAMPLES
        aviary eval fusion-cae-x2 --data Set5
        aviary eval vdsr.h5 --data Set14 --scale 3 --json
        aviary eval bicubic --data Set5/HR --lr Set5/LR_x4 --scale 4
        aviary eval plain-cae.h5 --data Set5 --noise 25
      """)

  @Argument(
    help: ArgumentHelp(
      "Checkpoint (path or name), third-party weights, or a weightless architecture.",
      valueName: "model"),
    completion: .models)
  var reference: String

  @Option(
    help: ArgumentHelp("Folder of original images.", valueName: "folder"),
    completion: .directory)
  var data: String

  @Option(
    help: ArgumentHelp("Upscaling factor, for models that support several.", valueName: "number"))
  var scale: Int?

  @Option(
    help: ArgumentHelp(
      "Noise level that a network such as ffdnet or drunet is told, 0 to 255.",
      valueName: "deviation"))
  var strength: Double?

  @Option(
    name: .customLong("lr"),
    help: ArgumentHelp(
      "Folder of low-resolution images, instead of downscaling the originals.",
      valueName: "folder"),
    completion: .directory)
  var lowResolution: String?

  @OptionGroup var degradations: DegradationOptions

  @Flag(help: "Do not round luma before comparing, as some publications do: 0.02 to 0.07 dB more.")
  var unroundedLuma = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws {
    // Report a bad folder before loading a model.
    let count = try OutputPlan.images(in: data).count
    if let lowResolution { _ = try OutputPlan.images(in: lowResolution) }
    let model = try zooOptions.zoo().load(
      reference, scale: scale, strength: strength, weights, quiet: output.quiet)
    let scale = try Upscaler(model, scale: scale, options: compute.upscalerOptions).scale
    var bar = ProgressBar(
      data, amount: Double(count), unit: "images", isEnabled: !output.quiet)
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
    // The figures above do not cover the whole folder, and scripts must not assume that they do.
    for failure in evaluation.failures { Console.error(failure.error) }
    if let first = evaluation.failures.first {
      throw ExitCode(ExitStatus(first.error).rawValue)
    }
  }
}
