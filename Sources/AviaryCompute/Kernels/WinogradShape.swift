/// How a 3x3 convolution is cut into pieces for Winograd's F(4x4, 3x3): blocks of neighbouring
/// tiles of 4x4 output pixels, through all channels, so small that what lies between the steps of a
/// block stays in the second-level cache.
struct WinogradShape: Hashable {
  /// A tile takes part in so many products of matrices.
  static let products = 36
  /// Output pixels of a tile along an axis.
  static let side = 4

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
  ///   - channels: of the input.
  ///   - output: the result's shape, NCHW.
  ///   - threads: how many work at once.
  init(channels: Int, output: [Int], threads: Int) {
    let side = WinogradShape.side
    rows = (output[2] + side - 1) / side
    columns = (output[3] + side - 1) / side
    count = output[0] * rows * columns
    width = output[1].roundedUp(to: Layout.block)
    // Numbers for one tile's products lie as far apart as a block's matrices are large. Where that
    // is a large power of two, a cache has only a few places for all of them: lines of 64 bytes
    // are put by their address modulo 4096.
    var depth = channels.roundedUp(to: Layout.block)
    if depth / Layout.block % 16 == 0 { depth += Layout.block }
    self.depth = depth
    let blocks = max(count / WinogradShape.wanted, 1).roundedUp(to: threads)
    var block = max((count + blocks - 1) / blocks, 1)
    while (block * depth / Layout.block) % 16 == 0 { block += 1 }
    self.block = block
  }

  /// About how many tiles a block should have: enough to make up for reading the weights anew.
  private static let wanted = 36

  /// Blocks of all pictures.
  var blocks: Int { (count + block - 1) / block }
  /// The bytes between a block's two steps before and after the products.
  var sourceBytes: Int { WinogradShape.products * block * depth * MemoryLayout<Float>.stride }
  var destinationBytes: Int { WinogradShape.products * block * width * MemoryLayout<Float>.stride }
}
