import CHDF5

/// A group of an HDF5 file: a folder of data sets and further groups, with attributes.
///
/// Only hard links are followed. Soft and external links, which may lead in circles or into other
/// files of the machine, are refused.
struct HDF5Group: ~Copyable {
  let handle: HDF5Handle
  /// Where the group is in the file, for messages.
  let name: String

  init(_ handle: consuming HDF5Handle, name: String) {
    self.handle = handle
    self.name = name
  }

  /// What a member of a group is.
  enum Member: ~Copyable {
    case group(HDF5Group)
    case dataSet(HDF5DataSet)
  }

  /// The names of all members, sorted by their bytes.
  func memberNames() throws(HDF5Error) -> [String] {
    try unsafe HDF5Names.collect(in: name) { names in
      unsafe chdf5_iterate(
        handle.id, { _, name, _, names in unsafe HDF5Names.add(name, to: names) }, names)
    }
  }

  /// A member of the group.
  func member(_ member: String) throws(HDF5Error) -> Member {
    let part = name == "/" ? "/" + member : name + "/" + member
    var link = H5L_TYPE_ERROR
    _ = try HDF5.check(part) { unsafe chdf5_link_kind(handle.id, member, &link) }
    guard link == H5L_TYPE_HARD else {
      let kind = link == H5L_TYPE_SOFT ? "soft" : "external"
      throw .unsupported(what: "\(part): a link of the \(kind) kind")
    }
    let object = try HDF5Handle(part) { unsafe H5Oopen(handle.id, member, chdf5_default()) }
    switch H5Iget_type(object.id) {
    case H5I_GROUP: return .group(HDF5Group(object, name: part))
    case H5I_DATASET: return .dataSet(try HDF5DataSet(object, name: part))
    default: throw .unsupported(what: "\(part): neither group nor data set, which")
    }
  }

  /// A group in this group.
  func group(_ name: String) throws(HDF5Error) -> HDF5Group {
    switch try member(name) {
    case .group(let group): return group
    case .dataSet(let dataSet):
      throw .damaged(part: dataSet.name, reason: "a group expected, a data set found")
    }
  }

  /// A data set in this group.
  func dataSet(_ name: String) throws(HDF5Error) -> HDF5DataSet {
    switch try member(name) {
    case .dataSet(let dataSet): return dataSet
    case .group(let group):
      throw .damaged(part: group.name, reason: "a data set expected, a group found")
    }
  }
}
