import Glibc

/// Folders: what is in them, and making them.
package enum Folder {
  /// The names in a folder, sorted by their bytes, hidden ones left aside.
  ///
  /// - Throws: `FileError.cannotRead`.
  package static func names(in folder: String) throws(FileError) -> [String] {
    guard let stream = unsafe folder.withPath({ unsafe opendir($0) }) else {
      throw .cannotRead(path: folder, reason: SystemReason.last)
    }
    defer { unsafe closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = unsafe readdir(stream) {
      let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe Array($0.prefix { $0 != 0 })
      }
      if bytes.first != UInt8(ascii: ".") { names.append(bytes) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(pathBytes: $0) }
  }

  /// Makes a folder, and those above it that are missing.
  ///
  /// - Throws: `FileError.cannotWrite`; a folder that is there is none.
  package static func make(_ folder: String) throws(FileError) {
    var status = stat()
    if unsafe folder.withPath({ unsafe stat($0, &status) }) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else { return }
      throw .cannotWrite(path: folder, reason: SystemReason.text(ENOTDIR))
    }
    let above = folder.folder
    if above != folder { try make(above) }
    // Another process may have made it meanwhile.
    guard unsafe folder.withPath({ unsafe mkdir($0, 0o777) }) == 0 || errno == EEXIST else {
      throw .cannotWrite(path: folder, reason: SystemReason.last)
    }
  }
}
