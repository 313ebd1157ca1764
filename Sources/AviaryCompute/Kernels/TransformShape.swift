import AviaryGraph
import CKernels

/// By which transform a convolution becomes products of matrices, fewer than its definition has.
/// Each is cut into tiles of so many output pixels along both axes.
///
/// Winograd's algorithm serves kernels of 3x3. A strided convolution is four of stride 1, of the pixels at even and odd places along each axis,
/// with 2x2, 2x1, 1x2 and 1x1 taps. F(4, 2) serves the axes on which two taps are; on the others
/// there is nothing to be saved. A transposed one is the same with output and input changed about.
enum ConvolutionTransform: Hashable {
  /// Winograd's algorithm at stride 1: F(4x4, 3x3).
  case plain
  /// Winograd's algorithm at stride 2.
  case halving
  /// Winograd's algorithm for a transposed convolution of stride 2, whose pixels are written where they belong. Its tiles
  /// begin at even places of what it gives before it is cropped.
  case doubling
  /// The same with tiles that begin at odd places.
  case doublingOdd
  /// The fast Fourier transform of tiles of 32x32 pixels, at stride 1, for kernels of this size.
  case fft(Size)

  /// A tile takes part in so many products of matrices.
  var products: Int {
    switch self {
    case .plain: 36
    case .halving, .doubling, .doublingOdd: 81
    case .fft: aviary_fft_size * aviary_fft_bins
    }
  }
  /// Output pixels of a tile.
  var side: Size {
    switch self {
    case .plain, .halving: 4
    case .doubling, .doublingOdd: 8
    case .fft(let kernel):
      Size(aviary_fft_size + 1 - kernel.height, aviary_fft_size + 1 - kernel.width)
    }
  }
  /// From one tile's first input pixel to the next one's.
  var step: Size {
    switch self {
    case .plain, .doubling, .doublingOdd: 4
    case .halving: 8
    case .fft: side
    }
  }
  /// About how many tiles a block should have: enough to make up for reading the weights anew, few
  /// enough for a cache of the second level.
  var wantedTiles: Int {
    switch self {
    case .plain: 36
    case .halving, .doubling, .doublingOdd: 20
    case .fft: 8
    }
  }
  /// How many numbers are multiplied for one: two where they are complex.
  var parts: Int {
    switch self {
    case .plain, .halving, .doubling, .doublingOdd: 1
    case .fft: 2
    }
  }

  /// The name in reports.
  var name: String {
    switch self {
    case .plain, .halving, .doubling, .doublingOdd: "winograd"
    case .fft: "fft"
    }
  }

  /// Nanoseconds for turning a channel's pixels of one tile into what is multiplied, measured.
  var nanosecondsOfInput: Double {
    switch self {
    case .plain: 4.5
    case .halving: 14
    case .doubling, .doublingOdd: 11
    case .fft: 470
    }
  }
  /// Nanoseconds for turning a filter's products of one tile into pixels.
  var nanosecondsOfOutput: Double {
    switch self {
    case .plain: 5.5
    case .halving: 8
    case .doubling, .doublingOdd: 15
    case .fft: 320
    }
  }
}

/// How a convolution is cut into pieces for a transform: blocks of neighbouring tiles
/// of output pixels, through all channels, so small that what lies between the steps of a block
/// stays in the second-level cache.
struct TransformShape: Hashable {
  let format: ConvolutionTransform
  /// Rows and columns of the first tile that lie above and left of the output.
  let lead: Size
  /// Rows and columns of the input that the first tile takes above and left of it.
  let reach: Size
  /// Rows and columns of tiles of an image.
  let rows: Int
  let columns: Int
  /// Tiles of all images.
  let count: Int
  /// Tiles of a block. The last block may be smaller.
  let block: Int
  /// Channels, rounded up to whole registers; of complex numbers the real parts, then the imaginary
  /// ones.
  let depth: Int
  /// Filters, rounded up to whole registers, in the same way.
  let width: Int

  /// - Parameters:
  ///   - format: of transposed convolutions either; the better is taken.
  ///   - before: padding above and left, or of a transposed convolution what is cropped there.
  ///   - channels: of the input.
  ///   - output: the result's shape, NCHW.
  ///   - threads: how many work at once.
  init(_ format: ConvolutionTransform, before: Size, channels: Int, output: [Int], threads: Int) {
    switch format {
    case .plain, .halving, .fft: (self.format, lead, reach) = (format, 0, before)
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
    let side = self.format.side
    rows = (lead.height + output[2] + side.height - 1) / side.height
    columns = (lead.width + output[3] + side.width - 1) / side.width
    count = output[0] * rows * columns
    width = output[1].roundedUp(to: MemoryFormat.block) * format.parts
    // Numbers for one tile's products lie as far apart as a block's matrices are large. Where that
    // is a large power of two, a cache has only a few places for all of them: lines of 64 bytes
    // are put by their address modulo 4096.
    var depth = channels.roundedUp(to: MemoryFormat.block)
    if depth / MemoryFormat.block % 16 == 0 { depth += MemoryFormat.block }
    depth *= format.parts
    self.depth = depth
    let blocks = max(count / format.wantedTiles, 1).roundedUp(to: threads)
    var block = max((count + blocks - 1) / blocks, 1)
    while (block * depth / MemoryFormat.block) % 16 == 0 { block += 1 }
    self.block = block
  }

  /// Blocks of all images.
  var blocks: Int { (count + block - 1) / block }
  /// The bytes between a block's two steps before and after the products.
  var sourceBytes: Int { format.products * block * depth * MemoryLayout<Float>.stride }
  var destinationBytes: Int { format.products * block * width * MemoryLayout<Float>.stride }
  var weightBytes: Int { format.products * depth * width * MemoryLayout<Float>.stride }
}
