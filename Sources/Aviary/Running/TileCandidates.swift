/// The sizes of parts that come into question for a picture.
struct TileCandidates {
  /// A part's pixels.
  struct Size: Hashable {
    var height: Int
    var width: Int
    var area: Int { height * width }
  }

  /// Those with the fewest pixels to compute first: the whole, if it is among them. Where a side is
  /// asked for, the largest first.
  private(set) var sizes: [Size] = []
  private let rows: Int
  private let columns: Int
  private let overlap: Int

  /// Sides of tiles. Larger ones gain nothing: of 1024 pixels, overlap is a small part for every
  /// network there is.
  private static let sides = [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024]

  /// - Parameters:
  ///   - rows: of the padded picture, as `columns`.
  ///   - overlap: how many pixels at inner ends are spoilt.
  ///   - multiple: what inner tiles begin at a multiple of.
  ///   - wanted: the side that is asked for, raised to what overlaps sensibly; smaller ones come into
  ///     question for want of memory.
  init(rows: Int, columns: Int, overlap: Int, multiple: Int, wanted: Int?) {
    (self.rows, self.columns, self.overlap) = (rows, columns, overlap)
    // A tile gets on by at least as much as it overlaps, else it is mostly overlap. In need of memory
    // it may be less: it must get on at all.
    let sensible = (4 * overlap + multiple) / multiple * multiple
    let least = 2 * overlap + multiple
    var sides = Set(TileCandidates.sides.map { $0 / multiple * multiple } + [sensible, least])
    if let wanted {
      let side = max(wanted / multiple * multiple, sensible)
      sides = sides.filter { $0 <= side }.union([side])
    }
    sides = sides.filter { $0 >= least }
    let largest = wanted == nil ? Int.max : sides.max() ?? .max
    func choices(_ length: Int) -> [Int] {
      sides.filter { $0 < length } + (length <= largest ? [length] : [])
    }
    for height in choices(rows) {
      for width in choices(columns) { sizes.append(Size(height: height, width: width)) }
    }
    // Of equals, the larger: fewer parts. A side that is asked for comes first whatever it costs.
    let keys = sizes.map { (wanted == nil ? pixels($0) : 0, -$0.area, $0.width) }
    sizes = sizes.indices.sorted { keys[$0] < keys[$1] }.map { sizes[$0] }
  }

  /// How many parts of a size the picture takes.
  func count(_ size: Size) -> Int { parts(rows, size.height) * parts(columns, size.width) }

  /// The pixels of all of them together: what overlaps is counted as often as it is computed.
  func pixels(_ size: Size) -> Int { count(size) * size.area }

  /// How many parts a side of so many pixels takes.
  private func parts(_ length: Int, _ part: Int) -> Int {
    if part >= length { return 1 }
    let step = max(part - 2 * overlap, 1)
    return (length - 2 * overlap + step - 1) / step
  }
}
