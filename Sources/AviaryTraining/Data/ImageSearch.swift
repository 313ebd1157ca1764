import AviaryImage
import FoundationEssentials
import Glibc

/// The pictures of a folder and of all folders in it.
enum ImageSearch {
  /// The pictures' paths within a folder, sorted by their bytes; hidden files (as some systems leave
  /// them beside each picture) and everything that does not call itself a picture left aside.
  /// What calls itself a picture is found even where it is not read: nobody is to wonder where it
  /// went.
  ///
  /// - Throws: `TrainingError.data` for a folder that is none, that cannot be read, or that has no
  ///   pictures.
  static func pictures(in folder: String) throws(TrainingError) -> [String] {
    let found = try self.folder(folder)
    var names: [String] = []
    // By what they are and not by name: links may lead round in a circle.
    var visited: Set<Identity> = [found]
    var pending = [""]
    while let prefix = pending.popLast() {
      let path = prefix.isEmpty ? folder : "\(folder)/\(prefix)"
      let entries: [String]
      do {
        entries = try FileManager.default.contentsOfDirectory(atPath: path)
      } catch {
        throw .data(path: path, expected: "a folder that can be read", found: "\(error)")
      }
      for entry in entries where !entry.hasPrefix(".") {
        let name = prefix.isEmpty ? entry : "\(prefix)/\(entry)"
        guard let found = identity("\(folder)/\(name)") else { continue }
        if found.isFolder {
          if visited.insert(found).inserted { pending.append(name) }
        } else if ImageFormat.named(entry) != nil {
          names.append(name)
        }
      }
    }
    guard !names.isEmpty else {
      throw .data(
        path: folder, expected: "pictures (\(ImageFormat.list(ImageFormat.readable)))",
        found: "none")
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Throws unless there is a folder of that path.
  @discardableResult
  static func folder(_ path: String) throws(TrainingError) -> Identity {
    guard let found = identity(path), found.isFolder else {
      let found = identity(path) == nil ? "nothing" : "a file"
      throw .data(path: path, expected: "a folder", found: found)
    }
    return found
  }

  /// What a path leads to, through links.
  struct Identity: Hashable {
    var device: UInt64
    var file: UInt64
    var isFolder: Bool
  }

  private static func identity(_ path: String) -> Identity? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Identity(
      device: UInt64(status.st_dev), file: UInt64(status.st_ino),
      isFolder: status.st_mode & S_IFMT == S_IFDIR)
  }
}
