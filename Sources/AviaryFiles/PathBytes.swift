import Glibc
package import SystemPackage

/// Paths as text, byte for byte.
///
/// A name on Linux is bytes, and need not be UTF-8. Bytes that are not stand in the text as
/// characters of the last private-use plane, so that the text leads back to the same bytes; a name
/// that has those characters itself has them replaced in the same way.
extension String {
  /// The text of a path's bytes.
  package init(pathBytes bytes: [UInt8]) {
    if let text = String(validating: bytes, as: UTF8.self),
      !text.unicodeScalars.contains(where: { $0.pathByte != nil })
    {
      self = text
      return
    }
    var scalars = String.UnicodeScalarView()
    var position = 0
    while position < bytes.count {
      let rest = bytes[position...]
      // A character of UTF-8 has one byte to four; no shorter beginning of it is one itself.
      let character = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }
        .first
      if let scalar = character?.unicodeScalars.first, scalar.pathByte == nil {
        scalars.append(scalar)
        position += UTF8.width(scalar)
      } else {
        scalars.append(Unicode.Scalar(pathByte: bytes[position]))
        position += 1
      }
    }
    self = String(scalars)
  }

  /// The bytes of the path that this text stands for.
  package var pathBytes: [UInt8] {
    guard unicodeScalars.contains(where: { $0.pathByte != nil }) else { return Array(utf8) }
    return unicodeScalars.flatMap { scalar in
      scalar.pathByte.map { [$0] } ?? Array(String(scalar).utf8)
    }
  }

  /// Calls `body` with the path as the system's calls take it.
  package func withPath<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    unsafe (pathBytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else {
        preconditionFailure("a buffer of at least a NUL")
      }
      return unsafe body(start)
    }
  }
}

extension FilePath {
  /// The path that a text stands for, byte for byte.
  package init(text: String) {
    self = unsafe FilePath(
      platformString: text.pathBytes.map { CInterop.PlatformChar(bitPattern: $0) } + [0])
  }
}

extension Unicode.Scalar {
  /// The first of the characters that stand for bytes: that of 0x80.
  private static let firstOfBytes: UInt32 = 0x10_FF80

  /// What stands for a byte that is no UTF-8: any from 0x80 on.
  fileprivate init(pathByte: UInt8) {
    let value = Unicode.Scalar.firstOfBytes + UInt32(pathByte & 0x7F)
    // Below 0x80 every byte is a character of its own.
    self = Unicode.Scalar(value) ?? "\u{FFFD}"
  }

  /// The byte that this character stands for in a path; nil for any other character.
  package var pathByte: UInt8? {
    value >= Unicode.Scalar.firstOfBytes
      ? UInt8(truncatingIfNeeded: value & 0x7F) | 0x80 : nil
  }
}
