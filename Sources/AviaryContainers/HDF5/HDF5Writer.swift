import AviaryFiles
import AviaryHDF5
package import AviaryTensor
import CHDF5

/// An HDF5 file under construction, which appears under its name whole or not at all.
///
/// Tensors go to the disk one by one. The library writes through a channel that keeps the first
/// failure from it, as it recovers badly from a disk that fills up; `commit` reports that failure.
package struct HDF5Writer: ~Copyable {
  // Given back in this order: the library must let go of the descriptor before it is closed.
  private let file: HDF5Handle
  private let properties: HDF5Handle
  private let channel: HDF5Channel
  private let output: AtomicFile
  private let path: String

  /// A group or data set of the file, for attributes and members. It is of use as long as its
  /// writer.
  package struct Object: ~Copyable {
    fileprivate let handle: HDF5Handle
  }

  /// An empty file that will replace what is at `path`.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  package init(replacing path: String) throws(CheckpointError) {
    let output: AtomicFile
    do {
      output = try AtomicFile(replacing: path)
    } catch {
      throw CheckpointError(error)
    }
    let descriptor = output.descriptor
    let channel = try Self.naming(path) { () throws(HDF5Error) in try HDF5Channel(descriptor) }
    let access = try Self.naming(path) { () throws(HDF5Error) in try channel.access() }
    // The oldest superblock and group format that holds what we need (the library's default), so
    // that every reader can.
    let file = try Self.naming(path) { () throws(HDF5Error) in
      try HDF5Handle("the file") {
        unsafe H5Fcreate("aviary", chdf5_truncate(), chdf5_default(), access.id)
      }
    }
    let properties = try Self.naming(path) { () throws(HDF5Error) in try Self.creation() }
    self.file = file
    self.properties = properties
    self.channel = channel
    self.output = output
    self.path = path
  }

  /// Flushes the file and puts it under its name.
  ///
  /// - Parameter isTemporary: whether the file is gone soon and need not outlive a crash.
  /// - Throws: `CheckpointError.cannotWrite`; what was there before is then untouched.
  package consuming func commit(isTemporary: Bool = false) throws(CheckpointError) {
    // Everything that is still open in the file is closed with it; giving it back once more later
    // does nothing.
    try writing { () throws(HDF5Error) in
      _ = try HDF5.check("the file") { H5Fclose(file.id) }
    }
    do {
      try output.commit(isTemporary: isTemporary)
    } catch {
      throw CheckpointError(error)
    }
  }
}

// MARK: - Groups, texts, tensors

extension HDF5Writer {
  /// The group that holds everything.
  package func root() throws(CheckpointError) -> Object {
    try object("/") { () throws(HDF5Error) -> HDF5Handle in
      try HDF5Handle("/") { unsafe H5Gopen2(file.id, "/", chdf5_default()) }
    }
  }

  /// Makes a group.
  ///
  /// - Parameter name: one name, without `/`.
  package func group(_ name: String, in parent: borrowing Object) throws(CheckpointError) -> Object
  {
    try object(name) { () throws(HDF5Error) -> HDF5Handle in
      try HDF5Handle(name) {
        unsafe H5Gcreate2(
          parent.handle.id, name, chdf5_default(), chdf5_default(), chdf5_default())
      }
    }
  }

  /// Writes a data set of one string.
  package func text(
    _ name: String, _ text: String, in group: borrowing Object
  ) throws(CheckpointError) {
    let bytes = Self.padded(text, to: max(text.utf8.count, 1))
    try writing { () throws(HDF5Error) in
      let type = try Self.stringType(bytes.count, name)
      let space = try Self.space([], name)
      let dataSet = try create(name, type: type, space: space, in: group.handle)
      _ = try HDF5.check(name) {
        unsafe H5Dwrite(dataSet.id, type.id, chdf5_all(), chdf5_all(), chdf5_default(), bytes)
      }
    }
  }

