import AviaryFiles
import Crypto

extension InputFile {
  /// Opens a file of weights: `init(_:)` with this module's error.
  init(weights path: String) throws(CheckpointError) {
    do {
      try self.init(path)
    } catch {
      throw CheckpointError(error)
    }
  }

  /// The bytes from `offset`; `part` names them in the error if the file ends before.
  func read(at offset: Int, count: Int, part: String) throws(CheckpointError) -> [UInt8] {
    let bytes: [UInt8]
    do {
      bytes = try self.bytes(at: offset, count: count)
    } catch {
      throw CheckpointError(error)
    }
    guard bytes.count == count else {
      throw .truncated(path: path, part: part, expected: count, found: bytes.count)
    }
    return bytes
  }

  /// The SHA-256 of the whole file in hexadecimal.
  func sha256() throws(CheckpointError) -> String {
    var hash = SHA256()
    var offset = 0
    while offset < byteCount {
      let chunk = try read(at: offset, count: min(1 << 20, byteCount - offset), part: "the file")
      hash.update(data: chunk)
      offset += chunk.count
    }
    return hash.finalize().hexadecimal
  }
}

extension SHA256Digest {
  /// The digest in lowercase hexadecimal.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
