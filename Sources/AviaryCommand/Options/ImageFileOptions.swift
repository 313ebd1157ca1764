import ArgumentParser
import AviaryImage

/// How image files are read and written.
struct ImageFileOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Format to write, whatever names say: an ending such as png, jpg, webp or tif (aviary formats "
        + "lists them).", valueName: "format"),
    completion: .list(ImageFormat.writable.flatMap(\.endings)),
    transform: { text in
      guard let format = ImageFormat.writing("." + text) else {
        let known = ImageFormat.writable.flatMap(\.endings).joined(separator: ", ")
        throw ValidationError("expected one of \(known)")
      }
      return format
    })
  var format: ImageFormat?

  @Option(
    help: ArgumentHelp(
      "Quality of JPEG and WebP (default: \(EncodingOptions.usualQuality)).", valueName: "1-100"))
  var quality: Int?

  @Flag(help: "Compress WebP without loss.")
  var lossless = false

  @Flag(help: "Halve the resolution of colour in JPEG (4:2:0): smaller files.")
  var halveChroma = false

  @Flag(help: "Write JPEG in scans, from coarse to fine.")
  var progressive = false

  @Option(
    help: ArgumentHelp("Which image of a TIFF of several, from 1.", valueName: "number"))
  var page: Int?

  func validate() throws {
    if let quality, !(1...100).contains(quality) {
      throw ValidationError("--quality: expected 1 to 100, found \(quality)")
    }
    if let page, !(1...1 << 20).contains(page) {
      throw ValidationError("--page: expected 1 to \(1 << 20), found \(page)")
    }
    if lossless, quality != nil {
      throw ValidationError("--lossless and --quality exclude each other; give one of them")
    }
  }

  /// For the library.
  var encoding: EncodingOptions {
    var options = EncodingOptions()
    options.format = format
    options.quality = quality
    options.isLossless = lossless
    options.isChromaHalved = halveChroma
    options.isProgressive = progressive
    return options
  }
}
