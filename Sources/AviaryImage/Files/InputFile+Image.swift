import AviaryFiles

extension InputFile {
  /// Opens a picture: `init(_:)` with this module's error.
  init(picture path: String) throws(ImageError) {
    do {
      try self.init(path)
    } catch {
      throw ImageError(error)
    }
  }

  /// The `count` bytes from `offset` on; fewer where the file ends before.
  func read(at offset: Int, count: Int) throws(ImageError) -> [UInt8] {
    do {
      return try bytes(at: offset, count: count)
    } catch {
      throw ImageError(error)
    }
  }
}