  /// Writes a data set of a tensor's elements and gives it, for attributes. bfloat16 goes in as
  /// uint16, bool as uint8.
  package func tensor(
    _ name: String, _ tensor: Tensor, in group: borrowing Object
  ) throws(CheckpointError) -> Object {
    try object(name) { () throws(HDF5Error) -> HDF5Handle in
      let type = try HDF5Kind(tensor.elementType).handle(name)
      let space = try Self.space(tensor.shape, name)
      let dataSet = try create(name, type: type, space: space, in: group.handle)
      if tensor.count > 0 {
        try unsafe tensor.withUnsafeBytes { (bytes) throws(HDF5Error) in
          _ = try HDF5.check(name) {
            unsafe H5Dwrite(
              dataSet.id, type.id, chdf5_all(), chdf5_all(), chdf5_default(), bytes.baseAddress)
          }
        }
      }
      return dataSet
    }
  }
}

// MARK: - Attributes

extension HDF5Writer {
  /// Writes a scalar attribute of text.
  package func attribute(
    _ name: String, _ text: String, of object: borrowing Object
  ) throws(CheckpointError) {
    try attribute(name, of: object, strings: [text], shape: [])
  }

  /// Writes a scalar attribute of text of any length, of which HDF5 keeps no more than a reference
  /// in the object's header, where no more than 64 KiB have room.
  package func attribute(
    _ name: String, long text: String, of object: borrowing Object
  ) throws(CheckpointError) {
    // The library takes it as C does: up to a zero.
    let bytes = text.utf8.filter { $0 != 0 } + [0]
    try writing { () throws(HDF5Error) in
      let type = try HDF5Handle(name) { H5Tcopy(chdf5_string()) }
      _ = try HDF5.check(name) { H5Tset_size(type.id, chdf5_variable()) }
      _ = try HDF5.check(name) { H5Tset_cset(type.id, H5T_CSET_UTF8) }
      let space = try Self.space([], name)
      let attribute = try HDF5Handle(name) {
        unsafe H5Acreate2(
          object.handle.id, name, type.id, space.id, chdf5_default(), chdf5_default())
      }
      _ = try HDF5.check(name) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
          var start = bytes.baseAddress
          return unsafe H5Awrite(attribute.id, type.id, &start)
        }
      }
    }
  }

  /// Writes an attribute that is an array of texts, each padded to the longest. None at all are an
  /// array of no float64s, as Keras and h5py have it.
  package func attribute(
    _ name: String, strings: [String], of object: borrowing Object
  ) throws(CheckpointError) {
    if strings.isEmpty { return try attribute(name, floats: [], of: object) }
    try attribute(name, of: object, strings: strings, shape: [strings.count])
  }

  /// Writes a scalar attribute of 64 bits.
  package func attribute(
    _ name: String, _ value: Int, of object: borrowing Object
  ) throws(CheckpointError) {
    try writing { () throws(HDF5Error) in
      try Self.write(name, [Int64(value)], HDF5Kind.int64.handle(name), [], of: object.handle)
    }
  }

  /// Writes a scalar attribute of a float64.
  package func attribute(
    _ name: String, _ value: Double, of object: borrowing Object
  ) throws(CheckpointError) {
    try writing { () throws(HDF5Error) in
      try Self.write(name, [value], HDF5Kind.float64.handle(name), [], of: object.handle)
    }
  }

  /// Writes an attribute that is an array of float64s.
  package func attribute(
    _ name: String, floats: [Double], of object: borrowing Object
  ) throws(CheckpointError) {
    try writing { () throws(HDF5Error) in
      try Self.write(
        name, floats, HDF5Kind.float64.handle(name), [floats.count], of: object.handle)
    }
  }

  private func attribute(
    _ name: String, of object: borrowing Object, strings: [String], shape: [Int]
  ) throws(CheckpointError) {
    // HDF5 has no strings of length 0.
    let length = max(strings.map(\.utf8.count).max() ?? 0, 1)
    let bytes = strings.flatMap { Self.padded($0, to: length) }
    try writing { () throws(HDF5Error) in
      try Self.write(name, bytes, Self.stringType(length, name), shape, of: object.handle)
    }
  }

  private static func write<Element: BitwiseCopyable>(
    _ name: String, _ values: [Element], _ type: borrowing HDF5Handle, _ shape: [Int],
    of object: borrowing HDF5Handle
  ) throws(HDF5Error) {
    let space = try space(shape, name)
    let attribute = try HDF5Handle(name) {
      unsafe H5Acreate2(object.id, name, type.id, space.id, chdf5_default(), chdf5_default())
    }
    if values.isEmpty { return }
    _ = try HDF5.check(name) {
      unsafe values.withUnsafeBytes { unsafe H5Awrite(attribute.id, type.id, $0.baseAddress) }
    }
  }
}

