import AviaryTensor
import CHDF5

/// An HDF5 file under construction in memory.
///
/// In memory because the library recovers badly from a disk that fills up while it writes: it keeps
/// the half-written file open and tries again when the process ends. The finished bytes go to disk
/// by our own hand, which can fail cleanly.
struct HDF5Writer: ~Copyable {
  private let file: HDF5Handle
  private let properties: HDF5Handle
  private let path: String

  /// An empty file; `path` is for messages only.
  init(for path: String) throws(CheckpointError) {
    let access = try HDF5Handle("the file", in: path) { H5Pcreate(chdf5_file_access()) }
    _ = try HDF5.check("the file", in: path) { H5Pset_fapl_core(access.id, 1 << 20, false) }
    // Two files in memory must not have the same name at a time.
    let name = "aviary-" + String(UInt64.random(in: .min ... .max), radix: 36)
    // The oldest superblock and group format that holds what we need (the library's default), so
    // that every reader can.
    let file = try HDF5Handle("the file", in: path) {
      unsafe H5Fcreate(name, chdf5_truncate(), chdf5_default(), access.id)
    }
    let properties = try HDF5Handle("the file", in: path) { H5Pcreate(chdf5_data_set_creation()) }
    // No time stamps: the same checkpoint is the same bytes. No filling before the data comes.
    _ = try HDF5.check("the file", in: path) { H5Pset_obj_track_times(properties.id, false) }
    _ = try HDF5.check("the file", in: path) {
      H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER)
    }
    self.file = file
    self.properties = properties
    self.path = path
  }

  /// The group that holds everything.
  func root() throws(CheckpointError) -> HDF5Handle {
    try HDF5Handle("/", in: path) { [id = file.id] in
      unsafe H5Gopen2(id, "/", chdf5_default())
    }
  }

  /// Makes a group.
  func group(_ name: String, in parent: borrowing HDF5Handle) throws(CheckpointError) -> HDF5Handle
  {
    try HDF5Handle(name, in: path) {
      unsafe H5Gcreate2(parent.id, name, chdf5_default(), chdf5_default(), chdf5_default())
    }
  }

  /// Writes a scalar attribute of text.
  func attribute(
    _ name: String, _ text: String, of object: borrowing HDF5Handle
  ) throws(CheckpointError) {
    let bytes = padded(text)
    let type = try stringType(bytes.count, name)
    let space = try scalar(name)
    let attribute = try HDF5Handle(name, in: path) {
      unsafe H5Acreate2(object.id, name, type.id, space.id, chdf5_default(), chdf5_default())
    }
    _ = try HDF5.check(name, in: path) { unsafe H5Awrite(attribute.id, type.id, bytes) }
  }

  /// Writes a scalar attribute of 64 bits.
  func attribute(
    _ name: String, _ value: Int, of object: borrowing HDF5Handle
  ) throws(CheckpointError) {
    let space = try scalar(name)
    let attribute = try HDF5Handle(name, in: path) {
      unsafe H5Acreate2(
        object.id, name, chdf5_int64(), space.id, chdf5_default(), chdf5_default())
    }
    var value = Int64(value)
    _ = try HDF5.check(name, in: path) { unsafe H5Awrite(attribute.id, chdf5_int64(), &value) }
  }

  /// Writes a data set of one string.
  func text(_ name: String, _ text: String, in group: borrowing HDF5Handle) throws(CheckpointError)
  {
    let bytes = padded(text)
    let type = try stringType(bytes.count, name)
    let space = try scalar(name)
    let dataSet = try create(name, type: type, space: space, in: group)
    _ = try HDF5.check(name, in: path) {
      unsafe H5Dwrite(dataSet.id, type.id, chdf5_all(), chdf5_all(), chdf5_default(), bytes)
    }
  }

  /// Writes a data set of a tensor's elements and gives it, for attributes.
  func tensor(
    _ name: String, _ tensor: Tensor, in group: borrowing HDF5Handle
  ) throws(CheckpointError) -> HDF5Handle {
    let type = try HDF5Type.handle(of: tensor.elementType, name: name, path: path)
    let sizes = tensor.shape.map { hsize_t($0) }
    let space = try HDF5Handle(name, in: path) {
      sizes.isEmpty
        ? H5Screate(H5S_SCALAR) : unsafe H5Screate_simple(CInt(sizes.count), sizes, nil)
    }
    let dataSet = try create(name, type: type, space: space, in: group)
    if tensor.count > 0 {
      try unsafe tensor.withUnsafeBytes { (bytes) throws(CheckpointError) in
        _ = try HDF5.check(name, in: path) {
          unsafe H5Dwrite(
            dataSet.id, type.id, chdf5_all(), chdf5_all(), chdf5_default(), bytes.baseAddress)
        }
      }
    }
    return dataSet
  }

  /// The bytes of the file.
  consuming func image() throws(CheckpointError) -> [UInt8] {
    _ = try HDF5.check("the file", in: path) { H5Fflush(file.id, H5F_SCOPE_LOCAL) }
    let count = try HDF5.check("the file", in: path) { H5Fget_file_image(file.id, nil, 0) }
    var bytes = [UInt8](repeating: 0, count: count)
    _ = try HDF5.check("the file", in: path) {
      unsafe H5Fget_file_image(file.id, &bytes, count)
    }
    return bytes
  }

  private func create(
    _ name: String, type: borrowing HDF5Handle, space: borrowing HDF5Handle,
    in group: borrowing HDF5Handle
  ) throws(CheckpointError) -> HDF5Handle {
    try HDF5Handle(name, in: path) {
      unsafe H5Dcreate2(
        group.id, name, type.id, space.id, chdf5_default(), properties.id, chdf5_default())
    }
  }

  private func scalar(_ part: String) throws(CheckpointError) -> HDF5Handle {
    try HDF5Handle(part, in: path) { H5Screate(H5S_SCALAR) }
  }

  /// UTF-8 of a fixed length: what every reader of HDF5 understands.
  private func stringType(_ count: Int, _ part: String) throws(CheckpointError) -> HDF5Handle {
    let type = try HDF5Handle(part, in: path) { H5Tcopy(chdf5_string()) }
    _ = try HDF5.check(part, in: path) { H5Tset_size(type.id, count) }
    _ = try HDF5.check(part, in: path) { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    _ = try HDF5.check(part, in: path) { H5Tset_strpad(type.id, H5T_STR_NULLPAD) }
    return type
  }

  /// The text's bytes; one zero for the empty text, as HDF5 has no strings of length 0.
  private func padded(_ text: String) -> [UInt8] { text.isEmpty ? [0] : Array(text.utf8) }
}
