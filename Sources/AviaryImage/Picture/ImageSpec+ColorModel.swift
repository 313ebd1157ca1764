package import AviaryGraph

extension ImageSpec.Colour {
  /// The colour model in which a picture of the given colours goes into the network.
  package func model(for source: ColorModel) -> ColorModel {
    switch self {
    case .rgb: .rgb
    // Colour goes through a network on gray channel by channel.
    case .gray: source == .gray ? .gray : .rgb
    case .luma: .luma
    case .ycbcr: .ycbcr
    case .ycbcrJPEG: .fullRangeYCbCr
    }
  }
}
