internal import AviaryImage

/// A plane that no network sees, enlarged bicubically in bands: alpha, or a colour beside luma.
struct SidePlane: Sendable {
  /// Rows of the enlarged plane that wait for the network's.
  var window: RowWindow
  private var resampler: BandResampler

  /// - Parameters:
  ///   - width: of the picture, as `height`.
  ///   - threads: how many enlarge.
  init(
    width: Int, height: Int, bitDepth: BitDepth, by factor: ScaleFactor, _ threads: Int
  ) throws(ImageError) {
    let format = PixelFormat(.gray, bitDepth: bitDepth)
    resampler = try BandResampler(
      Resampling(), width: width, height: height, format: format, by: factor)
    resampler.threads = threads
    window = try RowWindow(width: try factor.length(of: width), format: format)
  }

  /// Takes the next rows of the plane, of one channel.
  mutating func push(_ band: Image) throws(ImageError) {
    try window.append(resampler.push(band))
  }
}
