import CHDF5
import CHDF5Driver

/// A range of an open descriptor as the library's file, which reads and writes through it and opens
/// nothing itself. The descriptor stays its owner's to close, after this went out of scope.
///
/// `@unchecked Sendable`: what the pointer leads to is touched under the library's lock alone, but
/// for making and releasing it, which happen once.
@safe package struct HDF5Channel: ~Copyable, @unchecked Sendable {
  private let channel: OpaquePointer

  /// For reading, the file is `byteCount` bytes from `start`; for writing both are 0.
  package init(_ descriptor: CInt, start: Int = 0, byteCount: Int = 0) throws(HDF5Error) {
    guard
      let channel = unsafe chdf5_channel_make(
        descriptor, UInt64(clamping: start), UInt64(clamping: byteCount))
    else { throw .damaged(part: "the file", reason: "no memory") }
    unsafe self.channel = channel
  }

  deinit { unsafe chdf5_channel_release(channel) }

  /// The value of `errno` of the first read or write that failed; nil if none did. The library is
  /// told that all went well.
  package var error: CInt? {
    let error = try? HDF5.check("the file") { unsafe chdf5_channel_error(channel) }
    return error == 0 ? nil : error
  }

  /// A property list of file access by this channel.
  package func access() throws(HDF5Error) -> HDF5Handle {
    let access = try HDF5Handle("the file") { H5Pcreate(chdf5_file_access()) }
    _ = try HDF5.check("the file") { unsafe chdf5_channel_use(channel, access.id) }
    // What is still open in a file is closed with it.
    _ = try HDF5.check("the file") { H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) }
    return access
  }
}
