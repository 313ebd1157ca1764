internal import AviaryGraph
internal import Synchronization

/// The parts that were chosen for pictures before: of many pictures most are of a few sizes.
final class TileSizes: Sendable {
  /// What a part was chosen for.
  struct Key: Hashable {
    /// With its borders resolved.
    var graph: Graph
    var output: Int
    /// Of the padded picture, as `columns`.
    var rows: Int
    var columns: Int
    var runs: Int
    var resultBytes: Int
  }

  /// So many are kept: a folder may hold pictures of as many sizes as it holds pictures.
  private static let most = 256
  private let known = Mutex<[Key: TileSize]>([:])

  subscript(key: Key) -> TileSize? {
    get { known.withLock { $0[key] } }
    set {
      known.withLock {
        if $0.count >= TileSizes.most { $0.removeAll() }
        $0[key] = newValue
      }
    }
  }
}
