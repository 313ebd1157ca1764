import AviaryFiles
import ArgumentParser
import Aviary
import AviaryGraph
import AviaryTraining
import FoundationEssentials
import Glibc

/// `aviary run`: runs images through a model.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Enlarge or restore images.",
    discussion: """
      Reads and writes the formats that aviary formats lists; keeps bit depth, alpha and metadata where \
      the format written can hold them, and says what it cannot. Content decides what a file is; the \
      name's ending or --format, what is written. One image goes to a \
      file or into a folder; several, or a folder of them, go into a folder, which is made if there is \
      none. In a folder content decides what is an image; with -r folders in it are entered, and the \
      results lie in folders of the same names. What is no image is skipped and listed; an image that \
      fails does not stop the others. The status is 0 if nothing failed, whatever was skipped; \
      otherwise it is that of the first failure. Large images are computed in tiles, with the same \
      result as in one piece. Under mpirun (build with swift build --traits MPI), each of N processes \
      takes every Nth image.

      EXAMPLES
        aviary run model.h5 photo.jpg -o large.png
        aviary run vdsr.h5 *.png -o enlarged/ --scale 3
        aviary run fusion-cae-x2 photos -o enlarged -r --skip-existing
        aviary run fusion-cae-x2 photos -o enlarged --name '{name}-{model}-x{scale}.{ext}'
        aviary run fusion-cae-x2 scan.tif -o wide.webp --fit 2560x1440 --lossless
        aviary run fusion-cae-x2 - -o - < small.png > large.png
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
    help: ArgumentHelp(
      "Images, folders of images, or arrays (.npy); - for standard input.", valueName: "input"),
    completion: .file())
  var inputs: [String]

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "Image (or .npy) to write, or a folder; - for standard output.", valueName: "out"),
    completion: .file())
  var destination: String

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

  @OptionGroup var sizes: SizeOptions
  @OptionGroup var files: ImageFileOptions
  @OptionGroup var folders: FolderOptions
  @OptionGroup var weights: WeightsOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws { try Processes.together(enlarge) }

  /// Takes every Nth image, as one of N processes; the first process collects the results.
  private func enlarge(_ processes: any Communicator) throws {
    let (clock, date) = (ContinuousClock(), Date())
    let start = clock.now
    // Report a bad command line before loading a model.
    let inputs = try list()
    let plan = try self.plan(inputs)
    try check(plan, inputs)
    let zoo = try zooOptions.zoo()
    let isQuiet = output.quiet || processes.rank > 0
    let references = [reference] + sizes.models
    let models = try references.enumerated().map { position, reference in
      try zoo.load(
        reference, scale: sizes.loadingScale, isScaleStated: plan.isOfArrays,
        strength: position == 0 ? strength : nil,
        position == 0 ? weights : WeightsOptions.parse([]), quiet: isQuiet)
    }
    var options = compute.upscalerOptions
    options.imageCount = (inputs.files.count + processes.size - 1) / processes.size
    // An array is the network's own: nothing else is done to it.
    var enlargement =
      plan.isOfArrays
      ? Enlargement([try Upscaler(models[0], scale: sizes.loadingScale, options: options)])
      : try sizes.enlargement(models, options)
    (enlargement.page, enlargement.encoding) = (files.page, files.encoding)
    let (jobs, skipped) = try plan.jobs(
      model: references.map(\.fileStem).joined(separator: "+"),
      scale: sizes.scaleText(enlargement), skipsExisting: folders.skipExisting,
      manifest: folders.manifest)
    // Write nothing until every process knows what is there: outputs may go into the same folder.
    try processes.barrier()
    var summary = RunSummary(skipped: inputs.skipped + skipped)
    if !output.quiet, processes.rank == 0 {
      for file in summary.skipped { Console.note("\(file.path): skipped: \(file.reason)") }
    }
    try plan.makeFolders(for: jobs)
    if let manifest = folders.manifest { try OutputFile.checkFolder(of: manifest) }
    let own = jobs.indices.filter { $0 % processes.size == processes.rank }.map { jobs[$0] }
    let results =
      plan.isOfArrays
      ? try ArrayRun(enlargement.stages[0], layout ?? .nchw, output).run(own)
      : try run(own, by: enlargement, quietly: plan.isStandardOutput)
    summary.results = try ImageResult.gathered(results, from: processes)
    guard processes.rank == 0 else { return try finish(summary) }
    if let manifest = folders.manifest {
      let json = summary.manifest(
        models: Array(zip(references, models)), arguments: CommandArguments.all, start: date,
        seconds: start.duration(to: clock.now) / .seconds(1))
      try OutputFile.write(json.prettyText.escapedJSON + "\n", to: manifest)
    }
    if folders.watch { try watch(inputs, enlargement, references) }
    if output.json {
      try Console.print(.object(summary.json))
    } else if inputs.isSeveral {
      try Console.print(summary.line)
    }
    try finish(summary)
  }

  private func list() throws -> InputList {
    try InputList(
      inputs, recursive: folders.recursive, output: destination, allowsNone: folders.watch)
  }

  private func plan(_ inputs: InputList) throws -> OutputPlan {
    try OutputPlan(
      inputs, output: destination,
      names: OutputNames(pattern: folders.name, format: files.format))
  }

  /// Goes on with what comes into the folders, until a signal ends the program.
  ///
  /// - Throws: `CommandError` if standard output fails.
  private func watch(
    _ inputs: InputList, _ enlargement: Enlargement, _ references: [String]
  ) throws {
    var folder = FolderWatch(inputs.files)
    if !output.quiet { Console.note("waiting for images; Ctrl-C ends it") }
    while true {
      sleep(1)
      // A folder that is gone for a moment comes back.
      guard let now = try? list() else { continue }
      let new = folder.look(now.files)
      guard !new.isEmpty else { continue }
      let plan = try self.plan(now.only(new))
      let (jobs, skipped) = try plan.jobs(
        model: references.map(\.fileStem).joined(separator: "+"),
        scale: sizes.scaleText(enlargement), skipsExisting: folders.skipExisting)
      for file in skipped where !output.quiet {
        Console.note("\(file.path): skipped: \(file.reason)")
      }
      try plan.makeFolders(for: jobs)
      _ = try run(jobs, by: enlargement, quietly: false)
    }
  }

  /// Throws for parts of the command line that do not go together.
  private func check(_ plan: OutputPlan, _ inputs: InputList) throws {
    if layout != nil, !plan.isOfArrays {
      throw CommandError.notForModel(
        destination, options: ["--layout"], why: "it is no array (.npy)")
    }
    if plan.isOfArrays, sizes.isForImagesOnly {
      throw CommandError.notForModel(
        inputs.files[0].path,
        options: [
          "--width, --height, --fit, --crop, --chain, --ensemble, --blend, --seamless, and a --scale that is no whole number"
        ],
        why: "an array goes through the network as it is")
    }
    if output.json, plan.isStandardOutput {
      throw CommandError.notForModel(
        "standard output", options: ["--json"], why: "the image goes there")
    }
    if folders.watch {
      guard self.inputs.allSatisfy({ PathKind(of: $0) == .folder }), !plan.isOfArrays else {
        throw CommandError.notForModel(
          self.inputs.first { PathKind(of: $0) != .folder } ?? destination, options: ["--watch"],
          why: "folders of images are watched")
      }
      guard !output.json, folders.manifest == nil else {
        throw CommandError.notForModel(
          destination, options: ["--json, --manifest"], why: "--watch has no end to tell of")
      }
    }
    if let manifest = folders.manifest {
      try OutputFile.check(manifest, replaces: true, inputs: inputs.files.map(\.path))
    }
  }

  /// Enlarges images and tells of each.
  ///
  /// - Parameter isQuiet: whether standard output is needed for something else.
  private func run(
    _ jobs: [OutputPlan.Job], by enlargement: Enlargement, quietly isQuiet: Bool
  ) throws -> [ImageResult] {
    var results: [ImageResult] = []
    var bar = progressBar(jobs)
    defer { bar.finish() }
    try enlargement.enlarge(jobs.map { ImageJob(input: $0.input, output: $0.path) }) { event in
      switch event {
      case .opened(_, let width, let height):
        // The bar of a single image counts pixels.
        if jobs.count == 1 { bar = progressBar(jobs, megapixels: Double(width * height) / 1e6) }
      case .progress(let position, let share):
        bar.update((Double(position) + share) / Double(jobs.count))
      case .finished(let position, let result):
        // Clear the progress bar before writing anything else to the terminal.
        bar.finish()
        results.append(try tell(jobs[position], result, quietly: isQuiet))
        bar.update(Double(position + 1) / Double(jobs.count))
      }
    }
    return results
  }

  /// Ends with the status of the first failure; each failure has had its own line.
  ///
  /// - Throws: `ExitCode` where an input failed.
  private func finish(_ summary: RunSummary) throws {
    if let failure = summary.results.lazy.compactMap(\.failure).first { throw ExitCode(failure) }
  }

  /// A progress bar for all images; for a single image, one that counts the result's pixels once
  /// they are known.
  private func progressBar(_ jobs: [OutputPlan.Job], megapixels: Double = 0) -> ProgressBar {
    guard jobs.count == 1 else {
      return ProgressBar(
        "\(jobs.count) images", amount: Double(jobs.count), unit: "images",
        isEnabled: !output.quiet)
    }
    return ProgressBar(
      jobs[0].input, amount: megapixels, unit: "Mpx", isEnabled: !output.quiet)
  }

  /// Reports the result of one image.
  ///
  /// - Throws: `CommandError` if standard output fails: nobody would learn of the remaining
  ///   results.
  private func tell(
    _ job: OutputPlan.Job, _ result: Result<UpscaleReport, any Error>, quietly isQuiet: Bool
  ) throws -> ImageResult {
    do {
      let report = try result.get(), path = try job.path.get()
      report.warnings.forEach(Console.warn)
      if !output.json, !isQuiet { try Console.print(line(job.input, path, report)) }
      return ImageResult(json: try json(job.input, path, report))
    } catch let error as CommandError where error.isFinal {
      throw error
    } catch {
      Console.error(error)
      return ImageResult(
        json: ["input": .string(job.input.pathText), "error": .string("\(error)".pathText)],
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
      members.merging([
        "input": .string(input.pathText), "output": .string(path.pathText),
      ]) { $1 })
  }
}
