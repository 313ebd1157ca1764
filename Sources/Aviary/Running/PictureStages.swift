internal import AviaryGraph
internal import AviaryImage

/// The way of a picture from a file's colours through a model and back, in bands of rows.
///
/// Alpha is enlarged bicubically, with colour bled under it first; a network on luma leaves chroma
/// to bicubic. The three ways give rows at their own pace; a row goes out when all have it.
struct PictureStages: ~Copyable {
  /// The result's columns.
  let outputWidth: Int
  /// The result's rows.
  let outputHeight: Int
  /// How the picture is divided, row by row.
  let rowSpans: [AxisLayout.Span]
  /// How the picture is divided, column by column.
  let columnSpans: [AxisLayout.Span]
  /// The memory that the activations of one tile take.
  let arenaBytes: Int
  /// The tiles in all, for progress.
  var tileCount: Int { rowSpans.count * columnSpans.count }

  private let source: PixelFormat
  private let color: ColorModel
  private let height: Int
  private var bleeding: RowWindow
  private var bledRows = 0
  private var pass: NetworkPass
  private var main: RowWindow
  private var chroma: (resampler: BandResampler, window: RowWindow)?
  private var alpha: (resampler: BandResampler, window: RowWindow)?
  private var position = 0

  /// - Parameter source: of the bands that will come: gray or RGB, with alpha or not.
  init(
    _ model: Model, scale: Int, width: Int, height: Int, source: PixelFormat,
    _ machinery: Machinery
  ) throws {
    let color = model.picture.colour.model(for: source.color)
    let factor = try ScaleFactor(scale)
    let outputWidth = try factor.length(of: width)
    let format = PixelFormat(color, bitDepth: source.bitDepth)
    func bicubic(_ format: PixelFormat) throws -> (BandResampler, RowWindow) {
      (
        try BandResampler(Resampling(), width: width, height: height, format: format, by: factor),
        try RowWindow(width: outputWidth, format: format)
      )
    }
    let outputHeight = try factor.length(of: height)
    let bleeding = try RowWindow(width: width, format: source)
    let main = try RowWindow(width: outputWidth, format: format)
    let leavesChroma = color == .luma && source.color == .rgb
    let chroma = leavesChroma ? try bicubic(PixelFormat(.ycbcr, bitDepth: source.bitDepth)) : nil
    let alpha =
      source.hasAlpha ? try bicubic(PixelFormat(.gray, bitDepth: source.bitDepth)) : nil
    pass = try NetworkPass(
      model, scale: scale, width: width, height: height, format: format, machinery)

    // Nothing throws from here on: a value that cannot be copied must not be left half made.
    self.source = source
    self.color = color
    self.height = height
    self.outputWidth = outputWidth
    self.outputHeight = outputHeight
    self.bleeding = bleeding
    self.main = main
    self.chroma = chroma
    self.alpha = alpha
    rowSpans = pass.network.rowSpans
    columnSpans = pass.network.columnSpans
    arenaBytes = pass.network.arenaBytes
  }

  /// Takes the next rows of the picture and hands the rows of the result that they complete to
  /// `sink`, in the picture's format.
  mutating func push(
    _ band: Image, progress: () -> Void, sink: (Image) throws -> Void
  ) throws {
    if let plane = try band.alpha, let enlarged = try alpha?.resampler.push(plane) {
      try alpha?.window.append(enlarged)
    }
    let opaque = try bled(band)
    if let enlarged = try chroma?.resampler.push(opaque.converted(to: .ycbcr)) {
      try chroma?.window.append(enlarged)
    }
    let input = try opaque.converted(to: color)
    for rows in try pass.push(input, progress: progress) {
      try main.append(rows)
      try emit(sink)
    }
    try emit(sink)
  }

  /// The colour of those rows that no later row can bleed into.
  private mutating func bled(_ band: Image) throws -> Image {
    guard source.hasAlpha else { return band }
    try bleeding.append(band)
    let margin = Image.bleedingMargin
    let end = bleeding.range.upperBound == height ? height : bleeding.range.upperBound - margin
    let rows = bledRows..<max(end, bledRows)
    let around = max(rows.lowerBound - margin, 0)..<bleeding.range.upperBound
    let result = try bleeding.rows(around).bledUnderTransparency().opaque
      .rows(rows.lowerBound - around.lowerBound..<rows.upperBound - around.lowerBound)
    bledRows = rows.upperBound
    try bleeding.discard(before: bledRows - margin)
    return result
  }

  /// Hands over the rows that are there in every way.
  private mutating func emit(_ sink: (Image) throws -> Void) throws {
    var end = main.range.upperBound
    if let chroma { end = min(end, chroma.window.range.upperBound) }
    if let alpha { end = min(end, alpha.window.range.upperBound) }
    guard end > position else { return }
    let rows = position..<end
    var result = try main.rows(rows)
    if let colours = try chroma?.window.rows(rows) {
      var merged = colours
      try merged.replacePlane(0, with: result)
      result = merged
    }
    result = try result.converted(to: source.color)
    if let plane = try alpha?.window.rows(rows) { result = try result.withAlpha(plane) }
    try sink(result.labelled(source))
    position = end
    try main.discard(before: end)
    try chroma?.window.discard(before: end)
    try alpha?.window.discard(before: end)
  }
}
