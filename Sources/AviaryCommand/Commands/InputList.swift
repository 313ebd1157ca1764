import Aviary
import AviaryFiles
import AviaryImage

/// The files that a command reads, found before anything is computed.
struct InputList {
  /// One file.
  struct File: Hashable {
    /// As it is opened, and told of; `-` for standard input.
    let path: String
    /// The folders between the one that was named and the file, such as `holiday/2024`; empty where
    /// there is none.
    var folder = ""
  }

  /// A file that is left aside.
  struct Skipped: Hashable {
    let path: String
    let reason: String
  }

  /// What is read, in the order given; what a folder has, sorted by its bytes.
  private(set) var files: [File] = []
  /// What folders have besides.
  private(set) var skipped: [Skipped] = []
  /// Whether a folder was named, or several files were.
  let isSeveral: Bool

  /// Lists the inputs.
  ///
  /// In a folder content decides what is an image. A file that has an image's name without being
  /// one that is read is listed too, so that it is told of as an error; any other is skipped.
  /// Hidden files are left out without a word.
  ///
  /// - Parameters:
  ///   - recursive: whether folders are entered.
  ///   - output: the folder of the results, which is never entered.
  ///   - allowsNone: whether a folder may be without images.
  /// - Throws: `AviaryError.noImages` for a folder without images; `FileError` for one that cannot be
  ///   read; `CommandError.standardInputTwice`.
  init(_ inputs: [String], recursive: Bool, output: String, allowsNone: Bool = false) throws {
    isSeveral = inputs.count > 1 || inputs.contains { PathKind(of: $0) == .folder }
    let results = FileIdentity(of: output)
    for input in inputs {
      guard input != "-", PathKind(of: input) == .folder else {
        guard input != "-" || !files.contains(where: { $0.path == "-" }) else {
          throw CommandError.standardInputTwice
        }
        files.append(File(path: input))
        continue
      }
      let before = files.count
      var entered = Set([FileIdentity(of: input)].compactMap(\.self))
      try enter(input, below: "", recursive: recursive, results, &entered)
      guard files.count > before || allowsNone else { throw AviaryError.noImages(folder: input) }
    }
  }

  /// The same with some of its files alone.
  func only(_ files: [File]) -> InputList {
    var list = self
    (list.files, list.skipped) = (files, [])
    return list
  }

  private mutating func enter(
    _ folder: String, below: String, recursive: Bool, _ results: FileIdentity?,
    _ entered: inout Set<FileIdentity>
  ) throws {
    let stem = folder.hasSuffix("/") ? folder : folder + "/"
    for name in try Folder.names(in: folder) {
      let path = stem + name
      func skip(_ reason: String) { skipped.append(Skipped(path: path, reason: reason)) }
      switch PathKind(of: path) {
      case .folder:
        guard recursive else {
          skip("a folder (-r enters it)")
          continue
        }
        guard let identity = FileIdentity(of: path), identity != results else {
          skip("the folder of the results")
          continue
        }
        guard entered.insert(identity).inserted else {
          skip("a link to a folder that was entered before")
          continue
        }
        do {
          try enter(
            path, below: below.isEmpty ? name : "\(below)/\(name)", recursive: true, results,
            &entered)
        } catch let error as FileError {
          skip("\(error)")
        }
      case .file:
        if let found = InputList.reasonToSkip(path) {
          skip(found)
        } else {
          files.append(File(path: path, folder: below))
        }
      case .other: skip("neither a file nor a folder")
      case nil: skip("a link that leads nowhere")
      }
    }
  }

  /// Why a file of a folder is no image; nil for one that is, or has an image's name.
  private static func reasonToSkip(_ path: String) -> String? {
    if ImageFormat.named(path) != nil { return nil }
    guard let file = try? InputFile(path), let beginning = try? file.bytes(at: 0, count: 512) else {
      return "it cannot be read"
    }
    return ImageFormat.reading(beginning) == nil
      ? "\(FileKind(beginning: beginning).label), no image" : nil
  }
}
