import CHDF5

/// An HDF5 file open for reading, which someone may have damaged or forged. Links that lead out of
/// it are refused, and nothing but its descriptor is read.
package struct HDF5File: ~Copyable, Sendable {
  private let handle: HDF5Handle
  private let channel: HDF5Channel
  private let byteCount: Int

  /// Opens `byteCount` bytes from `start` of an open descriptor, which must stay open as long.
  package init(_ descriptor: CInt, start: Int, byteCount: Int) throws(HDF5Error) {
    let channel = try HDF5Channel(descriptor, start: start, byteCount: byteCount)
    let access = try channel.access()
    handle = try HDF5Handle("the file") {
      unsafe H5Fopen("aviary", chdf5_read_only(), access.id)
    }
    self.channel = channel
    self.byteCount = byteCount
  }

  /// The group that holds everything.
  private func root() throws(HDF5Error) -> HDF5Group {
    let root = try HDF5Handle("the root group") { [id = handle.id] in
      unsafe H5Gopen2(id, "/", chdf5_default())
    }
    return HDF5Group(root, name: "/")
  }

  /// All that the file says, as the answer that `HDF5Answer` describes.
  package func answer() throws(HDF5Error) -> [UInt8] {
    var walk = HDF5Walk(byteCount: byteCount)
    try walk.group(try root(), depth: 0)
    return walk.answer.bytes
  }

  /// Fills `buffer` with the elements of a data set of numbers, little-endian.
  ///
  /// - Parameter path: the names that lead to it, from `/`.
  package func read(_ path: String, into buffer: UnsafeMutableRawBufferPointer) throws(HDF5Error) {
    let names = path.split(separator: "/").map(String.init)
    guard let last = names.last else { throw .damaged(part: path, reason: "expected a data set") }
    var group = try root()
    for name in names.dropLast() { group = try group.group(name) }
    try unsafe group.dataSet(last).read(into: buffer)
  }
}

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
      throw .damaged(part: dataSet.name, reason: "expected a group, found a data set")
    }
  }

  /// A data set in this group.
  func dataSet(_ name: String) throws(HDF5Error) -> HDF5DataSet {
    switch try member(name) {
    case .dataSet(let dataSet): return dataSet
    case .group(let group):
      throw .damaged(part: group.name, reason: "expected a data set, found a group")
    }
  }
}

/// Gathers the names that an iteration of the library visits.
struct HDF5Names {
  private var names: [String] = []
  private var hasOther = false

  /// Runs an iteration; its callback hands each name and the context on to `add`.
  static func collect(
    in part: String, _ iterate: (UnsafeMutableRawPointer) -> herr_t
  ) throws(HDF5Error) -> [String] {
    var found = HDF5Names()
    _ = try HDF5.check(part) {
      unsafe withUnsafeMutablePointer(to: &found) { unsafe iterate(UnsafeMutableRawPointer($0)) }
    }
    // Such a name could not be asked for later: it would be another one.
    guard !found.hasOther else { throw .unsupported(what: "\(part): a name that is not UTF-8") }
    return found.names
  }

  /// Adds a name; the value is what tells the library to go on.
  static func add(_ name: UnsafePointer<CChar>?, to context: UnsafeMutableRawPointer?) -> herr_t {
    guard let name = unsafe name,
      let found = unsafe context?.assumingMemoryBound(to: HDF5Names.self)
    else { return -1 }
    if let name = unsafe String(validatingCString: name) {
      unsafe found.pointee.names.append(name)
    } else {
      unsafe found.pointee.hasOther = true
    }
    return 0
  }
}
