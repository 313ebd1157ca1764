/// The checksum of zip and PNG: CRC-32 of IEEE 802.3, eight bytes at a time.
enum CRC32 {
  /// `tables[k][b]` is the checksum of byte `b` followed by `k` zero bytes, flat.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for b in 0..<256 {
      var value = UInt32(b)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
      tables[b] = value
    }
    for i in 256..<2048 {
      let before = tables[i - 256]
      tables[i] = before >> 8 ^ tables[Int(before & 0xFF)]
    }
    return tables
  }()

  /// The checksum of all the bytes.
  ///
  /// - Parameter earlier: the checksum of the bytes before these.
  static func of(_ bytes: [UInt8], after earlier: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe of($0, after: earlier) }
  }

  /// The checksum of all the bytes.
  ///
  /// - Parameter earlier: the checksum of the bytes before these.
  static func of(_ bytes: UnsafeRawBufferPointer, after earlier: UInt32 = 0) -> UInt32 {
    var crc = ~earlier
    // Unsafe for speed: bounds checks halve the pace, and every weight passes here.
    unsafe tables.withUnsafeBufferPointer { table in
      var i = 0
      while i + 8 <= bytes.count {
        let low = unsafe crc ^ bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self)
        let high = unsafe bytes.loadUnaligned(fromByteOffset: i + 4, as: UInt32.self)
        unsafe crc = table[1792 + Int(low & 0xFF)] ^ table[1536 + Int(low >> 8 & 0xFF)]
        unsafe crc ^= table[1280 + Int(low >> 16 & 0xFF)] ^ table[1024 + Int(low >> 24)]
        unsafe crc ^= table[768 + Int(high & 0xFF)] ^ table[512 + Int(high >> 8 & 0xFF)]
        unsafe crc ^= table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
        i += 8
      }
      while i < bytes.count {
        unsafe crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[i])]
        i += 1
      }
    }
    return ~crc
  }
}
