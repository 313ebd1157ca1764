import AviaryTensor
import CHDF5

/// A data set of an HDF5 file. Opening reads its description, not its elements.
struct HDF5DataSet: ~Copyable {
  let handle: HDF5Handle
  /// Where the data set is in the file, for messages.
  let name: String
  let path: String
  /// The dimensions; empty for a scalar.
  let shape: [Int]
  /// The bytes that the elements take in the file.
  let storedByteCount: Int
  private let type: HDF5Handle

  init(_ handle: consuming HDF5Handle, name: String, path: String) throws(CheckpointError) {
    let id = handle.id
    let type = try HDF5Handle(name, in: path) { H5Dget_type(id) }
    let space = try HDF5Handle(name, in: path) { H5Dget_space(id) }
    let shape = try Self.shape(of: space, name: name, path: path)
    var stored: hsize_t = 0
    _ = try HDF5.check(name, in: path) { () -> herr_t in
      stored = H5Dget_storage_size(id)
      return 0
    }
    self.storedByteCount = Int(clamping: stored)
    self.handle = handle
    self.type = type
    self.shape = shape
    self.name = name
    self.path = path
  }

  private static func shape(
    of space: borrowing HDF5Handle, name: String, path: String
  ) throws(CheckpointError) -> [Int] {
    let rank = Int(
      try HDF5.check(name, in: path) { H5Sget_simple_extent_ndims(space.id) })
    var sizes = [hsize_t](repeating: 0, count: rank)
    if rank > 0 {
      _ = try HDF5.check(name, in: path) {
        unsafe H5Sget_simple_extent_dims(space.id, &sizes, nil)
      }
    }
    return sizes.map { Int(clamping: $0) }
  }

  /// An attribute of the data set; nil where there is none.
  func attribute(_ attribute: String) throws(CheckpointError) -> HDF5Attribute? {
    try HDF5Attribute.read(attribute, of: handle, part: name, path: path)
  }

  /// Where the elements begin in the file; nil if they lie in chunks or nowhere.
  var offset: Int? {
    var offset: haddr_t = .max
    _ = try? HDF5.check(name, in: path) { () -> herr_t in
      offset = H5Dget_offset(handle.id)
      return 0
    }
    return offset == .max ? nil : Int(exactly: offset)
  }

  /// The elements' type.
  func elementType() throws(CheckpointError) -> ElementType {
    try HDF5Type.elementType(of: type, name: name, path: path)
  }

  /// The elements.
  func tensor() throws(CheckpointError) -> Tensor {
    let elementType = try elementType()
    try refuseTricks(elementSize: elementType.byteCount)
    let memory = try HDF5Type.handle(of: elementType, name: name, path: path)
    var tensor: Tensor
    do {
      tensor = try Tensor(zeros: shape, elementType: elementType)
    } catch {
      throw .damaged(path: path, part: name, reason: error.description)
    }
    if tensor.count == 0 { return tensor }
    try unsafe tensor.withUnsafeMutableBytes { (bytes) throws(CheckpointError) in
      _ = try HDF5.check(name, in: path) {
        unsafe H5Dread(
          handle.id, memory.id, chdf5_all(), chdf5_all(), chdf5_default(), bytes.baseAddress)
      }
    }
    return tensor
  }

  /// The data set as one string.
  func string() throws(CheckpointError) -> String {
    guard H5Tget_class(type.id) == H5T_STRING else {
      throw .damaged(path: path, part: name, reason: "text expected, numbers found")
    }
    guard shape.allSatisfy({ $0 == 1 }) else {
      throw .damaged(path: path, part: name, reason: "one string expected, shape \(shape) found")
    }
    try refuseTricks(elementSize: H5Tget_size(type.id))
    let strings = try unsafe HDF5Strings.read(type: type, count: 1, part: name, path: path) {
      type, buffer in
      unsafe H5Dread(handle.id, type, chdf5_all(), chdf5_all(), chdf5_default(), buffer)
    }
    return strings[0]
  }

  /// Throws for what a file of weights does not need and an attack may use: elements in other
  /// files, filters that would be loaded as code, and sizes that the file cannot hold.
  private func refuseTricks(elementSize: Int) throws(CheckpointError) {
    let properties = try HDF5Handle(name, in: path) { H5Dget_create_plist(handle.id) }
    let layout = H5Pget_layout(properties.id)
    guard layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED else {
      throw .unsupported(path: path, what: "\(name): a data set of another layout")
    }
    guard H5Pget_external_count(properties.id) == 0 else {
      throw .unsupported(path: path, what: "\(name): a data set kept in other files")
    }
    let filters = Int(
      try HDF5.check(name, in: path) { H5Pget_nfilters(properties.id) })
    for i in 0..<filters {
      let filter = H5Pget_filter2(properties.id, UInt32(i), nil, nil, nil, 0, nil, nil)
      guard [H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, H5Z_FILTER_FLETCHER32].contains(filter) else {
        throw .unsupported(path: path, what: "\(name): filter \(filter) (deflate and shuffle are)")
      }
    }
    // Deflate makes at most 1032 bytes of one; elements that were never written count as zeros,
    // which is no reason to hold more than a little memory.
    let (most, overflow) = storedByteCount.multipliedReportingOverflow(by: filters == 0 ? 1 : 1032)
    let limit = min(overflow ? .max : most, 1 << 33) + 1 << 20
    try require(shape, elementSize, atMost: limit)
    if layout == H5D_CHUNKED {
      var chunk = [hsize_t](repeating: 0, count: 32)
      let rank = Int(
        try HDF5.check(name, in: path) { unsafe H5Pget_chunk(properties.id, 32, &chunk) })
      try require(chunk.prefix(rank).map { Int(clamping: $0) }, elementSize, atMost: limit)
    }
  }

  private func require(_ shape: [Int], _ elementSize: Int, atMost limit: Int)
    throws(CheckpointError)
  {
    let bytes = shape.reduce(elementSize) { bytes, dimension in
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(dimension, 1))
      return overflow ? .max : product
    }
    guard bytes <= limit else {
      throw .tooLarge(
        path: path, part: "\(name), shape \(shape), bytes", limit: limit, found: bytes)
    }
  }
}
