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
    guard let last = names.last else { throw .damaged(part: path, reason: "a data set expected") }
    var group = try root()
    for name in names.dropLast() { group = try group.group(name) }
    try unsafe group.dataSet(last).read(into: buffer)
  }
}
