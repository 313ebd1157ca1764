import AviaryGraph

/// How a 3x3 convolution is cut into pieces for Winograd's algorithm: blocks of neighbouring tiles
/// of output pixels, through all channels, so small that what lies between the steps of a block
/// stays in the second-level cache.
struct WinogradShape: Hashable {
  let format: WinogradForm
  /// Rows and columns of the first tile that lie above and left of the output.
  let lead: Size
  /// Rows and columns of the input that the first tile takes above and left of it.
  let reach: Size
  /// Rows and columns of tiles of a picture.
  let rows: Int
  let columns: Int
  /// Tiles of all pictures.
  let count: Int
  /// Tiles of a block. The last block may be smaller.
  let block: Int
  /// Channels, rounded up to whole registers.
  let depth: Int
  /// Filters, rounded up to whole registers.
  let width: Int

  /// - Parameters:
  ///   - format: of transposed convolutions either; the better is taken.
  ///   - before: padding above and left, or of a transposed convolution what is cropped there.
  ///   - channels: of the input.
  ///   - output: the result's shape, NCHW.
  ///   - threads: how many work at once.
  init(_ format: WinogradForm, before: Size, channels: Int, output: [Int], threads: Int) {
    switch format {
    case .plain, .halving: (self.format, lead, reach) = (format, 0, before)
    case .doubling, .doublingOdd:
      let half = Size(
        before.height.dividedRoundingDown(by: 2), before.width.dividedRoundingDown(by: 2))
      let odd = Size(before.height - 2 * half.height, before.width - 2 * half.width)
      if odd == 1 {
        (self.format, lead, reach) = (.doublingOdd, 0, Size(-half.height, -half.width))
      } else {
        // Even places are made of the pixel there and the one before it.
        (self.format, lead, reach) = (.doubling, odd, Size(1 - half.height, 1 - half.width))
      }
    }
    rows = (lead.height + output[2] + self.format.side - 1) / self.format.side
    columns = (lead.width + output[3] + self.format.side - 1) / self.format.side
    count = output[0] * rows * columns
    width = output[1].roundedUp(to: MemoryFormat.block)
    // Numbers for one tile's products lie as far apart as a block's matrices are large. Where that
    // is a large power of two, a cache has only a few places for all of them: lines of 64 bytes
    // are put by their address modulo 4096.
    var depth = channels.roundedUp(to: MemoryFormat.block)
    if depth / MemoryFormat.block % 16 == 0 { depth += MemoryFormat.block }
    self.depth = depth
    let blocks = max(count / format.wantedTiles, 1).roundedUp(to: threads)
    var block = max((count + blocks - 1) / blocks, 1)
    while (block * depth / MemoryFormat.block) % 16 == 0 { block += 1 }
    self.block = block
  }

  /// Blocks of all pictures.
  var blocks: Int { (count + block - 1) / block }
  /// The bytes between a block's two steps before and after the products.
  var sourceBytes: Int { format.products * block * depth * MemoryLayout<Float>.stride }
  var destinationBytes: Int { format.products * block * width * MemoryLayout<Float>.stride }
}
