import AviaryCheckpoint
import AviaryContainers
import AviaryTensor

/// A plain HDF5 file whose data sets are named like a state dict's entries, `encoder.0.weight` at
/// the top or `weight` in groups `encoder/0`, as those write who save tensors with h5py.
enum HDF5StateDict {
  /// Whether a file is one: every data set holds numbers, and one at least is called a weight.
  /// Training data, which is what HDF5 mostly holds, has no such name.
  static func matches(_ tree: HDF5Tree) -> Bool {
    let sets = dataSets(of: tree.root)
    return !sets.isEmpty && sets.allSatisfy { $0.elementType != nil && $0.shape.count <= 8 }
      && sets.contains { name(of: $0).split(separator: ".").last == "weight" }
  }

  /// Describes the tensors of a file, in PyTorch's layout as they are.
  static func read(_ tree: HDF5Tree) throws(CheckpointError) -> WeightsFile {
    let path = tree.path
    let sets = dataSets(of: tree.root)
    var descriptions: [TensorDescription] = []
    for set in sets {
      guard let elementType = set.elementType, Tensor.byteCount(set.shape, elementType) != nil
      else {
        throw .damaged(path: path, part: set.path, reason: "expected an array of numbers")
      }
      let name = name(of: set)
      descriptions.append(
        TensorDescription(
          name: name, shape: set.shape, elementType: elementType, storedName: set.path,
          isNonPersistent: TensorNames.isNonPersistent(name)))
    }
    if let twice = Dictionary(grouping: descriptions, by: \.name).first(where: { $1.count > 1 }) {
      throw .damaged(path: path, part: twice.key, reason: "two data sets become this name")
    }
    var unwrapping = Unwrapping()
    let tensors = TensorNames.unwrap(
      TensorSource(descriptions) { (position) throws(CheckpointError) in
        try tree.tensor(sets[position])
      }, &unwrapping)
    for (name, attribute) in tree.root.attributes.sorted(by: { $0.key < $1.key }).prefix(100) {
      guard let text = attribute.string else { continue }
      unwrapping.metadata.append(.init(name: name, value: String(text.prefix(200))))
    }
    return WeightsFile(
      path: path, format: .hdf5StateDict, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.pytorch))
  }

  /// All data sets, in the order of the numbers in their names: HDF5 sorts `10` before `2`.
  private static func dataSets(of root: HDF5Tree.Group) -> [HDF5Tree.DataSet] {
    var found: [HDF5Tree.DataSet] = []
    // The tree's depth was limited when it was read.
    func visit(_ group: HDF5Tree.Group) {
      for (_, member) in group.members {
        switch member {
        case .group(let group): visit(group)
        case .dataSet(let set): found.append(set)
        }
      }
    }
    visit(root)
    let keyed = found.map { (key: key(name(of: $0)), set: $0) }
    return keyed.sorted { $0.key.lexicographicallyPrecedes($1.key, by: <) }.map(\.set)
  }

  /// A part of a name: numbers come in their own order, and before words.
  private enum Part: Comparable {
    case number(Int)
    case word(String)
  }

  private static func key(_ name: String) -> [Part] {
    name.split(separator: ".").map { Int($0).map(Part.number) ?? .word(String($0)) }
  }

  private static func name(of set: HDF5Tree.DataSet) -> String {
    set.path.split(separator: "/").joined(separator: ".")
  }
}
