import CZlib

/// The checksum of zip and PNG: CRC-32 of IEEE 802.3, by zlib, which uses the processor's own
/// instructions for it.
package enum CRC32 {
  /// The checksum of all the bytes.
  ///
  /// - Parameter earlier: the checksum of the bytes before these.
  package static func of(_ bytes: [UInt8], after earlier: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe of($0, after: earlier) }
  }

  /// The checksum of all the bytes.
  ///
  /// - Parameter earlier: the checksum of the bytes before these.
  package static func of(_ bytes: UnsafeRawBufferPointer, after earlier: UInt32 = 0) -> UInt32 {
    guard let start = bytes.baseAddress else { return earlier }
    let checksum = unsafe crc32_z(
      UInt(earlier), start.assumingMemoryBound(to: UInt8.self), bytes.count)
    return UInt32(truncatingIfNeeded: checksum)
  }
}
