/// A height and a width: of a kernel, a stride, a dilation.
public struct Size: Hashable, Sendable {
  /// Rows.
  public var height: Int
  /// Columns.
  public var width: Int

  /// A rectangle.
  public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
  /// A square.
  public init(_ side: Int) { self.init(side, side) }

  /// The extent along an axis.
  public subscript(axis: Axis) -> Int { axis == .vertical ? height : width }
}

extension Size: ExpressibleByIntegerLiteral {
  /// A square.
  public init(integerLiteral side: Int) { self.init(side) }
}

/// One of the two directions of an image.
public enum Axis: CaseIterable, Hashable, Sendable {
  case vertical
  case horizontal

  /// The index of the axis in an NCHW shape.
  public var dimension: Int { self == .vertical ? 2 : 3 }
}

/// Numbers of pixels along the four edges of an image: padding, or what is cut off.
public struct PaddingAmounts: Hashable, Sendable {
  /// Rows at the top.
  public var top: Int
  /// Columns at the left.
  public var left: Int
  /// Rows at the bottom.
  public var bottom: Int
  /// Columns at the right.
  public var right: Int

  /// Different numbers, clockwise from the top by way of the left: (top, left, bottom, right).
  public init(_ top: Int, _ left: Int, _ bottom: Int, _ right: Int) {
    (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
  }

  /// The same number on all edges.
  public init(_ all: Int) { self.init(all, all, all, all) }

  /// `before` at the top and left, `after` at the bottom and right.
  public init(before: Int, after: Int) { self.init(before, before, after, after) }

  /// Nothing on any edge.
  public static let none = PaddingAmounts(0)

  /// The number at the top or left edge.
  public func before(_ axis: Axis) -> Int { axis == .vertical ? top : left }
  /// The number at the bottom or right edge.
  public func after(_ axis: Axis) -> Int { axis == .vertical ? bottom : right }
  /// Both edges of an axis together.
  public func total(_ axis: Axis) -> Int { before(axis) + after(axis) }

  /// The largest number that any edge has.
  var largest: Int { max(top, left, bottom, right) }
  /// The smallest number that any edge has.
  var smallest: Int { min(top, left, bottom, right) }
}

extension PaddingAmounts: ExpressibleByIntegerLiteral {
  /// The same number on all edges.
  public init(integerLiteral all: Int) { self.init(all) }
}

/// How the image is padded that a window slides over.
public enum Padding: Hashable, Sendable {
  /// So many rows and columns of padding.
  case explicit(PaddingAmounts)
  /// TensorFlow's rule: as many as give ceil(size / stride) outputs, the odd one at the bottom and
  /// right. It depends on the size of the image wherever the stride is not 1.
  case same

  /// No padding.
  public static let valid = Padding.explicit(.none)

  /// The padding for an image of `size` pixels along both axes.
  public func amounts(size: Size, kernel: Size, stride: Size, dilation: Size = 1) -> PaddingAmounts
  {
    guard case .explicit(let amounts) = self else {
      let vertical = same(.vertical), horizontal = same(.horizontal)
      return PaddingAmounts(vertical.before, horizontal.before, vertical.after, horizontal.after)
      func same(_ axis: Axis) -> (before: Int, after: Int) {
        let reach = (kernel[axis] - 1) * dilation[axis] + 1
        let outputs = (size[axis] + stride[axis] - 1) / stride[axis]
        let total = max((outputs - 1) * stride[axis] + reach - size[axis], 0)
        return (total / 2, total - total / 2)
      }
    }
    return amounts
  }
}

/// A ratio of sizes in lowest terms.
public struct Ratio: Hashable, Sendable {
  /// What is divided, in lowest terms.
  public let numerator: Int
  /// What divides, in lowest terms.
  public let denominator: Int

  /// The ratio of two numbers above 0.
  public init(_ numerator: Int, _ denominator: Int = 1) {
    precondition(numerator > 0 && denominator > 0, "a ratio of numbers above 0")
    let divisor = greatestCommonDivisor(numerator, denominator)
    (self.numerator, self.denominator) = (numerator / divisor, denominator / divisor)
  }

  /// The product, or nil where it overflows.
  func multiplied(by other: Ratio) -> Ratio? {
    let (n, overflowsAbove) = numerator.multipliedReportingOverflow(by: other.numerator)
    let (d, overflowsBelow) = denominator.multipliedReportingOverflow(by: other.denominator)
    return overflowsAbove || overflowsBelow ? nil : Ratio(n, d)
  }

  /// A size times the ratio, rounded down, or nil where it overflows.
  func scaled(_ size: Int) -> Int? {
    let (product, overflows) = size.multipliedReportingOverflow(by: numerator)
    return overflows ? nil : product / denominator
  }

  /// The ratio as a number.
  public var value: Double { Double(numerator) / Double(denominator) }
}

/// The greatest common divisor of two numbers above 0.
package func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
