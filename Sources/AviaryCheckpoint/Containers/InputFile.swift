import Crypto
import Glibc

/// A regular file open for reading at any position; closed when it goes out of scope.
///
/// Reading is by `pread`, not by mapping: a file that another process truncates meanwhile gives an
/// error here, where a mapping would end the process with a signal.
package struct InputFile: ~Copyable {
  /// The path as the caller named it, for messages.
  package let path: String
  /// The size when the file was opened.
  package let byteCount: Int
  private let descriptor: CInt

  /// Opens a file.
  ///
  /// - Throws: `CheckpointError.cannotRead`, also for what is no regular file.
  package init(_ path: String) throws(CheckpointError) {
    // O_NONBLOCK: opening a named pipe would otherwise wait for someone to write to it.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: systemError()) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let reason = systemError()
      close(descriptor)
      throw .cannotRead(path: path, reason: reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .cannotRead(path: path, reason: isFolder ? "it is a folder" : "it is not a file")
    }
    self.path = path
    self.descriptor = descriptor
    byteCount = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// The bytes from `offset`; `part` names them in the error if the file ends before.
  package func read(at offset: Int, count: Int, part: String) throws(CheckpointError) -> [UInt8] {
    // Checked against the file before any memory is taken.
    guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else {
      let found = offset < 0 || offset > byteCount ? 0 : byteCount - offset
      throw .truncated(path: path, part: part, expected: count, found: found)
    }
    var bytes = [UInt8](repeating: 0, count: count)
    let filled = try unsafe bytes.withUnsafeMutableBufferPointer {
      (buffer) throws(CheckpointError) -> Int in
      try unsafe fill(UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
    guard filled == count else {
      throw .truncated(path: path, part: part, expected: count, found: filled)
    }
    return bytes
  }

  /// Fills `buffer` from `offset`, less only where the file ends; gives the bytes read.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(CheckpointError)
    -> Int
  {
    var done = 0
    while done < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotRead(path: path, reason: systemError())
      }
      if count == 0 { break }
      done += count
    }
    return done
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

/// What `errno` says, in words.
func systemError(_ number: CInt = errno) -> String {
  // strerror's buffer is shared; the thread-safe form writes into ours.
  var buffer = [CChar](repeating: 0, count: 256)
  guard unsafe strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
  let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  return text.prefix(1).lowercased() + text.dropFirst()
}

extension SHA256Digest {
  /// The digest in lowercase hexadecimal.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
