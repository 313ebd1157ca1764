package import AviaryTensor

/// All that an HDF5 file says, in one walk: groups, attributes, data sets. Elements are read when
/// asked for.
///
/// A plain value: who reads a format of HDF5 sees only this, and not how the file was opened.
package struct HDF5Tree: Sendable {
  /// The file as the caller named it.
  package let path: String
  /// The group that holds everything.
  package let root: Group
  /// What gives the elements.
  let reader: HDF5Reader

  /// A group or a data set.
  package enum Member: Sendable {
    case group(Group)
    case dataSet(DataSet)
  }

  /// A folder of data sets and further groups, with attributes.
  package struct Group: Sendable {
    /// Where it is: `/` or `/model_weights/conv2d`.
    package var path: String
    package var attributes: [String: HDF5Attribute] = [:]
    /// What it holds, sorted by the bytes of the names: never the model's order.
    package var members: [(name: String, member: Member)] = []

    /// The member of that name.
    package subscript(name: String) -> Member? { members.first { $0.name == name }?.member }

    /// The group of that name in this group; nil where there is none.
    package func group(_ name: String) -> Group? {
      if case .group(let group)? = self[name] { group } else { nil }
    }

    /// The data set of that name in this group, or further down by a path of several names; nil
    /// where there is none.
    package func dataSet(_ name: String) -> DataSet? {
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
  package struct DataSet: Equatable, Sendable {
    /// Where it is: `/model_weights/conv2d/conv2d/kernel:0`.
    package var path: String
    /// Its number among the file's objects, in the order of their paths.
    package var number: Int
    /// The dimensions; empty for a scalar.
    package var shape: [Int]
    /// What the elements are; nil for text, and for what is neither numbers nor text.
    package var elementType: ElementType?
    /// Where the elements begin in the file; nil if they do not lie in one piece.
    package var offset: Int?
    /// The bytes that the elements take in the file.
    package var storedByteCount: Int
    /// Whether it holds text.
    package var isText = false
    /// The text, where it is one string.
    package var text: String?
    /// Whether the elements at `offset` are as they are in memory.
    package var isPlain = false
    /// Whether the elements are compressed.
    package var isFiltered = false
    package var attributes: [String: HDF5Attribute] = [:]
  }
}
