/// A rectangle of a picture's pixels.
struct Region: Hashable, Sendable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int

  /// A rectangle by its edges.
  init(left: Int, top: Int, right: Int, bottom: Int) {
    (x, y, width, height) = (left, top, right - left, bottom - top)
  }

  /// A square by its upper left corner.
  init(x: Int, y: Int, side: Int) {
    (self.x, self.y, width, height) = (x, y, side, side)
  }

  var right: Int { x + width }
  var bottom: Int { y + height }

  /// With so many pixels more on every side, as far as the picture has them.
  func expanded(by margin: Int, in size: (width: Int, height: Int)) -> Region {
    Region(
      left: max(x - margin, 0), top: max(y - margin, 0),
      right: min(right + margin, size.width), bottom: min(bottom + margin, size.height))
  }

  /// With edges at multiples of so many pixels, as far as the picture has them.
  func aligned(to multiple: Int, in size: (width: Int, height: Int)) -> Region {
    func up(_ edge: Int) -> Int { (edge + multiple - 1) / multiple * multiple }
    return Region(
      left: x / multiple * multiple, top: y / multiple * multiple,
      right: min(up(right), size.width), bottom: min(up(bottom), size.height))
  }

  /// The pixels that are made into these by enlarging: those below them.
  func reduced(by scale: Int) -> Region {
    Region(
      left: x / scale, top: y / scale, right: (right + scale - 1) / scale,
      bottom: (bottom + scale - 1) / scale)
  }
}
