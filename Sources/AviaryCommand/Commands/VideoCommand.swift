import ArgumentParser
import Aviary
import AviaryFiles
import AviaryGraph
import AviaryImage

/// `aviary video`: runs the frames of videos through a model.
struct VideoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "video",
    abstract: "Enlarge or restore videos and sequences of images.",
    discussion: """
      Frames are decoded and encoded by ffmpeg's programs, which are found on PATH. Sound, subtitles, \
      chapters and the metadata are copied; each frame keeps its time, colours their tags, pixels their \
      format where the encoder has it. What cannot be carried is told, or refused before anything is \
      computed.

      Frames are encoded in segments in a folder beside the result (out.mp4.aviary), which is removed in \
      the end. The same command after an interruption goes on behind the last whole segment, to the same \
      result.

      Names with %d or %05d are those of numbered images: what is read has no gaps, what is written \
      counts from 1 or as the images that are read.

      EXAMPLES
        aviary video fusion-cae-x2 in.mp4 -o out.mp4
        aviary video fusion-cae-x2 in.mkv -o out.mkv --fit 2560x1440
        aviary video fusion-cae-x2 in.mp4 -o look.png --preview 12.5
        aviary video fusion-cae-x2 in.mp4 -o out.mov --encoder 'libx265 -preset slow -crf 18'
        aviary video fusion-cae-x2 frames/frame%05d.png -o large/frame%05d.png
        aviary video fusion-cae-x2 frame%05d.png -o out.mp4 --rate 24000/1001
      """)

  @Argument(
    help: ArgumentHelp(
      "Checkpoint (path or name), third-party weights, or a weightless architecture.",
      valueName: "model"),
    completion: .models)
  var reference: String

  @Argument(
    help: ArgumentHelp("Video, or names of images with %d or %05d.", valueName: "input"),
    completion: .file())
  var input: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "Video to write, or names of images; with --preview, an image.", valueName: "out"),
    completion: .file())
  var destination: String

  @Option(
    help: ArgumentHelp(
      "Write one frame as an image, that at this time in seconds, to look at before all are computed.",
      valueName: "seconds"))
  var preview: Double?

  @Option(
    help: ArgumentHelp(
      "ffmpeg's encoder and its options (default: libx264 -preset medium -crf 16; for .webm libvpx-vp9 "
        + "-crf 18 -b:v 0 -row-mt 1).", valueName: "words"))
  var encoder: String?

  @Option(
    help: ArgumentHelp(
      "How pixels are stored, by ffmpeg's name (default: as in the input; for images yuv420p).",
      valueName: "name"))
  var pixelFormat: String?

  @Option(help: ArgumentHelp("Frames a second of images (default: 25).", valueName: "number"))
  var rate: String?

  @Option(
    help: ArgumentHelp(
      "Frames of a segment: so many are lost at most when the work is interrupted.",
      valueName: "frames"))
  var segment = VideoOptions().segment

  @Flag(help: "Throw away what an interrupted run left, and begin anew.")
  var restart = false

  @Flag(help: "Make whole images of interlaced frames.")
  var deinterlace = false

  @Flag(inversion: .prefixedNo, help: "Copy subtitles.")
  var subtitles = true

  @Option(
    help: ArgumentHelp(
      "Noise level that a network such as ffdnet or drunet is told, 0 to 255.",
      valueName: "deviation"))
  var strength: Double?

  @OptionGroup var sizes: SizeOptions
  @OptionGroup var weights: WeightsOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    if !(1...100_000).contains(segment) {
      throw ValidationError("--segment: expected 1 to 100000, found \(segment)")
    }
    if let preview, !(preview >= 0 && preview <= 1e9) {
      throw ValidationError("--preview: expected 0 or more, found \(preview)")
    }
  }

  func run() throws {
    try OutputFile.check(destination, replaces: true, inputs: [input])
    if preview != nil, ImageFormat.writing(destination) == nil {
      throw CommandError.outputName(destination)
    }
    let references = [reference] + sizes.models
    let zoo = try zooOptions.zoo()
    let models = try references.enumerated().map { position, reference in
      try zoo.load(
        reference, scale: sizes.loadingScale, strength: position == 0 ? strength : nil,
        position == 0 ? weights : WeightsOptions.parse([]), quiet: output.quiet)
    }
    var options = compute.upscalerOptions
    options.imageCount = 1000
    let video = VideoEnlargement(try sizes.enlargement(models, options), videoOptions)
    let report =
      try preview.map { second in
        try video.preview(second: second, of: input, to: destination)
      } ?? enlarge(video)
    report.warnings.forEach(Console.warn)
    let frames = report.frames == 1 ? "1 frame" : "\(NumberText.grouped(report.frames)) frames"
    try output.print(
      "\(input.printable) -> \(destination.printable): \(frames), \(report.width)x\(report.height) to "
        + "\(report.outputWidth)x\(report.outputHeight), \(NumberText.duration(report.seconds))",
      json: .object(
        (try JSON(encoding: report).object ?? [:]).merging([
          "input": .string(input.pathText), "output": .string(destination.pathText),
        ]) { $1 }))
  }

  private var videoOptions: VideoOptions {
    var options = VideoOptions()
    options.encoder = encoder
    options.pixelFormat = pixelFormat
    options.rate = rate
    options.segment = segment
    options.restarts = restart
    options.deinterlaces = deinterlace
    options.carriesSubtitles = subtitles
    return options
  }

  private func enlarge(_ video: VideoEnlargement) throws -> VideoReport {
    var bar = ProgressBar(input, amount: 0, unit: "frames", isEnabled: !output.quiet)
    var count: Int?
    defer { bar.finish() }
    return try video.enlarge(from: input, to: destination) { event in
      switch event {
      case .begun(_, _, let done, let total):
        if done > 0, !output.quiet { Console.note("\(destination): goes on behind frame \(done)") }
        count = total
        bar = ProgressBar(
          input, amount: Double(total ?? 0), unit: "frames",
          isEnabled: !output.quiet && total != nil)
      case .progress(let done):
        if let count, count > 0 { bar.update(Double(done) / Double(count)) }
      }
    }
  }
}