// MARK: - Parts

extension HDF5Writer {
  private func object(
    _ name: String, _ make: () throws(HDF5Error) -> HDF5Handle
  ) throws(CheckpointError) -> Object {
    try requireDisk()
    do {
      return Object(handle: try make())
    } catch {
      throw failure(error)
    }
  }

  private func writing(_ body: () throws(HDF5Error) -> Void) throws(CheckpointError) {
    try requireDisk()
    do {
      try body()
    } catch {
      throw failure(error)
    }
    try requireDisk()
  }

  /// Throws what the system said of the first write that failed.
  private func requireDisk() throws(CheckpointError) {
    guard let number = channel.error else { return }
    throw .cannotWrite(path: path, reason: SystemReason.text(number))
  }

  /// The library's failure; the system's, if that came before it.
  private func failure(_ error: HDF5Error) -> CheckpointError {
    let reason = channel.error.map(SystemReason.text)
    return .cannotWrite(path: path, reason: reason ?? error.reason)
  }

  /// How data sets are made. No time stamps: the same content is the same bytes. No filling before
  /// the data comes.
  private static func creation() throws(HDF5Error) -> HDF5Handle {
    let properties = try HDF5Handle("the file") { H5Pcreate(chdf5_data_set_creation()) }
    _ = try HDF5.check("the file") { H5Pset_obj_track_times(properties.id, false) }
    _ = try HDF5.check("the file") { H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER) }
    return properties
  }

  /// Makes a part of the writer; its failure is one to write.
  private static func naming<Part: ~Copyable>(
    _ path: String, _ make: () throws(HDF5Error) -> Part
  ) throws(CheckpointError) -> Part {
    do {
      return try make()
    } catch {
      throw .cannotWrite(path: path, reason: error.reason)
    }
  }

  private func create(
    _ name: String, type: borrowing HDF5Handle, space: borrowing HDF5Handle,
    in group: borrowing HDF5Handle
  ) throws(HDF5Error) -> HDF5Handle {
    try HDF5Handle(name) {
      unsafe H5Dcreate2(
        group.id, name, type.id, space.id, chdf5_default(), properties.id, chdf5_default())
    }
  }

  private static func space(_ shape: [Int], _ name: String) throws(HDF5Error) -> HDF5Handle {
    let sizes = shape.map { hsize_t($0) }
    return try HDF5Handle(name) {
      sizes.isEmpty
        ? H5Screate(H5S_SCALAR) : unsafe H5Screate_simple(CInt(sizes.count), sizes, nil)
    }
  }

  /// UTF-8 of a fixed length: what every reader of HDF5 understands.
  private static func stringType(_ count: Int, _ name: String) throws(HDF5Error) -> HDF5Handle {
    let type = try HDF5Handle(name) { H5Tcopy(chdf5_string()) }
    _ = try HDF5.check(name) { H5Tset_size(type.id, count) }
    _ = try HDF5.check(name) { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    _ = try HDF5.check(name) { H5Tset_strpad(type.id, H5T_STR_NULLPAD) }
    return type
  }

  private static func padded(_ text: String, to count: Int) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: count - text.utf8.count)
  }
}
