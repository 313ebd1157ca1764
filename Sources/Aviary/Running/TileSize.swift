internal import AviaryGraph

/// The size of the parts in which a picture is computed.
struct TileSize: Hashable, Sendable {
  var height: Int
  var width: Int
  /// How many pixels at inner ends are spoilt.
  var overlap: Int
  /// What inner tiles begin at a multiple of.
  var multiple: Int
  /// The memory that the activations and the bands around them take.
  var bytes: Int
}
