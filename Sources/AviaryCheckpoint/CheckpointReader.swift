import AviaryTensor
import FoundationEssentials

/// An open native checkpoint.
struct CheckpointReader: ~Copyable {
  let path: String
  let version: CheckpointVersion
  private let root: HDF5Group
  private let weights: HDF5Group

  /// Everything but the weights.
  struct Header {
    var architecture: String?
    var configuration: String?
    var graph: String?
    var picture: String?
    var card: Card
    var createdBy: String
    var storedHash: String
  }

  init(_ path: String) throws(CheckpointError) {
    let format = try FileFormat.sniff(path)
    guard format == .aviaryCheckpoint else { throw .notWeights(path: path, found: format.label) }
    let root = try HDF5File(reading: path).root()
    let version = try Self.version(of: root, path)
    guard try root.contains(CheckpointLayout.Member.weights) else {
      throw .damaged(path: path, part: "/weights", reason: "a group expected, none found")
    }
    let weights = try root.group(CheckpointLayout.Member.weights)
    self.path = path
    self.version = version
    self.root = root
    self.weights = weights
  }

  private static func version(
    of root: borrowing HDF5Group, _ path: String
  ) throws(CheckpointError) -> CheckpointVersion {
    let name = CheckpointLayout.Root.version
    guard let number = try root.attribute(name)?.integer, number >= 1 else {
      throw .damaged(path: path, part: name, reason: "a number of 1 or more expected")
    }
    guard let version = CheckpointVersion(rawValue: number) else {
      let supported = CheckpointVersion.current.rawValue
      throw .newerVersion(path: path, supported: supported, found: number)
    }
    return version
  }

  func header() throws(CheckpointError) -> Header {
    switch version {
    case .one:
      Header(
        architecture: try root.attribute(CheckpointLayout.Root.architecture)?.string,
        configuration: try text(CheckpointLayout.Member.configuration),
        graph: try text(CheckpointLayout.Member.graph),
        picture: try text(CheckpointLayout.Member.picture), card: try card(),
        createdBy: try required(CheckpointLayout.Root.createdBy),
        storedHash: try required(CheckpointLayout.Root.contentHash))
    }
  }

  /// The tensors' descriptions in the model's order.
  func entries() throws(CheckpointError) -> [CheckpointSummary.Entry] {
    var placed: [(position: Int, entry: CheckpointSummary.Entry)] = []
    for name in try weights.memberNames() {
      let dataSet = try weights.dataSet(name)
      let role = try dataSet.attribute(CheckpointLayout.Attribute.role)?.string
      let position = try dataSet.attribute(CheckpointLayout.Attribute.position)?.integer
      let entry = CheckpointSummary.Entry(
        name: name, shape: dataSet.shape, elementType: try elementType(of: dataSet, name),
        offset: dataSet.offset, byteCount: dataSet.storedByteCount,
        isBookkeeping: role == CheckpointLayout.Attribute.bookkeeping)
      placed.append((position ?? .max, entry))
    }
    // Stable: those without a position, from another writer, stay sorted by name at the end.
    return placed.sorted { $0.position < $1.position }.map(\.entry)
  }

  /// The elements of one tensor.
  func tensor(_ entry: CheckpointSummary.Entry) throws(CheckpointError) -> Tensor {
    let stored = try weights.dataSet(entry.name).tensor()
    guard entry.elementType == .bfloat16 else { return stored }
    do {
      return try stored.reinterpreted(as: .bfloat16)
    } catch {
      throw .damaged(path: path, part: entry.name, reason: error.description)
    }
  }

  private func elementType(
    of dataSet: borrowing HDF5DataSet, _ name: String
  ) throws(CheckpointError) -> ElementType {
    let stored = try dataSet.elementType()
    let stated = try dataSet.attribute(CheckpointLayout.Attribute.elementType)?.string
    switch (stored, stated) {
    case (.uint16, "bfloat16"): return .bfloat16
    case (.float32, nil), (.float16, nil), (.int8, nil), (.int64, nil): return stored
    default:
      throw .elementType(
        name: "\(path): \(name)", found: stated.map { "\($0) in \(stored)" } ?? stored.rawValue)
    }
  }

  private func text(_ member: String) throws(CheckpointError) -> String? {
    try root.contains(member) ? try root.dataSet(member).string() : nil
  }

  private func required(_ attribute: String) throws(CheckpointError) -> String {
    guard let value = try root.attribute(attribute)?.string else {
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
