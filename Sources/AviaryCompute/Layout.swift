/// The order in which a value's elements lie in memory while a plan runs.
package enum Layout: String, CaseIterable, Hashable, Sendable {
  /// Row-major in the order of the shape: NCHW for pictures. What goes in and comes out.
  case planar
  /// NHWC: the channels of a pixel side by side. What oneDNN's direct convolutions like best, for
  /// any number of channels.
  case channelsLast
  /// nChw16c: channels in blocks of 16, the block innermost. What Winograd convolutions need.
  /// Only for a multiple of 16 channels, so that no block has padding that must be kept zero.
  case blocked

  /// How many channels a block has.
  static let block = 16
}

extension Layout {
  /// Whether a value of this shape can lie so.
  func fits(_ shape: [Int]) -> Bool {
    switch self {
    case .planar: true
    case .channelsLast: shape.count == 4
    case .blocked:
      shape.count == 4 && shape[1] % Layout.block == 0 && EngineHandle.blockSize == Layout.block
    }
  }

  /// Whether the two layouts put this shape's elements in the same places, so that nothing has to
  /// be copied.
  func coincides(with other: Layout, for shape: [Int]) -> Bool {
    if self == other { return true }
    guard shape.count == 4 else { return false }
    // One pixel: channels lie side by side in every layout.
    if shape[2] * shape[3] == 1 { return true }
    let pair: Set<Layout> = [self, other]
    if pair == [.planar, .channelsLast] { return shape[1] == 1 }
    return pair == [.channelsLast, .blocked] && shape[1] == Layout.block
  }
}

/// A value's shape seen as `planes` pictures of `rows` x `columns` pixels of `depth` numbers that
/// lie side by side: the form in which work on rows and columns looks the same in every layout.
struct Grid: Hashable {
  var planes: Int
  var rows: Int
  var columns: Int
  var depth: Int

  init(_ shape: [Int], _ layout: Layout) {
    (rows, columns) = (shape[2], shape[3])
    depth =
      switch layout {
      case .planar: 1
      case .channelsLast: shape[1]
      case .blocked: Layout.block
      }
    planes = shape[0] * shape[1] / depth
  }

  /// The same for numbers that are only moved: two of 2 bytes are moved as one float.
  init(_ shape: [Int], _ form: Form) {
    self.init(shape, form.layout)
    depth = depth * form.numbers.size / Numbers.float32.size
  }

  /// The number of elements of a row.
  var rowCount: Int { columns * depth }
  /// The number of elements.
  var count: Int { planes * rows * columns * depth }
}

/// Where the channels of one picture lie: channel c of pixel p at `offsets[c] + p · step`.
struct ChannelPlaces {
  var offsets: [Int]
  /// From pixel to pixel.
  var step: Int
  /// From picture to picture.
  var picture: Int

  init(_ shape: [Int], _ layout: Layout) {
    let (channels, pixels) = (shape[1], shape[2] * shape[3])
    picture = channels * pixels
    switch layout {
    case .planar:
      step = 1
      offsets = (0..<channels).map { $0 * pixels }
    case .channelsLast:
      step = channels
      offsets = Array(0..<channels)
    case .blocked:
      step = Layout.block
      offsets = (0..<channels).map { $0 / Layout.block * Layout.block * pixels + $0 % Layout.block }
    }
  }
}
