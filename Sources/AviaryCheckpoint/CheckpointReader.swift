import AviaryFiles
import AviaryContainers
import AviaryTensor
import FoundationEssentials

/// What the HDF5 tree of a native checkpoint means.
struct CheckpointReader {
  let path: String
  let version: CheckpointVersion
  let tree: HDF5Tree
  private let weights: HDF5Tree.Group

  init(_ tree: HDF5Tree) throws(CheckpointError) {
    guard CheckpointFile.isCheckpoint(tree) else {
      throw .notWeights(path: tree.path, found: "\(FileKind.hdf5.label) of another kind")
    }
    path = tree.path
    version = try Self.version(of: tree)
    self.tree = tree
    guard let group = try Self.group(CheckpointLayout.Member.weights, in: tree.root, path) else {
      throw .damaged(path: path, part: "/weights", reason: "a group expected, none found")
    }
    weights = group
  }

  /// A member that is a group; nil where there is none of the name.
  static func group(
    _ name: String, in parent: HDF5Tree.Group, _ path: String
  ) throws(CheckpointError) -> HDF5Tree.Group? {
    switch parent[name] {
    case .group(let group): return group
    case .dataSet(let dataSet):
      throw .damaged(
        path: path, part: dataSet.path, reason: "a group expected, a data set found")
    case nil: return nil
    }
  }

  private static func version(of tree: HDF5Tree) throws(CheckpointError) -> CheckpointVersion {
    let name = CheckpointLayout.Root.version
    guard let number = tree.root.attributes[name]?.integer, number >= 1 else {
      throw .damaged(path: tree.path, part: name, reason: "a number of 1 or more expected")
    }
    guard let version = CheckpointVersion(rawValue: number) else {
      let supported = CheckpointVersion.current.rawValue
      throw .newerVersion(path: tree.path, supported: supported, found: number)
    }
    return version
  }

  /// Everything but the weights.
  func header() throws(CheckpointError) -> CheckpointFile {
    switch version {
    case .one:
      var header = CheckpointFile(
        tensors: TensorSource(NamedTensors()),
        architecture: tree.root.attributes[CheckpointLayout.Root.architecture]?.string,
        configuration: try text(CheckpointLayout.Member.configuration),
        graph: try text(CheckpointLayout.Member.graph),
        picture: try text(CheckpointLayout.Member.picture), card: try card(),
        createdBy: try required(CheckpointLayout.Root.createdBy))
      header.storedHash = try required(CheckpointLayout.Root.contentHash)
      return header
    }
  }

  /// A tensor: its description, and where it is.
  struct Entry {
    var summary: CheckpointSummary.Entry
    var dataSet: HDF5Tree.DataSet
  }

  /// The tensors in the model's order.
  func entries() throws(CheckpointError) -> [Entry] { try entries(of: weights) }

  func entries(of group: HDF5Tree.Group) throws(CheckpointError) -> [Entry] {
    var placed: [(position: Int, entry: Entry)] = []
    for (name, member) in group.members {
      guard case .dataSet(let dataSet) = member else {
        throw .damaged(
          path: path, part: "\(group.path)/\(name)", reason: "a data set expected, a group found")
      }
      let role = dataSet.attributes[CheckpointLayout.Attribute.role]?.string
      let position = dataSet.attributes[CheckpointLayout.Attribute.position]?.integer
      let summary = CheckpointSummary.Entry(
        name: name, shape: dataSet.shape, elementType: try elementType(of: dataSet, name),
        offset: dataSet.offset, byteCount: dataSet.storedByteCount,
        isBookkeeping: role == CheckpointLayout.Attribute.nonPersistent)
      placed.append((position ?? .max, Entry(summary: summary, dataSet: dataSet)))
    }
    // Stable: those without a position, from another writer, stay sorted by name at the end.
    return placed.sorted { $0.position < $1.position }.map(\.entry)
  }

  /// The tensors, to be read when asked for.
  func source(of entries: [Entry]) -> TensorSource {
    let descriptions = entries.map {
      TensorDescription(
        name: $0.summary.name, shape: $0.summary.shape, elementType: $0.summary.elementType,
        storedName: $0.dataSet.path, isBookkeeping: $0.summary.isBookkeeping)
    }
    return TensorSource(descriptions) { [tree] (position) throws(CheckpointError) in
      let stored = try tree.tensor(entries[position].dataSet)
      guard descriptions[position].elementType == .bfloat16 else { return stored }
      do throws(TensorError) {
        return try stored.reinterpreted(as: .bfloat16)
      } catch {
        throw .damaged(
          path: tree.path, part: descriptions[position].name, reason: error.description)
      }
    }
  }

  private func elementType(
    of dataSet: HDF5Tree.DataSet, _ name: String
  ) throws(CheckpointError) -> ElementType {
    guard let stored = dataSet.elementType else {
      throw .unsupported(
        path: path, what: "\(dataSet.path): elements of another type than numbers")
    }
    let stated = dataSet.attributes[CheckpointLayout.Attribute.elementType]?.string
    switch (stored, stated) {
    case (.uint16, "bfloat16"): return .bfloat16
    case (.float32, nil), (.float16, nil), (.int8, nil), (.int64, nil): return stored
    default:
      throw .elementType(
        name: "\(path): \(name)", found: stated.map { "\($0) in \(stored)" } ?? stored.rawValue)
    }
  }

  private func text(_ member: String) throws(CheckpointError) -> String? {
    try text(member, in: tree.root)
  }

  func text(
    _ member: String, in parent: HDF5Tree.Group
  ) throws(CheckpointError) -> String? {
    switch parent[member] {
    case .dataSet(let dataSet): return try tree.string(dataSet)
    case .group(let group):
      throw .damaged(
        path: path, part: group.path, reason: "a data set expected, a group found")
    case nil: return nil
    }
  }

  private func required(_ attribute: String) throws(CheckpointError) -> String {
    guard let value = tree.root.attributes[attribute]?.string else {
      throw .damaged(path: path, part: attribute, reason: "an attribute of text expected")
    }
    return value
  }

  private func card() throws(CheckpointError) -> Card {
    guard let json = try text(CheckpointLayout.Member.card) else { return Card() }
    do {
      return try JSONDecoder().decode(Card.self, from: Data(json.utf8))
    } catch {
      throw .damaged(path: path, part: "/card", reason: "JSON of a card expected")
    }
  }
}
