/// Layers in the containers that hold them.
struct LayerTree {
  /// A place: a layer if it has a kind, and what it holds.
  struct Node {
    /// The last word of the place.
    var name: String
    /// The position of the layer in its list; nil for a container.
    var layer: Int?
    var kind: ExternalLayer.Kind?
    var children: [Node] = []

    /// The kinds of all layers at and below the node, as text: what a container can be told by.
    var signature: String {
      if let kind { return kind.rawValue }
      return "(" + kinds.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ",")
        + ")"
    }

    private var kinds: [ExternalLayer.Kind: Int] {
      if let kind { return [kind: 1] }
      return children.reduce(into: [:]) { $0.merge($1.kinds, uniquingKeysWith: +) }
    }
  }

  private(set) var root = Node(name: "")

  /// The deepest place that is looked into.
  private static let depth = 32

  /// A tree of places, in the order in which they first occur.
  ///
  /// - Returns: nil where a layer is inside another, or places nest beyond reason.
  init?(_ places: [(path: [String], kind: ExternalLayer.Kind)]) {
    for (position, place) in places.enumerated() {
      guard !place.path.isEmpty, place.path.count <= Self.depth,
        Self.insert(place.path[...], place.kind, position, into: &root)
      else { return nil }
    }
    // A container around everything says nothing.
    while root.children.count == 1, root.children[0].layer == nil {
      root = root.children[0]
    }
  }

  private static func insert(
    _ path: ArraySlice<String>, _ kind: ExternalLayer.Kind, _ layer: Int, into node: inout Node
  ) -> Bool {
    guard node.layer == nil, let name = path.first else { return false }
    // The last is the likeliest: files and plans list one container after the other.
    let place =
      node.children.last?.name == name
      ? node.children.count - 1 : node.children.firstIndex { $0.name == name }
    if path.count == 1 {
      guard place == nil else { return false }
      node.children.append(Node(name: name, layer: layer, kind: kind))
      return true
    }
    if let place { return insert(path.dropFirst(), kind, layer, into: &node.children[place]) }
    node.children.append(Node(name: name))
    return insert(path.dropFirst(), kind, layer, into: &node.children[node.children.count - 1])
  }
}
