public import AviaryImage

/// An image that shows what a model is worth: a part of a photograph that was reduced, as bicubic
/// enlargement and the model bring it back, beside the original.
public struct Comparison: Sendable {
  /// A part of an image, in pixels.
  public struct Region: Hashable, Sendable {
    /// The first column.
    public var x: Int
    /// The first row.
    public var y: Int
    /// Columns.
    public var width: Int
    /// Rows.
    public var height: Int

    /// A rectangle.
    public init(x: Int, y: Int, width: Int, height: Int) {
      (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }
  }

  /// The panels side by side, with a line of text under each.
  public let image: Image
  /// The part that is shown.
  public let region: Region
  /// The whole image's figures under bicubic enlargement.
  public let bicubic: ImageQuality
  /// The whole image's figures under the model.
  public let model: ImageQuality

  /// Pixels between and around the panels.
  private static let margin = 8

  /// Reduces `original` and brings it back.
  ///
  /// - Parameters:
  ///   - path: where `original` was read, for messages.
  ///   - label: what the model is called in the image: letters and digits.
  ///   - region: the part to show; nil for the one that bicubic enlargement spoils most.
  ///   - zoom: how many pixels a side one of the panel's becomes.
  /// - Throws: `AviaryError.imageSize` for an image that is too small to be measured,
  ///   `ImageError.sizeMismatch` for a region outside the image; what enlarging throws.
  public init(
    _ upscaler: Upscaler, original: Image, path: String, label: String, region: Region? = nil,
    zoom: Int = 4
  ) throws {
    try Evaluation.requireMeasurable(
      path, width: original.width, height: original.height, scale: upscaler.scale)
    let format = PixelFormat(.rgb)
    let original = try original.opaque.converted(to: .rgb).cropped(toMultipleOf: upscaler.scale)
      .rounded(to: .eight).labelled(format)
    let small = try Resampling(rounding: .eight).resize(
      original, by: ScaleFactor(1, over: upscaler.scale))
    let enlarged = try Resampling(rounding: .eight).resize(
      small, by: ScaleFactor(upscaler.scale))
    let result = try upscaler.enlarge(small).rounded(to: .eight)
    func quality(_ image: Image) throws -> ImageQuality {
      try ImageQuality(of: image, original: original, border: upscaler.scale)
    }
    bicubic = try quality(enlarged)
    model = try quality(result)
    let region = try region ?? Comparison.mostSpoilt(enlarged, original)
    self.region = region
    image = try Comparison.panels(
      [
        (enlarged, "bicubic \(Comparison.text(bicubic.psnr))"),
        (result, "\(label) \(Comparison.text(model.psnr))"), (original, "original"),
      ], region, zoom: zoom, format)
  }

  /// The panels beside each other on white, each with its text beneath.
  private static func panels(
    _ panels: [(image: Image, text: String)], _ region: Region, zoom: Int, _ format: PixelFormat
  ) throws -> Image {
    let width = region.width * zoom, height = region.height * zoom
    // The largest letters that fit under every panel.
    let dot =
      (1...4).last { dot in
        panels.allSatisfy { Image.textSize($0.text, dotSize: dot).width <= width }
      } ?? 1
    let textHeight = Image.textSize("0", dotSize: dot).height
    var canvas = try Image(
      width: panels.count * (width + margin) + margin, height: height + textHeight + 3 * margin,
      format: format)
    try canvas.fill(x: 0, y: 0, width: canvas.width, height: canvas.height, with: [1, 1, 1])
    for (position, panel) in panels.enumerated() {
      let left = margin + position * (width + margin)
      let part = try panel.image.cropped(
        x: region.x, y: region.y, width: region.width, height: region.height)
      try canvas.paste(part.magnified(by: zoom).labelled(format), x: left, y: margin)
      try canvas.draw(
        panel.text, x: left, y: height + 2 * margin, dotSize: dot, with: [0, 0, 0])
    }
    return canvas
  }

  /// The part of a fifth of the image's sides, 64 pixels at least where there are so many, in
  /// which the squared error is largest.
  private static func mostSpoilt(_ image: Image, _ original: Image) throws -> Region {
    let width = min(max(image.width / 5, 64), image.width)
    let height = min(max(image.height / 5, 64), image.height)
    var best = (error: -1.0, region: Region(x: 0, y: 0, width: width, height: height))
    let step = max(min(width, height) / 4, 1)
    for y in stride(from: 0, through: image.height - height, by: step) {
      for x in stride(from: 0, through: image.width - width, by: step) {
        let part = Region(x: x, y: y, width: width, height: height)
        let error = try squaredError(image, original, part)
        if error > best.error { best = (error, part) }
      }
    }
    return best.region
  }

  private static func squaredError(
    _ a: Image, _ b: Image, _ region: Region
  ) throws -> Double {
    func values(_ image: Image) throws -> [Float] {
      try unsafe image.cropped(
        x: region.x, y: region.y, width: region.width, height: region.height
      ).withFloats { unsafe Array($0) }
    }
    return zip(try values(a), try values(b)).reduce(0) { sum, pair in
      sum + Double((pair.0 - pair.1) * (pair.0 - pair.1))
    }
  }

  /// Two decimals and the unit.
  private static func text(_ psnr: Double) -> String {
    guard psnr.isFinite else { return "exact" }
    let hundredths = Int((psnr * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) dB"
  }
}
