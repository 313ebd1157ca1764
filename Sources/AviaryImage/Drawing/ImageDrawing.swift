/// What an image that compares others needs: larger pixels, filled rectangles, labels.
extension Image {
  /// Each pixel as a square of `factor` pixels on a side.
  ///
  /// - Throws: `ImageError.invalidScale` for a factor outside 1...2^20; `.sizeMismatch` or
  ///   `.invalidSize` if the result would be too large, or the image has no pixels.
  public func magnified(by factor: Int) throws(ImageError) -> Image {
    try Resampling(.nearest).resize(self, by: try ScaleFactor(factor))
  }

  /// Gives all pixels of a rectangle one value in each channel; what lies outside is left out.
  ///
  /// - Throws: `ImageError.formatMismatch` unless there are as many values as channels.
  public mutating func fill(
    x: Int, y: Int, width: Int, height: Int, with values: [Float]
  ) throws(ImageError) {
    guard values.count == channels else {
      throw .formatMismatch(
        thing: "fill", expected: "\(channels) values", found: "\(values.count)")
    }
    let columns = clamp(x, width, to: self.width)
    let rows = clamp(y, height, to: self.height)
    let (stride, planeHeight) = (self.width, self.height)
    unsafe withMutableFloats { target in
      for c in values.indices {
        for row in rows {
          for column in columns {
            unsafe target[(c * planeHeight + row) * stride + column] = values[c]
          }
        }
      }
    }
  }

  /// Writes a line of text, each dot of its letters a square of `dotSize` pixels; what lies outside
  /// is left out. Letters are capitals; characters that `BitmapFont` lacks are blank.
  ///
  /// - Throws: `ImageError.formatMismatch` unless there are as many values as channels.
  public mutating func draw(
    _ text: String, x: Int, y: Int, dotSize: Int = 1, with values: [Float]
  ) throws(ImageError) {
    for (i, character) in text.enumerated() {
      for (row, dots) in BitmapFont.rows(of: character).enumerated() {
        for column in dots.indices where dots[column] {
          try fill(
            x: x + (i * BitmapFont.advance + column) * dotSize, y: y + row * dotSize,
            width: dotSize, height: dotSize, with: values)
        }
      }
    }
  }

  /// Pixels that a line of text takes.
  public static func textSize(_ text: String, dotSize: Int = 1) -> (width: Int, height: Int) {
    // The gap after the last letter does not count.
    let dots = max(text.count * BitmapFont.advance - 1, 0)
    return (dots * dotSize, BitmapFont.height * dotSize)
  }

  /// The part of `start..<start + length` within 0..<limit, without overflow.
  private func clamp(_ start: Int, _ length: Int, to limit: Int) -> Range<Int> {
    let low = min(max(start, 0), limit)
    let (end, overflow) = start.addingReportingOverflow(length)
    let high = overflow ? limit : min(max(end, low), limit)
    return low..<max(low, high)
  }
}

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

  /// Draws lines from each point to the next, with smooth edges and round ends; what lies outside
  /// is left out. Where lines of one call cross or meet, the colour is not laid on twice.
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

/// A font of our own, capitals and a few signs, five dots wide and seven high.
enum BitmapFont {
  static let width = 5
  static let height = 7
  /// From one letter to the next: one blank column lies between.
  static let advance = 6

  /// The rows of a character from top to bottom, true where there is a dot. Small letters are drawn
  /// as capitals; what is not in the font has no rows.
  static func rows(of character: Character) -> [[Bool]] {
    // A capital may be several letters (of ß): then the first.
    let capital = character.uppercased().first ?? character
    return (glyphs[capital] ?? "").split(separator: "|").map { row in row.map { $0 == "#" } }
  }

  private static let glyphs: [Character: String] = [
    "A": ".###.|#...#|#...#|#####|#...#|#...#|#...#",
    "B": "####.|#...#|#...#|####.|#...#|#...#|####.",
    "C": ".###.|#...#|#....|#....|#....|#...#|.###.",
    "D": "####.|#...#|#...#|#...#|#...#|#...#|####.",
    "E": "#####|#....|#....|####.|#....|#....|#####",
    "F": "#####|#....|#....|####.|#....|#....|#....",
    "G": ".###.|#...#|#....|#.###|#...#|#...#|.###.",
    "H": "#...#|#...#|#...#|#####|#...#|#...#|#...#",
    "I": ".###.|..#..|..#..|..#..|..#..|..#..|.###.",
    "J": "..###|...#.|...#.|...#.|...#.|#..#.|.##..",
    "K": "#...#|#..#.|#.#..|##...|#.#..|#..#.|#...#",
    "L": "#....|#....|#....|#....|#....|#....|#####",
    "M": "#...#|##.##|#.#.#|#.#.#|#...#|#...#|#...#",
    "N": "#...#|##..#|#.#.#|#..##|#...#|#...#|#...#",
    "O": ".###.|#...#|#...#|#...#|#...#|#...#|.###.",
    "P": "####.|#...#|#...#|####.|#....|#....|#....",
    "Q": ".###.|#...#|#...#|#...#|#.#.#|#..#.|.##.#",
    "R": "####.|#...#|#...#|####.|#.#..|#..#.|#...#",
    "S": ".####|#....|#....|.###.|....#|....#|####.",
    "T": "#####|..#..|..#..|..#..|..#..|..#..|..#..",
    "U": "#...#|#...#|#...#|#...#|#...#|#...#|.###.",
    "V": "#...#|#...#|#...#|#...#|#...#|.#.#.|..#..",
    "W": "#...#|#...#|#...#|#.#.#|#.#.#|##.##|#...#",
    "X": "#...#|#...#|.#.#.|..#..|.#.#.|#...#|#...#",
    "Y": "#...#|#...#|.#.#.|..#..|..#..|..#..|..#..",
    "Z": "#####|....#|...#.|..#..|.#...|#....|#####",
    "0": ".###.|#...#|#..##|#.#.#|##..#|#...#|.###.",
    "1": "..#..|.##..|..#..|..#..|..#..|..#..|.###.",
    "2": ".###.|#...#|....#|..##.|.#...|#....|#####",
    "3": "####.|....#|....#|.###.|....#|....#|####.",
    "4": "...#.|..##.|.#.#.|#..#.|#####|...#.|...#.",
    "5": "#####|#....|####.|....#|....#|#...#|.###.",
    "6": ".###.|#....|#....|####.|#...#|#...#|.###.",
    "7": "#####|....#|...#.|..#..|..#..|..#..|..#..",
    "8": ".###.|#...#|#...#|.###.|#...#|#...#|.###.",
    "9": ".###.|#...#|#...#|.####|....#|....#|.###.",
    ".": ".....|.....|.....|.....|.....|.##..|.##..",
    ",": ".....|.....|.....|.....|.##..|..#..|.#...",
    ":": ".....|.##..|.##..|.....|.##..|.##..|.....",
    "-": ".....|.....|.....|#####|.....|.....|.....",
    "+": ".....|..#..|..#..|#####|..#..|..#..|.....",
    "_": ".....|.....|.....|.....|.....|.....|#####",
    "=": ".....|.....|#####|.....|#####|.....|.....",
    "%": "##..#|##..#|...#.|..#..|.#...|#..##|#..##",
    "/": "....#|....#|...#.|..#..|.#...|#....|#....",
    "|": "..#..|..#..|..#..|..#..|..#..|..#..|..#..",
    "(": "...#.|..#..|.#...|.#...|.#...|..#..|...#.",
    ")": ".#...|..#..|...#.|...#.|...#.|..#..|.#...",
  ]
}
