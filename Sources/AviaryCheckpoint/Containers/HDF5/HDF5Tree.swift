import AviaryTensor

/// All that an HDF5 file says, in one walk: groups, attributes, data sets. Elements are read when
/// asked for.
///
/// A plain value: who reads a dialect of HDF5 sees only this, and not how the file was opened.
struct HDF5Tree: Sendable {
  /// The file as the caller named it.
  let path: String
  /// The group that holds everything.
  let root: Group
  private let contents: any HDF5Contents

  init(path: String, root: Group, contents: any HDF5Contents) {
    self.path = path
    self.root = root
    self.contents = contents
  }

  /// A group or a data set.
  enum Member: Sendable {
    case group(Group)
    case dataSet(DataSet)
  }

  /// A folder of data sets and further groups, with attributes.
  struct Group: Sendable {
    /// Where it is: `/` or `/model_weights/conv2d`.
    var path: String
    var attributes: [String: HDF5Attribute] = [:]
    /// What it holds, sorted by the bytes of the names: never the model's order.
    var members: [(name: String, member: Member)] = []

    /// The member of that name.
    subscript(name: String) -> Member? { members.first { $0.name == name }?.member }

    /// The group of that name in this group; nil where there is none.
    func group(_ name: String) -> Group? {
      if case .group(let group)? = self[name] { group } else { nil }
    }

    /// The data set of that name in this group, or further down by a path of several names; nil
    /// where there is none.
    func dataSet(_ name: String) -> DataSet? {
      var group = self
      var parts = name.split(separator: "/").map(String.init)[...]
      while parts.count > 1 {
        guard let next = group.group(parts.removeFirst()) else { return nil }
        group = next
      }
      guard let last = parts.first, case .dataSet(let dataSet)? = group[last] else { return nil }
      return dataSet
    }
  }

  /// An array of numbers, or a string.
  struct DataSet: Sendable {
    /// Where it is: `/model_weights/conv2d/conv2d/kernel:0`.
    var path: String
    /// Its number in the walk, by which its elements are asked for.
    var number: Int
    /// The dimensions; empty for a scalar.
    var shape: [Int]
    /// What the elements are; nil for text, and for what is neither numbers nor text.
    var elementType: ElementType?
    /// Where the elements begin in the file; nil if they do not lie in one piece.
    var offset: Int?
    /// The bytes that the elements take in the file.
    var storedByteCount: Int
    var attributes: [String: HDF5Attribute] = [:]
  }

  /// The elements of a data set of numbers.
  func tensor(_ dataSet: DataSet) throws(CheckpointError) -> Tensor {
    try contents.tensor(dataSet)
  }

  /// A data set as one string.
  func string(_ dataSet: DataSet) throws(CheckpointError) -> String {
    try contents.string(dataSet)
  }
}

/// What gives the elements of a file's data sets.
protocol HDF5Contents: Sendable {
  func tensor(_ dataSet: HDF5Tree.DataSet) throws(CheckpointError) -> Tensor
  func string(_ dataSet: HDF5Tree.DataSet) throws(CheckpointError) -> String
}
