/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4), which zlib
/// does not have.
package enum CRC32C {
  /// The remainder for each byte value.
  private static let table: [UInt32] = (0..<256).map { byte in
    // The bit-reversed polynomial.
    (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
  }

  /// The checksum of some bytes.
  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }

  /// The checksum as stored in TFRecord files and TensorFlow's checkpoints: rotated and offset,
  /// because a CRC of data that contains CRCs would be weak.
  package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let value = checksum(bytes)
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }
}
