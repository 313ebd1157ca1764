import ArgumentParser
import Aviary
import AviaryGraph

/// How large results are, and what else is done to images beside the network's work.
struct SizeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Upscaling factor, such as 2 or 1.5. Where the model has another, it is applied until the "
        + "result is as large, which is then reduced.", valueName: "number"))
  var scale: Double?

  @Option(help: ArgumentHelp("Columns of the result, the rows in proportion.", valueName: "pixels"))
  var width: Int?

  @Option(help: ArgumentHelp("Rows of the result, the columns in proportion.", valueName: "pixels"))
  var height: Int?

  @Option(
    help: ArgumentHelp(
      "Largest size of the result, WIDTHxHEIGHT, in proportion: 2560x1440.", valueName: "size"))
  var fit: PixelSize?

  @Option(
    help: ArgumentHelp(
      "Part of the image to enlarge, in pixels.", valueName: "x,y,width,height"))
  var crop: RegionArgument?

  @Option(
    help: ArgumentHelp(
      "More models to apply after the first, in order, separated by commas.",
      valueName: "model,model"), completion: .models)
  var chain: String?

  @Flag(
    help: "Average the results for the image turned and mirrored in eight ways: better, slower.")
  var ensemble = false

  @Option(
    help: ArgumentHelp(
      "Share of the network in the result, 0 to 1; the rest is bicubic enlargement.",
      valueName: "share"))
  var blend: Double?

  @Flag(help: "Let the image go on at its opposite border, as textures do.")
  var seamless = false

  func validate() throws {
    if let scale, !(scale > 0 && scale <= 64) {
      throw ValidationError(
        "--scale: expected a number above 0, 64 at most, found \(SizeOptions.text(scale))")
    }
    for (name, side) in [("--width", width), ("--height", height)] {
      guard let side, !(1...1 << 20).contains(side) else { continue }
      throw ValidationError("\(name): expected 1 to \(1 << 20), found \(side)")
    }
    if let blend, !(0...1).contains(blend) {
      throw ValidationError("--blend: expected 0 to 1, found \(blend)")
    }
    let stated = [
      ("--scale", scale != nil), ("--fit", fit != nil),
      ("--width or --height", width != nil || height != nil),
    ].filter(\.1).map(\.0)
    if stated.count > 1 {
      throw ValidationError(
        "\(stated.joined(separator: " and ")) exclude each other; give one of them")
    }
    if chain != nil, models.contains("") {
      throw ValidationError("--chain: expected models separated by commas, found an empty name")
    }
  }

  /// The models after the first.
  var models: [String] {
    chain?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
  }

  /// The size that is stated; nil for none.
  private var target: TargetSize? {
    if let scale { return .scale(scale) }
    if let fit { return .fit(width: fit.width, height: fit.height) }
    switch (width, height) {
    case (let width?, let height?): return .exact(width: width, height: height)
    case (let width?, nil): return .width(width)
    case (nil, let height?): return .height(height)
    case (nil, nil): return nil
    }
  }

  /// Whether anything is stated that arrays do not have.
  var isForImagesOnly: Bool {
    width != nil || height != nil || fit != nil || crop != nil || chain != nil || ensemble
      || blend != nil || seamless || scale.map { $0 != $0.rounded() } ?? false
  }

  /// The scale to load a model for that has none of its own.
  var loadingScale: Int? {
    // Of several models none is known to make all of it.
    chain != nil ? nil : scale.map { Int(max($0, 1).rounded(.up)) }
  }

  /// What `{scale}` stands for in names.
  func scaleText(_ enlargement: Enlargement) -> String {
    SizeOptions.text(scale ?? enlargement.ratio)
  }

  /// What is done to enlarge an image.
  ///
  /// - Parameter models: the first, and those of the chain.
  /// - Throws: what making an `Upscaler` throws.
  func enlargement(_ models: [Model], _ options: UpscalerOptions) throws -> Enlargement {
    let reached = models.count == 1 ? scale : nil
    var enlargement = Enlargement(
      try models.map { model in
        let chosen = target == nil && models.count == 1 ? nil : model.scale(reaching: reached)
        return try Upscaler(model, scale: chosen, options: options)
      })
    let isReached = scale.map { $0 == enlargement.ratio } ?? false
    enlargement.target = isReached ? nil : target
    enlargement.crop = crop?.region
    enlargement.isEnsemble = ensemble
    enlargement.blend = blend
    enlargement.isSeamless = seamless
    return enlargement
  }

  private static func text(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 0x1p53 ? "\(Int(number))" : "\(number)"
  }
}

/// A size as people write it: 2560x1440.
struct PixelSize: ExpressibleByArgument {
  let width: Int
  let height: Int

  init?(argument: String) {
    let sides = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
      .map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1],
      (1...1 << 20).contains(width), (1...1 << 20).contains(height)
    else { return nil }
    (self.width, self.height) = (width, height)
  }
}
