import AviaryGraph

/// All ways in which a file's layers can be those of a plan, by their places and never by the order
/// of an HDF5 file.
///
/// Names that agree belong together (`encoder`); so do containers of equal content. Among layers of
/// one kind in one container those named by class and counter are in the counters' order. Where
/// neither says enough, every order that is left is a way of its own, and the shapes have to tell.
struct LayerMatching {
  /// For each layer of the plan the position of the file's layer.
  typealias Assignment = [Int: Int]

  /// Where more ways are left than these, places say too little, and none is tried.
  private static let limit = 400

  /// The ways, each once.
  static func ways(_ file: LayerTree, _ plan: LayerTree) -> [Assignment] {
    var seen: Set<Assignment> = []
    let ways = matches(file.root, plan.root) + flatMatches(file.root, plan.root)
    return (ways.isEmpty ? wholeMatches(file.root, plan.root) : ways).filter {
      seen.insert($0).inserted
    }
  }

  /// The ways in which containers keep one order for layers of all kinds: fewer, where there are too
  /// many others.
  private static func wholeMatches(
    _ file: LayerTree.Node, _ plan: LayerTree.Node
  ) -> [Assignment] {
    let kinds = ExternalLayer.Kind.allCases.map { ($0, plan.layers(of: $0)) }
    return orders(file, nil).compactMap { order in
      var assignment: Assignment = [:]
      for (kind, wanted) in kinds {
        let own = file.layers(of: kind)
        let given = order.filter(Set(own).contains)
        guard given.count == wanted.count else { return nil }
        assignment.merge(zip(wanted, given)) { $1 }
      }
      return assignment
    }
  }

  private static func matches(_ file: LayerTree.Node, _ plan: LayerTree.Node) -> [Assignment] {
    if let layer = file.layer, let place = plan.layer {
      return file.kind == plan.kind ? [[place: layer]] : []
    }
    // A layer in a container of its own.
    if file.layer == nil, file.children.count == 1, plan.layer != nil {
      return matches(file.children[0], plan)
    }
    if plan.layer == nil, plan.children.count == 1, file.layer != nil {
      return matches(file, plan.children[0])
    }
    guard file.layer == nil, plan.layer == nil else { return [] }
    var rest = (file: file.children, plan: plan.children)
    var ways: [Assignment] = [[:]]
    for child in file.children {
      guard
        let twin = rest.plan.firstIndex(where: {
          $0.name == child.name && $0.signature == child.signature
        }), let own = rest.file.firstIndex(where: { $0.name == child.name })
      else { continue }
      ways = product(ways, matches(child, rest.plan[twin]))
      rest.plan.remove(at: twin)
      rest.file.remove(at: own)
    }
    let groups = (
      file: Dictionary(grouping: rest.file, by: \.signature),
      plan: Dictionary(grouping: rest.plan, by: \.signature)
    )
    guard groups.file.mapValues(\.count) == groups.plan.mapValues(\.count) else {
      // A list of layers may leave no trace in the file but its members.
      let members = plan.withoutLists
      return members.children.count == plan.children.count
        ? flatMatches(file, plan) : matches(file, members)
    }
    for (signature, wanted) in groups.plan.sorted(by: { $0.key < $1.key }) {
      let orders = interleavings(groups.file[signature] ?? [])
      ways = product(
        ways,
        orders.flatMap { order in
          zip(order, wanted).reduce([[:]]) { product($0, matches($1.0, $1.1)) }
        })
    }
    return ways
  }

  /// The ways that heed containers only as far as they tell the order.
  private static func flatMatches(
    _ file: LayerTree.Node, _ plan: LayerTree.Node
  ) -> [Assignment] {
    var ways: [Assignment] = [[:]]
    for kind in ExternalLayer.Kind.allCases {
      let wanted = plan.layers(of: kind)
      let orders = orders(file, kind).filter { $0.count == wanted.count }
      ways = product(
        ways,
        orders.map { Dictionary(uniqueKeysWithValues: zip(wanted, $0)) })
    }
    return ways
  }

  /// The orders in which the layers of a kind, or of all, may come, at and below a node.
  private static func orders(_ node: LayerTree.Node, _ kind: ExternalLayer.Kind?) -> [[Int]] {
    if let layer = node.layer { return [kind == nil || node.kind == kind ? [layer] : []] }
    let holding = node.children.filter { child in
      kind.map { !child.layers(of: $0).isEmpty } ?? true
    }
    return bounded(
      interleavings(holding).lazy.flatMap { children in
        children.reduce([[]]) { orders, child in
          let own = Self.orders(child, kind)
          return bounded(orders.lazy.flatMap { order in own.lazy.map { order + $0 } })
        }
      })
  }

