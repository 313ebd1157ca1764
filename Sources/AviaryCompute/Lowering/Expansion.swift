import AviaryGraph

/// How a convolution with few output channels is written as one of 1x1 to `channels` channels, one
/// group of lanes for each tap of the kernel, and sums over shifted pixels.
///
/// The groups never straddle a block of 16 channels, so that one vector load fetches all output
/// channels of a tap in either layout.
struct Expansion: Hashable {
  /// The taps of the kernel.
  let taps: Int
  /// The filters of the convolution.
  let filters: Int
  /// The channels of the 1x1 convolution: those of the taps, and what is left over in each block.
  let channels: Int
  private let tapsPerBlock: Int

  /// Nil where it does not pay: with more than four filters, or a kernel of few taps.
  init?(filters: Int, kernel: Size) {
    taps = kernel.height * kernel.width
    guard (1...4).contains(filters), (4...256).contains(taps) else { return nil }
    self.filters = filters
    tapsPerBlock = 16 / filters
    channels = (taps + tapsPerBlock - 1) / tapsPerBlock * 16
  }

  /// The first of a tap's channels.
  func channel(ofTap tap: Int) -> Int { tap / tapsPerBlock * 16 + tap % tapsPerBlock * filters }
}
