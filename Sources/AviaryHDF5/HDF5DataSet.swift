import CHDF5

/// A data set of an HDF5 file. Opening reads its description, not its elements.
struct HDF5DataSet: ~Copyable {
  let handle: HDF5Handle
  /// Where the data set is in the file.
  let name: String
  /// The dimensions; empty for a scalar.
  let shape: [Int]
  let kind: HDF5Kind
  /// The bytes that the elements take in the file.
  let storedByteCount: Int
  /// Whether the elements are compressed or otherwise changed by a filter.
  let isFiltered: Bool
  private let type: HDF5Handle

  init(_ handle: consuming HDF5Handle, name: String) throws(HDF5Error) {
    let id = handle.id
    let type = try HDF5Handle(name) { H5Dget_type(id) }
    let space = try HDF5Handle(name) { H5Dget_space(id) }
    let shape = try Self.shape(of: space, name: name)
    let kind = try HDF5Kind(of: type, part: name)
    var stored: hsize_t = 0
    _ = try HDF5.check(name) { () -> herr_t in
      stored = H5Dget_storage_size(id)
      return 0
    }
    let properties = try HDF5Handle(name) { H5Dget_create_plist(id) }
    isFiltered = try Self.refuseTricks(properties, name) > 0
    self.storedByteCount = Int(clamping: stored)
    self.handle = handle
    self.type = type
    self.kind = kind
    self.shape = shape
    self.name = name
  }

  private static func shape(
    of space: borrowing HDF5Handle, name: String
  ) throws(HDF5Error) -> [Int] {
    // A null space has no element at all, where a scalar has one.
    if H5Sget_simple_extent_type(space.id) == H5S_NULL { return [0] }
    let rank = Int(try HDF5.check(name) { H5Sget_simple_extent_ndims(space.id) })
    var sizes = [hsize_t](repeating: 0, count: rank)
    if rank > 0 {
      _ = try HDF5.check(name) { unsafe H5Sget_simple_extent_dims(space.id, &sizes, nil) }
    }
    return sizes.map { Int(clamping: $0) }
  }

  /// Throws for what a file of weights does not need and an attack may use: elements in other
  /// files, and filters that would be loaded as code. Gives the number of filters.
  private static func refuseTricks(
    _ properties: borrowing HDF5Handle, _ name: String
  ) throws(HDF5Error) -> Int {
    let layout = H5Pget_layout(properties.id)
    guard layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED else {
      throw .unsupported(what: "\(name): a data set of another layout")
    }
    guard H5Pget_external_count(properties.id) == 0 else {
      throw .unsupported(what: "\(name): a data set kept in other files")
    }
    let filters = Int(try HDF5.check(name) { H5Pget_nfilters(properties.id) })
    for i in 0..<filters {
      let filter = H5Pget_filter2(properties.id, UInt32(i), nil, nil, nil, 0, nil, nil)
      guard [H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, H5Z_FILTER_FLETCHER32].contains(filter) else {
        throw .unsupported(what: "\(name): filter \(filter) (deflate and shuffle are)")
      }
    }
    return filters
  }

  /// Where the elements begin in the file; nil if they lie in chunks or nowhere.
  var offset: Int? {
    var offset: haddr_t = .max
    _ = try? HDF5.check(name) { () -> herr_t in
      offset = H5Dget_offset(handle.id)
      return 0
    }
    return offset == .max ? nil : Int(exactly: offset)
  }

  /// Whether the elements are bytes of which HDF5 knows the number only.
  private var isOpaque: Bool { H5Tget_class(type.id) == H5T_OPAQUE }

  /// Whether the elements, where they lie in one piece, are in the file as they are in memory.
  func isPlain() throws(HDF5Error) -> Bool {
    guard kind.byteCount > 0, !isFiltered else { return false }
    if isOpaque { return true }
    let plain = try kind.handle(name)
    return try HDF5.check(name) { H5Tequal(type.id, plain.id) } > 0
  }

  /// Fills `buffer` with the elements, which are numbers, little-endian.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(HDF5Error) {
    let byteCount = try require(shape, kind.byteCount)
    guard kind.byteCount > 0, byteCount == buffer.count else {
      throw .damaged(
        part: name, reason: "expected \(buffer.count) bytes of numbers, found \(byteCount)")
    }
    try requireChunks(elementSize: kind.byteCount)
    if byteCount == 0 { return }
    // The library converts between opaque types only.
    let memory = isOpaque ? try HDF5Handle(name) { H5Tcopy(type.id) } : try kind.handle(name)
    _ = try HDF5.check(name) {
      unsafe H5Dread(
        handle.id, memory.id, chdf5_all(), chdf5_all(), chdf5_default(), buffer.baseAddress)
    }
  }

  /// The text of a data set of one string; nil for any other.
  func text() throws(HDF5Error) -> String? {
    guard kind == .text, shape.allSatisfy({ $0 == 1 }) else { return nil }
    let size = H5Tget_size(type.id)
    _ = try require(shape, size)
    try requireChunks(elementSize: size)
    guard size <= HDF5Limits.text else {
      throw .tooLarge(part: "\(name), bytes", limit: HDF5Limits.text, found: size)
    }
    return try unsafe HDF5Strings.read(type: type, count: 1, part: name) { type, buffer in
      unsafe H5Dread(handle.id, type, chdf5_all(), chdf5_all(), chdf5_default(), buffer)
    }.first
  }

  private func requireChunks(elementSize: Int) throws(HDF5Error) {
    let properties = try HDF5Handle(name) { H5Dget_create_plist(handle.id) }
    guard H5Pget_layout(properties.id) == H5D_CHUNKED else { return }
    var chunk = [hsize_t](repeating: 0, count: 32)
    let rank = Int(try HDF5.check(name) { unsafe H5Pget_chunk(properties.id, 32, &chunk) })
    _ = try require(chunk.prefix(rank).map { Int(clamping: $0) }, elementSize)
  }

  /// Gives the bytes of so many elements, or throws if the file cannot hold them.
  private func require(_ shape: [Int], _ elementSize: Int) throws(HDF5Error) -> Int {
    try HDF5Limits.byteCount(
      shape, elementSize, stored: storedByteCount, isFiltered: isFiltered, part: name)
  }
}
