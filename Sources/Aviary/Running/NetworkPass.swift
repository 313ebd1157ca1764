internal import AviaryGraph
internal import AviaryImage

/// A model at work on a picture in the network's own colours, in bands of rows: enlarged first where
/// the network wants that, through the network, limited to the range of colours.
struct NetworkPass: ~Copyable {
  private var enlargement: BandResampler?
  var network: TiledNetwork

  /// - Parameters:
  ///   - scale: of the result over the picture.
  ///   - format: of the bands that will come.
  ///   - resultBytes: of memory that the caller takes for each pixel of a band of the result.
  init(
    _ model: Model, scale: Int, width: Int, height: Int, format: PixelFormat,
    resultBytes: Int = 0, _ machinery: Machinery
  ) throws {
    let enlargesFirst = model.picture.enlargeFirst == .bicubic
    var (width, height) = (width, height)
    if enlargesFirst {
      let factor = try ScaleFactor(scale)
      // In floating point, unlike MATLAB's uint8 pictures: networks were trained so, and VDSR loses
      // 0.05 to 0.2 dB otherwise.
      enlargement = try BandResampler(
        Resampling(), width: width, height: height, format: format, by: factor)
      enlargement?.threads = machinery.threads
      (width, height) = (try factor.length(of: width), try factor.length(of: height))
    }
    let ownScale = Ratio(enlargesFirst ? 1 : scale)
    let ratios = model.graph.ratios
    let output = model.graph.outputs.firstIndex { ratios[$0.value] == ownScale } ?? 0
    network = try TiledNetwork(
      model, output: output, width: width, height: height, format: format,
      resultBytes: resultBytes, machinery)
  }

  /// Takes the next rows of the picture.
  mutating func append(_ band: Image) throws {
    try network.append(try enlargement?.push(band) ?? band)
  }

  /// The next rows of the result, a band at a time; nil where more of the picture is needed, and at
  /// the end.
  mutating func next(progress: () -> Void) throws -> Image? {
    try network.next(progress: progress)
  }
}
