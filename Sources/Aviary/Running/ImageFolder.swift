internal import AviaryImage
internal import FoundationEssentials

/// A folder with pictures in it.
public enum ImageFolder {
  /// The names of the pictures in a folder, sorted: those that are read, by their endings; hidden
  /// files (as some systems leave them beside each picture) left aside.
  ///
  /// - Throws: `AviaryError.noImages` where there is none, or no such folder.
  public static func pictures(in folder: String) throws(AviaryError) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let pictures = names.filter { name in
      !name.hasPrefix(".") && ImageFormat.readable.contains { $0.names(name) }
    }
    guard !pictures.isEmpty else { throw .noImages(folder: folder) }
    return pictures.sorted()
  }
}
