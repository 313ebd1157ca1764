/// Which input pixels an output pixel depends on, along one axis.
package enum ReceptiveField: Sendable {
  /// The pixel at the same place of every input.
  case pointwise
  /// The pixels of a window of the first input that moves with the output pixel.
  case window(ReceptiveWindow)
  /// Possibly every pixel, for this reason.
  case whole(reason: String, size: Extent)
  /// No pixel: the value is the same for every image.
  case constant
  /// That of the operations that an expansion is made of: graphs are expanded before it is asked.
  case expansion

  /// What the output's height and width are to an input's where every pixel may count.
  package enum Extent: Hashable, Sendable {
    /// The extent of an input (by position) times a ratio.
    case input(Int, times: Ratio)
    /// What a dimension of an input (by position) is, which need not be that of an image.
    case dimension(Int, ofInput: Int)
    /// Not in proportion: one pixel, or no image at all.
    case unrelated

    /// As large as the first input.
    package static let same = Extent.input(0, times: Ratio(1))
  }
}

/// A window that moves with the output pixel.
package struct ReceptiveWindow: Sendable {
  /// The output's extent over the input's.
  package var ratio: Ratio
  /// How many pixels inside the border of the image a padding copies from; nil for what copies
  /// nothing.
  package var mirrored: Int?
  /// The multiple of input pixels at which a tile must begin for the window to lie as in the whole,
  /// besides what the ratio asks for.
  package var alignment = 1
  /// The dimension of the input that the axis runs along; nil where it is that of an image.
  package var input: Int?
  /// The dimension of the output that the axis runs along; nil where it is that of an image.
  package var output: Int?
  /// The output pixels that depend on these input pixels alone, when neither end of the input is a
  /// border of the image.
  package var valid: @Sendable (Range<Int>) -> Range<Int>

  /// An output pixel where the input pixel was, so many pixels further on.
  static func shifted(by pixels: Int, mirrored: Int? = nil) -> ReceptiveWindow {
    ReceptiveWindow(ratio: Ratio(1), mirrored: mirrored) {
      $0.lowerBound + pixels..<$0.upperBound + pixels
    }
  }
}

/// A window that slides over a padded image: of a convolution or a pooling.
protocol SlidingWindow {
  /// The size of the window.
  var kernel: Size { get }
  /// How far the window steps.
  var stride: Size { get }
  /// How far apart the elements of the window lie.
  var dilation: Size { get }
  /// How the image is padded.
  var padding: Padding { get set }
  /// The padding for an image of this size, with what the last window reaches over the end.
  func amounts(_ size: Size) -> PaddingAmounts
}

extension SlidingWindow {
  func amounts(_ size: Size) -> PaddingAmounts {
    padding.amounts(size: size, kernel: kernel, stride: stride, dilation: dilation)
  }

  /// The number of places of the window.
  func outputSize(_ input: [Int]) throws(ShapeProblem) -> Size {
    let amounts = amounts(Size(input[2], input[3]))
    var result = Size(0)
    for axis in Axis.allCases {
      let reach = (kernel[axis] - 1) * dilation[axis] + 1
      let padded = input[axis.dimension] + amounts.total(axis)
      guard padded >= reach, input[axis.dimension] > 0 else {
        throw .tooSmall(needed: "\(reach - amounts.total(axis)) pixels a side", found: input)
      }
      let outputs = (padded - reach) / stride[axis] + 1
      if axis == .vertical { result.height = outputs } else { result.width = outputs }
    }
    return result
  }

  /// What an output pixel sees. Padding 'same' has to be resolved for it to be a window.
  func field(_ axis: Axis) -> ReceptiveField {
    let step = stride[axis]
    guard case .explicit(let amounts) = padding else {
      return .whole(
        reason: "padding 'same' depends on the size", size: .input(0, times: Ratio(1, step)))
    }
    let before = amounts.before(axis)
    let reach = (kernel[axis] - 1) * dilation[axis]
    return .window(
      ReceptiveWindow(ratio: Ratio(1, step)) { input in
        let first = (input.lowerBound + before).dividedRoundingUp(by: step)
        let last = (input.upperBound - 1 + before - reach).dividedRoundingDown(by: step)
        return first..<max(last + 1, first)
      })
  }

  /// The same window with its padding stated for an input of this shape.
  func resolved(_ input: [Int]) -> Self {
    var window = self
    window.padding = .explicit(
      padding.amounts(
        size: Size(input[2], input[3]), kernel: kernel, stride: stride, dilation: dilation))
    return window
  }
}

/// A window that adds to a larger image at each of its places: of a transposed convolution or a
/// fold.
package protocol TransposedWindow {
  /// The size of the window.
  var kernel: Size { get }
  /// How far the window steps.
  var stride: Size { get }
  /// How far apart the elements of the window lie.
  var dilation: Size { get }
  /// What is cut from the full output of (n - 1) · stride + (kernel - 1) · dilation + 1 pixels.
  /// Negative at the bottom and right: rows and columns that no window reaches.
  var padding: PaddingAmounts { get }
}

extension TransposedWindow {
  /// From the first pixel that an input pixel reaches to the last, both counted.
  package func reach(_ axis: Axis) -> Int { (kernel[axis] - 1) * dilation[axis] + 1 }

  func checkWindow(_ check: AttributeCheck) throws(GraphError) {
    try check("kernel", kernel)
    try check("stride", stride)
    try check("dilation", dilation)
    try check("padding", padding, least: -GraphLimits.window)
    // At the top and left there is no way for PyTorch or Keras to add rows.
    try check("padding", min(padding.top, padding.left), 0...GraphLimits.window)
  }

  /// The size of the image that windows at every pixel of the input add to.
  func outputSize(_ input: [Int]) throws(ShapeProblem) -> Size {
    let size = Axis.allCases.map { axis in
      (input[axis.dimension] - 1) * stride[axis] + reach(axis) - padding.total(axis)
    }
    guard size.allSatisfy({ $0 > 0 }) else {
      throw .tooSmall(needed: "what the padding leaves a pixel of", found: input)
    }
    return Size(size[0], size[1])
  }

  /// What an output pixel sees.
  func field(_ axis: Axis) -> ReceptiveField {
    let step = stride[axis], crop = padding.before(axis), reach = reach(axis)
    return .window(
      ReceptiveWindow(ratio: Ratio(step)) { input in
        let first = input.lowerBound * step - step + reach - crop
        // A kernel smaller than the stride reaches less far than the next input pixel.
        let start = max(first, input.lowerBound * step - crop)
        return start..<max(input.upperBound * step - crop, start)
      })
  }
}

extension Int {
  /// The quotient, rounded down; the divisor is above 0.
  package func dividedRoundingDown(by divisor: Int) -> Int {
    self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
  }

  /// The quotient, rounded up; the divisor is above 0.
  package func dividedRoundingUp(by divisor: Int) -> Int {
    -(-self).dividedRoundingDown(by: divisor)
  }
}