  /// The orders of nodes in which those of one class are in the order of their counters.
  private static func interleavings(_ nodes: [LayerTree.Node]) -> [[LayerTree.Node]] {
    let classes = Dictionary(grouping: nodes) { Numbered($0.name).base }
      .sorted { $0.key < $1.key }
      .map { $0.value.sorted { Numbered($0.name).number < Numbered($1.name).number } }
    var orders: [[LayerTree.Node]] = []
    var order: [LayerTree.Node] = []
    var next = [Int](repeating: 0, count: classes.count)
    func extend() {
      guard orders.count <= limit else { return }
      if order.count == nodes.count {
        orders.append(order)
        return
      }
      for i in classes.indices where next[i] < classes[i].count {
        order.append(classes[i][next[i]])
        next[i] += 1
        extend()
        next[i] -= 1
        order.removeLast()
      }
    }
    extend()
    return orders.count > limit ? [] : orders
  }

  /// All elements, or none where there are more than the limit.
  private static func bounded<T>(_ elements: some Sequence<T>) -> [T] {
    let first = Array(elements.prefix(limit + 1))
    return first.count > limit ? [] : first
  }

  private static func product(_ a: [Assignment], _ b: [Assignment]) -> [Assignment] {
    bounded(a.lazy.flatMap { first in b.lazy.map { first.merging($0) { $1 } } })
  }
}

/// A name and the number at its end: `conv2d` and 1 for `conv2d_1`, `conv` and 2 for `conv2`.
struct Numbered {
  var base: String
  /// 0 where there is none, as for the first of a class.
  var number: Int

  init(_ name: String) {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    let stem = name.dropLast(digits)
    // "conv2d" has no number: the digit is inside.
    base = String(stem.last == "_" && digits > 0 ? stem.dropLast() : stem)
    number = digits > 0 ? Int(name.suffix(digits)) ?? 0 : 0
  }
}

extension LayerTree.Node {
  /// The node with the members of numbered containers in their containers' places.
  var withoutLists: LayerTree.Node {
    var result = self
    result.children = children.flatMap { child in
      let isList = !child.children.isEmpty && child.children.allSatisfy { Int($0.name) != nil }
      return isList ? child.children : [child]
    }
    return result
  }

  /// The layers of a kind at and below the node, in the tree's order.
  func layers(of kind: ExternalLayer.Kind) -> [Int] {
    if let layer { return self.kind == kind ? [layer] : [] }
    return children.flatMap { $0.layers(of: kind) }
  }
}

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

/// The layers with weights of a graph, in order of execution: what a file's layers are held
/// against.
struct LayerPlan: Hashable {
  /// A layer.
  struct Layer: Hashable {
    /// What its parameters' names begin with, less the dot.
    var name: String
    var kind: ExternalLayer.Kind
  }

  var layers: [Layer]

  /// - Parameter forStateDict: whether it is held against a state dict, which does not tell
  ///   convolutions of several kinds apart.
  init(_ graph: Graph, forStateDict: Bool) {
    let shapes = Dictionary(graph.parameters.map { ($0.name, $0.shape) }) { $1 }
    var layers: [Layer] = []
    var seen: Set<String> = []
    for node in graph.nodes {
      guard let first = node.parameters.first, let dot = first.lastIndex(of: ".") else { continue }
      let name = String(first[..<dot])
      // Several nodes may share their parameters: those are one layer of a file.
      guard seen.insert(name).inserted else { continue }
      let kind = Self.kind(of: node.op, weight: shapes[first] ?? [])
      layers.append(Layer(name: name, kind: forStateDict ? kind.inStateDict : kind))
    }
    self.layers = layers
  }

  /// How many layers there are of each kind.
  var counts: [ExternalLayer.Kind: Int] {
    Dictionary(layers.map { ($0.kind, 1) }, uniquingKeysWith: +)
  }

  private static func kind(of op: Op, weight: [Int]) -> ExternalLayer.Kind {
    (op.operation as? any WeightedOperation)?.layerKind(weight: weight) ?? .other
  }
}
