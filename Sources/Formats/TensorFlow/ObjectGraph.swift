import AviaryContainers

/// Which variable of a TensorFlow 2 checkpoint belongs to which object: the graph that
/// `tf.train.Checkpoint` and Keras leave under a name of its own
/// (tensorflow/core/protobuf/trackable_object_graph.proto).
struct ObjectGraph {
  /// An object, or a variable.
  struct Node {
    var children: [(name: String, node: Int)] = []
    /// What the variable is called where it was made (`conv2d/kernel`), and in the checkpoint; nil for
    /// an object.
    var variable: (fullName: String, key: String)?
  }

  /// The name of the graph among the tensors.
  static let name = "_CHECKPOINTABLE_OBJECT_GRAPH"

  /// The first is the root.
  private(set) var nodes: [Node] = []
  /// The variables in which an optimiser keeps what it knows of others.
  private(set) var slots: Set<Int> = []

  /// More than any network has.
  private static let limits = (nodes: 1 << 18, children: 1 << 21)

  /// Reads a graph.
  ///
  /// - Throws: `CheckpointError.damaged`, `.truncated`, `.tooLarge`.
  init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    var graph = ProtocolBufferCursor(
      ProtocolBufferFile(bytes, path: path), 0..<bytes.count, part: "the object graph")
    var childCount = 0
    while let field = try graph.next() {
      guard field.number == 1 else { continue }
      guard nodes.count < Self.limits.nodes else { throw graph.damaged("too many objects") }
      var node = Node()
      var message = try graph.message(field, "an object")
      while let field = try message.next() {
        switch field.number {
        case 1:
          childCount += 1
          guard childCount <= Self.limits.children else {
            throw message.damaged("too many members of objects")
          }
          node.children.append(try Self.child(try message.message(field, "a member")))
        case 2:
          if let variable = try Self.variable(try message.message(field, "an attribute")) {
            node.variable = variable
          }
        case 3:
          var slot = try message.message(field, "an optimiser's variable")
          while let field = try slot.next() {
            if field.number == 3, let node = field.integer { slots.insert(node) }
          }
        default: continue
        }
      }
      nodes.append(node)
    }
    guard !nodes.isEmpty, nodes.allSatisfy({ $0.children.allSatisfy { nodes.indices ~= $0.node } })
    else { throw graph.damaged("a member that is no object of the graph") }
  }

  private static func child(
    _ message: ProtocolBufferCursor
  ) throws(CheckpointError) -> (name: String, node: Int) {
    var cursor = message
    // The root's number is not written.
    var child = (name: "", node: 0)
    while let field = try cursor.next() {
      if field.number == 1 { child.node = field.integer ?? 0 }
      if field.number == 2 { child.name = try cursor.text(field) }
    }
    return child
  }

  private static func variable(
    _ message: ProtocolBufferCursor
  ) throws(CheckpointError) -> (fullName: String, key: String)? {
    var cursor = message
    var (name, fullName, key) = ("", "", "")
    while let field = try cursor.next() {
      switch field.number {
      case 1: name = try cursor.text(field)
      case 2: fullName = try cursor.text(field)
      case 3: key = try cursor.text(field)
      default: continue
      }
    }
    return name == "VARIABLE_VALUE" ? (fullName, key) : nil
  }
}

extension ObjectGraph {
  /// A variable of the network.
  struct Variable {
    /// Its place among the nodes.
    var node: Int
    /// The objects from the root to what holds it.
    var owners: [Int]
    /// The members that lead there, and the variable's own.
    var path: [String]
  }

  /// Members that are no part of a network, or of which every one is a part elsewhere too.
  private static let aside: Set<String> = [
    "optimizer", "keras_api", "save_counter", "signatures", "loss", "metrics", "keras_metrics",
    "_all_variables", "trainable_variables", "non_trainable_variables", "regularization_losses",
  ]

  /// The variables that belong to the network, each by the first way to it, in the order of its
  /// layers: what Keras counts as layers goes before other members, and lists of all variables come
  /// last.
  var variables: [Variable] {
    var found: [Variable] = []
    var isKnown: Set<Int> = [0]
    var level: [Variable] = [Variable(node: 0, owners: [], path: [])]
    var lists: [Variable] = []
    while !level.isEmpty || !lists.isEmpty {
      // Lists are looked into once everything else is.
      if level.isEmpty {
        (level, lists) = (lists.filter { isKnown.insert($0.node).inserted }, [])
      }
      var next: [Variable] = []
      for place in level {
        let children = nodes[place.node].children.sorted { Self.rank($0.name) < Self.rank($1.name) }
        for child in children where !Self.aside.contains(child.name) {
          let member = Variable(
            node: child.node, owners: place.owners + [place.node], path: place.path + [child.name])
          guard !isKnown.contains(child.node) else { continue }
          if child.name == "variables" {
            lists.append(member)
          } else {
            isKnown.insert(child.node)
            if nodes[child.node].variable == nil {
              next.append(member)
            } else if !slots.contains(child.node) {
              found.append(member)
            }
          }
        }
      }
      level = next
    }
    return found
  }

  /// How many other variables there are: the optimiser's, counters.
  func otherVariableCount(besides found: [Variable]) -> Int {
    let keys = Set(found.compactMap { nodes[$0.node].variable?.fullName })
    return nodes.indices.filter { node in
      nodes[node].variable.map { !keys.contains($0.fullName) } ?? false
    }.count
  }

  /// What goes first of an object's members, by number.
  private static func rank(_ name: String) -> (Int, Int) {
    for (rank, prefix) in ["layer_with_weights-", "layer-"].enumerated()
    where name.hasPrefix(prefix) {
      if let number = Int(name.dropFirst(prefix.count)) { return (rank, number) }
    }
    if name == "_operations" { return (2, 0) }
    return Int(name).map { (3, $0) } ?? (4, 0)
  }
}
