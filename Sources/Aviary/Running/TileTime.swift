/// How long a picture takes in parts of a size, for comparisons: all that overlaps is counted.
struct TileTime {
  /// Of one pixel of the network's input.
  let pixelSeconds: Double
  /// Of the padded picture.
  let rows: Int
  let columns: Int
  /// How many pixels of a part's inner ends are spoilt.
  let overlap: Int

  /// What each part costs beside its pixels: waking threads for every layer, and the ends of loops.
  private static let partSeconds = 3e-4

  /// The time of the whole picture.
  func seconds(_ size: TileCandidates.Size) -> Double {
    let (down, across) = (parts(rows, size.height), parts(columns, size.width))
    let pixels = Double(down * size.height) * Double(across * size.width)
    return pixels * pixelSeconds + Double(down * across) * TileTime.partSeconds
  }

  /// How many parts a side of so many pixels takes.
  private func parts(_ length: Int, _ part: Int) -> Int {
    if part >= length { return 1 }
    let step = max(part - 2 * overlap, 1)
    return (length - 2 * overlap + step - 1) / step
  }
}
