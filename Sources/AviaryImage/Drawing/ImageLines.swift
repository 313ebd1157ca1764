extension Image {
  /// A point in pixels: 0 is the left or upper edge of the first pixel.
  public struct Point: Hashable, Sendable {
    /// To the right.
    public var x: Double
    /// Down.
    public var y: Double

    /// A point.
    public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  /// Draws lines from each point to the next, with smooth edges and round ends; what lies outside is
  /// left out. Where lines of one call cross or meet, the colour is not laid on twice.
  ///
  /// - Parameters:
  ///   - width: in pixels.
  ///   - opacity: 0 to 1.
  /// - Throws: `ImageError.formatMismatch` unless there are as many values as channels.
  public mutating func draw(
    lines points: [Point], width lineWidth: Double, opacity: Double = 1, with values: [Float]
  ) throws(ImageError) {
    guard values.count == channels else {
      throw .formatMismatch(
        thing: "line", expected: "\(channels) values", found: "\(values.count)")
    }
    let (columns, rows) = (width, height)
    guard columns > 0, rows > 0 else { return }
    // How much of each pixel the lines cover, the largest of all lines.
    var coverage = [Float](repeating: 0, count: columns * rows)
    let reach = lineWidth / 2 + 0.5
    for (a, b) in zip(points, points.dropFirst()) {
      // Far outside, or no numbers at all.
      guard [a.x, a.y, b.x, b.y].allSatisfy({ $0.magnitude < 1e6 }) else { continue }
      let left = max(Int(min(a.x, b.x) - reach), 0)
      let right = min(Int(max(a.x, b.x) + reach), columns - 1)
      let top = max(Int(min(a.y, b.y) - reach), 0)
      let bottom = min(Int(max(a.y, b.y) + reach), rows - 1)
      guard left <= right, top <= bottom else { continue }
      let (dx, dy) = (b.x - a.x, b.y - a.y)
      let square = dx * dx + dy * dy
      for row in top...bottom {
        for column in left...right {
          let (x, y) = (Double(column) + 0.5 - a.x, Double(row) + 0.5 - a.y)
          // The nearest point of the line, by its share of the way.
          let share = square > 0 ? min(max((x * dx + y * dy) / square, 0), 1) : 0
          let (ex, ey) = (x - share * dx, y - share * dy)
          let cover = Float(min(max(reach - (ex * ex + ey * ey).squareRoot(), 0), 1))
          coverage[row * columns + column] = max(coverage[row * columns + column], cover)
        }
      }
    }
    unsafe withMutableFloats { target in
      for (i, cover) in coverage.enumerated() where cover > 0 {
        let part = cover * Float(opacity)
        for c in values.indices {
          let place = c * columns * rows + i
          let old = unsafe target[place]
          unsafe target[place] = old + part * (values[c] - old)
        }
      }
    }
  }
}
