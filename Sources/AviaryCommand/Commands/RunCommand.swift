import AviaryFiles
import ArgumentParser
import Aviary
import AviaryGraph
import AviaryTraining

/// `aviary run`: runs images through a model.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Enlarge or restore images.",
    discussion: """
      Reads PNG and JPEG, and writes PNG; keeps bit depth, alpha and metadata. One image goes to a \
      file or into a folder; several, or a folder of them, go into a folder. An image that fails does \
      not stop the others; the status is then that of the first failure. Large images are computed in \
      tiles, with the same result as in one piece. Under mpirun (build with swift build --traits MPI), \
      each of N processes takes every Nth image.

      EXAMPLES
        aviary run model.h5 photo.jpg -o large.png
        aviary run vdsr.h5 *.png -o enlarged/ --scale 3
        aviary run fusion-cae-x2 photos -o enlarged --memory 2G
        aviary run bicubic photo.png -o large.png --scale 4
        aviary run FSRCNN-x2.pt photo.png -o large.png --input ycbcr-jpeg
        aviary run model.pth batch.npy -o result.npy

      An array (.npy of float32) goes in as it is and comes out as the network gives it: neither scaled \
      to the range of values nor limited, and with any number of channels.
      """)

  @Argument(
    help: ArgumentHelp(
      "Checkpoint (path or name), third-party weights, or a weightless architecture.",
      valueName: "model"),
    completion: .models)
  var reference: String

  @Argument(
    help: ArgumentHelp("Images, folders of images, or arrays (.npy).", valueName: "input"),
    completion: .file())
  var inputs: [String]

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("PNG (or .npy) to write, or a folder.", valueName: "out"),
    completion: .file())
  var destination: String

  @Option(
    help: ArgumentHelp("Upscaling factor, for models that support several.", valueName: "number"))
  var scale: Int?

  @Option(
    help: ArgumentHelp(
      "Noise level that a network such as ffdnet or drunet is told, 0 to 255.",
      valueName: "deviation"))
  var strength: Double?

  @Option(
    help: ArgumentHelp(
      "Where an array has its channels: nchw ([images, channels, rows, columns]) or hwc; the first "
        + "dimension may be absent.", valueName: "layout"),
    completion: .list(ArrayLayout.allCases.map(\.rawValue)),
    transform: { text in
      guard let layout = ArrayLayout(rawValue: text) else {
        throw ValidationError("expected one of nchw, hwc")
      }
      return layout
    })
  var layout: ArrayLayout?

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws { try Processes.together(enlarge) }

  /// Takes every Nth image, as one of N processes; the first process collects the results.
  private func enlarge(_ processes: any Communicator) throws {
    // Report a bad command line before loading a model.
    let plan = try OutputPlan(inputs: inputs, output: destination)
    if layout != nil, !plan.isOfArrays {
      throw CommandError.notForModel(
        destination, options: ["--layout"], why: "it is no array (.npy)")
    }
    // Write nothing until every process has listed the inputs: outputs may go into the same folder.
    try processes.barrier()
    let model = try zooOptions.zoo().load(
      reference, scale: scale, strength: strength, weights,
      quiet: output.quiet || processes.rank > 0)
    var options = compute.upscalerOptions
    options.imageCount = (plan.jobs.count + processes.size - 1) / processes.size
    let upscaler = try Upscaler(model, scale: scale, options: options)
    if plan.isOfArrays {
      let results = try ArrayRun(upscaler, layout ?? .nchw, output).run(plan, of: processes)
      try finish(ImageResult.gathered(results, from: processes), processes)
      return
    }
    var results: [ImageResult] = []
    let positions = plan.jobs.indices.filter { $0 % processes.size == processes.rank }
    let jobs = positions.map { ImageJob(input: plan.jobs[$0].input, output: plan.jobs[$0].path) }
    var bar = progressBar(plan)
    defer { bar.finish() }
    try upscaler.enlarge(jobs) { event in
      switch event {
      case .opened(_, let width, let height):
        // The bar of a single image counts pixels.
        let pixels = Double(width * height) * upscaler.ratio.value * upscaler.ratio.value
        if plan.jobs.count == 1 { bar = progressBar(plan, megapixels: pixels / 1e6) }
      case .progress(let position, let share):
        bar.update((Double(position) + share) / Double(jobs.count))
      case .finished(let position, let result):
        // Clear the progress bar before writing anything else to the terminal.
        bar.finish()
        results.append(try tell(plan.jobs[positions[position]], result))
        bar.update(Double(position + 1) / Double(jobs.count))
      }
    }
    try finish(ImageResult.gathered(results, from: processes), processes)
  }

  /// Says what became of all inputs, to machines.
  ///
  /// - Throws: `ExitCode` where one of them failed.
  private func finish(_ all: [ImageResult], _ processes: any Communicator) throws {
    if output.json, processes.rank == 0 {
      try Console.print(["results": .array(all.map(\.json))])
    }
    // Scripts see the status of the first failure; each failure has its own line.
    if let failure = all.lazy.compactMap(\.failure).first { throw ExitCode(failure) }
  }

  /// A progress bar for all images; for a single image, one that counts the result's pixels once
  /// they are known.
  private func progressBar(_ plan: OutputPlan, megapixels: Double = 0) -> ProgressBar {
    guard plan.jobs.count == 1 else {
      return ProgressBar(
        "\(plan.jobs.count) images", amount: Double(plan.jobs.count), unit: "images",
        isEnabled: !output.quiet)
    }
    return ProgressBar(
      plan.jobs[0].input, amount: megapixels, unit: "Mpx", isEnabled: !output.quiet)
  }

  /// Reports the result of one image.
  ///
  /// - Throws: `CommandError` if standard output fails: nobody would learn of the remaining
  ///   results.
  private func tell(
    _ job: OutputPlan.Job, _ result: Result<UpscaleReport, any Error>
  ) throws -> ImageResult {
    do {
      let report = try result.get(), path = try job.output.get()
      report.warnings.forEach(Console.warn)
      if !output.json { try Console.print(line(job.input, path, report)) }
      return ImageResult(json: try json(job.input, path, report))
    } catch let error as CommandError where error.isFinal {
      throw error
    } catch {
      Console.error(error)
      return ImageResult(
        json: ["input": .string(job.input), "error": .string("\(error)")],
        failure: ExitStatus(error).rawValue)
    }
  }

  private func line(_ input: String, _ path: String, _ report: UpscaleReport) -> String {
    let tiles =
      report.tiles > 1
      ? ", \(report.tiles) tiles of \(report.tileWidth)x\(report.tileHeight)" : ""
    return "\(input.printable) -> \(path.printable): \(report.width)x\(report.height) to "
      + "\(report.outputWidth)x\(report.outputHeight)\(tiles), \(NumberText.duration(report.seconds))"
  }

  private func json(_ input: String, _ path: String, _ report: UpscaleReport) throws -> JSON {
    let members = try JSON(encoding: report).object ?? [:]
    return .object(
      members.merging(["input": .string(input), "output": .string(path)]) { $1 })
  }
}
