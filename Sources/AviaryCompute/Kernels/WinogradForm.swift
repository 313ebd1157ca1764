import CKernels

/// The convolutions that Winograd's algorithm serves, all of them with kernels of 3x3. Each is cut
/// into tiles of so many output pixels along both axes.
///
/// A strided convolution is four of stride 1, of the pixels at even and odd places along each axis,
/// with 2x2, 2x1, 1x2 and 1x1 taps. F(4, 2) serves the axes on which two taps are; on the others
/// there is nothing to be saved. A transposed one is the same with output and input changed about.
enum WinogradForm: Hashable {
  /// Stride 1: F(4x4, 3x3).
  case plain
  /// Stride 2.
  case halving
  /// A transposed convolution of stride 2, whose pixels are written where they belong. Its tiles
  /// begin at even places of what it gives before it is cropped.
  case doubling
  /// The same with tiles that begin at odd places.
  case doublingOdd

  /// A tile takes part in so many products of matrices.
  var products: Int { self == .plain ? 36 : 81 }
  /// Output pixels of a tile along an axis.
  var side: Int { self == .doubling || self == .doublingOdd ? 8 : 4 }
  /// From one tile's first input pixel to the next one's.
  var step: Int { self == .halving ? 8 : 4 }
  /// About how many tiles a block should have: enough to make up for reading the weights anew, few
  /// enough for a cache of the second level.
  var wantedTiles: Int { self == .plain ? 36 : 20 }

  /// Nanoseconds for turning a channel's pixels of one tile into what is multiplied, measured.
  var nanosecondsOfInput: Double {
    switch self {
    case .plain: 4.5
    case .halving: 14
    case .doubling, .doublingOdd: 11
    }
  }
  /// Nanoseconds for turning a filter's products of one tile into pixels.
  var nanosecondsOfOutput: Double {
    switch self {
    case .plain: 5.5
    case .halving: 8
    case .doubling, .doublingOdd: 15
    }
  }

  var forC: aviary_winograd {
    switch self {
    case .plain: AVIARY_PLAIN
    case .halving: AVIARY_HALVING
    case .doubling: AVIARY_DOUBLING
    case .doublingOdd: AVIARY_DOUBLING_ODD
    }
  }
}
