internal import AviaryFiles
internal import AviaryImage

/// A folder with images in it.
public enum ImageFolder {
  /// The names of the images in a folder, sorted by their bytes: those that are read, by their
  /// endings; hidden files (as some systems leave them beside each image) left aside.
  ///
  /// - Throws: `AviaryError.noImages` where there is none, or no such folder.
  public static func images(in folder: String) throws(AviaryError) -> [String] {
    let images = ((try? Folder.names(in: folder)) ?? []).filter { name in
      ImageFormat.readable.contains { $0.names(name) }
    }
    guard !images.isEmpty else { throw .noImages(folder: folder) }
    return images
  }
}
