import AviaryFiles
import ArgumentParser
import Aviary
import AviaryGraph
import AviaryImage

/// `aviary compare`: an image that shows how good a model is.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare a model with bicubic enlargement and the original, side by side.",
    discussion: """
      The image is downscaled and restored. The result shows, magnified, the region where bicubic \
      enlargement does worst, with the PSNR of the whole image.

      EXAMPLES
        aviary compare fusion-cae-x2 photo.png -o comparison.png
        aviary compare vdsr.h5 photo.png -o comparison.png --scale 3 --region 100,40,96,96
      """)

  @Argument(
    help: ArgumentHelp(
      "Checkpoint (path or name), third-party weights, or a weightless architecture.",
      valueName: "model"),
    completion: .models)
  var reference: String

  @Argument(
    help: ArgumentHelp("Image to downscale and restore.", valueName: "original"),
    completion: .file())
  var original: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("Image to write.", valueName: "out"),
    completion: .file(extensions: ImageFormat.writable.flatMap(\.endings)))
  var destination: String

  @Option(
    help: ArgumentHelp("Upscaling factor, for models that support several.", valueName: "number"))
  var scale: Int?

  @Option(
    help: ArgumentHelp("Region to show, in pixels.", valueName: "x,y,width,height"))
  var region: RegionArgument?

  @Option(help: ArgumentHelp("Magnification of the region.", valueName: "number"))
  var zoom = 4

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    guard (1...64).contains(zoom) else {
      throw ValidationError("--zoom: expected 1 to 64, found \(zoom)")
    }
  }

  func run() throws {
    guard ImageFormat.writing(destination) != nil else {
      throw CommandError.outputName(destination)
    }
    if let identity = FileIdentity(of: destination), identity == FileIdentity(of: original) {
      throw CommandError.outputIsInput(destination)
    }
    let image = try Image(contentsOf: original)
    let model = try zooOptions.zoo().load(
      reference, scale: scale, weights, quiet: output.quiet)
    let upscaler = try Upscaler(model, scale: scale, options: compute.upscalerOptions)
    let comparison = try Comparison(
      upscaler, original: image, path: original, label: model.name, region: region?.region,
      zoom: zoom)
    try comparison.image.write(to: destination)
    try output.print(
      "\(original.printable) -> \(destination.printable): \(model.name.printable) "
        + "\(NumberText.fixed(comparison.model.psnr, 2)) dB, bicubic "
        + "\(NumberText.fixed(comparison.bicubic.psnr, 2)) dB",
      json: comparison.json(input: original, output: destination))
  }
}

/// A region of an image, given as four numbers.
struct RegionArgument: ExpressibleByArgument {
  let region: Comparison.Region

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let known = numbers.compactMap { $0 }
    guard numbers.count == 4, known.count == 4, known.allSatisfy({ (0...1 << 20).contains($0) }),
      known[2] > 0, known[3] > 0
    else { return nil }
    region = Comparison.Region(x: known[0], y: known[1], width: known[2], height: known[3])
  }
}

extension Comparison {
  /// As JSON.
  fileprivate func json(input: String, output: String) -> JSON {
    func score(_ quality: ImageQuality) -> JSON {
      ["psnr": .number(quality.psnr), "ssim": .number(quality.ssim)]
    }
    return [
      "input": .string(input), "output": .string(output), "model": score(model),
      "bicubic": score(bicubic),
      "region": [
        "x": .int(region.x), "y": .int(region.y), "width": .int(region.width),
        "height": .int(region.height),
      ],
    ]
  }
}
