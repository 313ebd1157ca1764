import CHDF5

/// A group of an HDF5 file: a folder of data sets and further groups, with attributes.
///
/// Only hard links are followed. Soft and external links, which may lead in circles or into other
/// files of the machine, are refused.
struct HDF5Group: ~Copyable {
  let handle: HDF5Handle
  /// Where the group is in the file, for messages.
  let name: String
  let path: String

  init(_ handle: consuming HDF5Handle, name: String, path: String) {
    self.handle = handle
    self.name = name
    self.path = path
  }

  /// What a member of a group is.
  enum Member { case group, dataSet }

  /// The names of all members, sorted by their bytes.
  func memberNames() throws(CheckpointError) -> [String] {
    var names: [String] = []
    _ = try HDF5.check(name, in: path) {
      unsafe withUnsafeMutablePointer(to: &names) { names in
        unsafe chdf5_iterate(
          handle.id,
          { _, name, _, context in
            guard let name = unsafe name,
              let names = unsafe context?.assumingMemoryBound(to: [String].self)
            else { return -1 }
            unsafe names.pointee.append(String(cString: name))
            return 0
          }, names)
      }
    }
    return names
  }

  /// Whether there is a member of that name, which may be a path of several names.
  func contains(_ member: String) throws(CheckpointError) -> Bool {
    var prefix = ""
    for part in member.split(separator: "/") {
      prefix += prefix.isEmpty ? part : "/" + part
      // H5Lexists answers only for the last name of a path, and fails if an earlier one is absent.
      let exists = try HDF5.check(`where`(member), in: path) {
        unsafe H5Lexists(handle.id, prefix, chdf5_default())
      }
      if exists == 0 { return false }
    }
    return !prefix.isEmpty
  }

  /// What a member is.
  func kind(of member: String) throws(CheckpointError) -> Member {
    let object = try open(member)
    return try kind(of: object, member)
  }

  /// A group in this group.
  func group(_ member: String) throws(CheckpointError) -> HDF5Group {
    let object = try open(member)
    guard try kind(of: object, member) == .group else {
      throw .damaged(
        path: path, part: `where`(member), reason: "a group expected, a data set found")
    }
    return HDF5Group(object, name: `where`(member), path: path)
  }

  /// A data set in this group.
  func dataSet(_ member: String) throws(CheckpointError) -> HDF5DataSet {
    let object = try open(member)
    guard try kind(of: object, member) == .dataSet else {
      throw .damaged(
        path: path, part: `where`(member), reason: "a data set expected, a group found")
    }
    return try HDF5DataSet(object, name: `where`(member), path: path)
  }

  /// Whether the group has an attribute of that name, of whatever kind.
  func hasAttribute(_ attribute: String) throws(CheckpointError) -> Bool {
    try HDF5.check(name, in: path) { unsafe H5Aexists(handle.id, attribute) } > 0
  }

  /// An attribute of the group; nil where there is none.
  func attribute(_ attribute: String) throws(CheckpointError) -> HDF5Attribute? {
    try HDF5Attribute.read(attribute, of: handle, part: name, path: path)
  }

  private func open(_ member: String) throws(CheckpointError) -> HDF5Handle {
    let part = `where`(member)
    var prefix = ""
    for component in member.split(separator: "/") {
      prefix += prefix.isEmpty ? component : "/" + component
      var link = H5L_TYPE_ERROR
      _ = try HDF5.check(part, in: path) {
        unsafe chdf5_link_kind(handle.id, prefix, &link)
      }
      guard link == H5L_TYPE_HARD else {
        let kind = link == H5L_TYPE_SOFT ? "soft" : "external"
        throw .unsupported(path: path, what: "\(part): a link of the \(kind) kind")
      }
    }
    return try HDF5Handle(part, in: path) {
      unsafe H5Oopen(handle.id, member, chdf5_default())
    }
  }

  private func kind(of object: borrowing HDF5Handle, _ member: String) throws(CheckpointError)
    -> Member
  {
    switch H5Iget_type(object.id) {
    case H5I_GROUP: return .group
    case H5I_DATASET: return .dataSet
    default:
      throw .unsupported(path: path, what: "\(`where`(member)): neither group nor data set, which")
    }
  }

  private func `where`(_ member: String) -> String {
    name == "/" ? "/" + member : name + "/" + member
  }
}
