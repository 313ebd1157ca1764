/// The sizes of parts that come into question for a picture.
struct TileCandidates {
  /// A part's pixels.
  struct Size: Hashable {
    var height: Int
    var width: Int
  }

  private(set) var sizes: [Size] = []

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
    // A tile gets on by at least as much as it overlaps, else it is mostly overlap. In need of memory
    // it may be less: it must get on at all.
    let sensible = (4 * overlap + multiple) / multiple * multiple
    let least = 2 * overlap + multiple
    var sides = Set(TileCandidates.sides.map { $0 / multiple * multiple } + [sensible, least])
    if let wanted {
      let side = max(wanted / multiple * multiple, sensible)
      sides = sides.filter { $0 <= side }.union([side])
      sides.insert(side)
    }
    sides = sides.filter { $0 >= least }
    let largest = wanted == nil ? Int.max : sides.max() ?? .max
    func choices(_ length: Int) -> [Int] {
      sides.filter { $0 < length } + (length <= largest ? [length] : [])
    }
    for height in choices(rows) {
      for width in choices(columns) { sizes.append(Size(height: height, width: width)) }
    }
  }
}
