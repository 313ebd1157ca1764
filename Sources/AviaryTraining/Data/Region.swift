/// A rectangle of an image's pixels.
struct Region: Hashable, Sendable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int

  /// A rectangle given by its edges.
  init(left: Int, top: Int, right: Int, bottom: Int) {
    (x, y, width, height) = (left, top, right - left, bottom - top)
  }

  /// A square given by its upper left corner.
  init(x: Int, y: Int, side: Int) {
    (self.x, self.y, width, height) = (x, y, side, side)
  }

  var right: Int { x + width }
  var bottom: Int { y + height }

  /// The region enlarged by a margin on every side, clipped to the image.
  func expanded(by margin: Int, in size: (width: Int, height: Int)) -> Region {
    Region(
      left: max(x - margin, 0), top: max(y - margin, 0),
      right: min(right + margin, size.width), bottom: min(bottom + margin, size.height))
  }

  /// The region enlarged so that its edges are at multiples of a number of pixels, clipped to the
  /// image.
  func aligned(to multiple: Int, in size: (width: Int, height: Int)) -> Region {
    func up(_ edge: Int) -> Int { (edge + multiple - 1) / multiple * multiple }
    return Region(
      left: x / multiple * multiple, top: y / multiple * multiple,
      right: min(up(right), size.width), bottom: min(up(bottom), size.height))
  }

  /// The pixels from which enlarging makes this region.
  func reduced(by scale: Int) -> Region {
    Region(
      left: x / scale, top: y / scale, right: (right + scale - 1) / scale,
      bottom: (bottom + scale - 1) / scale)
  }
}
