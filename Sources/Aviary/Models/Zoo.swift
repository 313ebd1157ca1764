internal import AviaryCheckpoint
internal import AviaryFormats
public import AviaryGraph
internal import FoundationEssentials

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The architectures, and the checkpoints found by name.
public struct Zoo: Sendable {
  /// The architectures.
  public var registry: Registry
  /// The folders that hold checkpoints, in search order.
  public var folders: [String]

  /// A zoo.
  ///
  /// - Parameters:
  ///   - registry: the architectures; the built-in ones unless stated.
  ///   - folders: where checkpoints lie; `defaultFolders` unless stated.
  public init(registry: Registry = .builtin, folders: [String] = Zoo.defaultFolders) {
    self.registry = registry
    self.folders = folders
  }

  /// The folders in `$AVIARY_CHECKPOINTS` (separated by colons); otherwise `checkpoints` in the
  /// current folder and beside the program: in a folder above it, as in a checkout, or in the
  /// neighbouring `share/aviary`, as in an installation.
  public static var defaultFolders: [String] {
    if let stated = ProcessInfo.processInfo.environment["AVIARY_CHECKPOINTS"] {
      return stated.split(separator: ":").map(String.init)
    }
    var folders = ["checkpoints"]
    if var folder = unsafe realpath("/proc/self/exe", nil).map({ path in
      defer { unsafe free(path) }
      return unsafe String(cString: path)
    }) {
      for _ in 0..<5 {
        folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        folders += ["\(folder)/checkpoints", "\(folder)/share/aviary/checkpoints"]
      }
    }
    return folders.filter { FileManager.default.fileExists(atPath: $0) }
  }

  /// The checkpoints in the folders, by name: `fusion-cae-x2` for `fusion-cae-x2.h5`. If two
  /// folders hold a checkpoint of the same name, the earlier folder wins.
  public var checkpoints: [(name: String, path: String)] {
    var found: [String: String] = [:]
    for folder in folders {
      for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      where file.hasSuffix(".h5") {
        let name = String(file.dropLast(3))
        found[name] = found[name] ?? "\(folder)/\(file)"
      }
    }
    return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The file that the user names by a path or a checkpoint's name; nil for anything else. A folder
  /// in the current one that happens to have the name of a model is not meant.
  public func file(_ reference: String) -> String? {
    if reference.contains("/") { return reference }
    var isFolder = false
    let exists = FileManager.default.fileExists(atPath: reference, isDirectory: &isFolder)
    if exists, !isFolder { return reference }
    if let checkpoint = checkpoints.first(where: { $0.name == reference }) {
      return checkpoint.path
    }
    let isArchitecture = registry.architectures.contains { $0.info.name == reference }
    // A TensorFlow checkpoint is named by what its files' names begin with.
    let isPrefix = FileManager.default.fileExists(atPath: reference + ".index")
    return (exists || isPrefix) && !isArchitecture ? reference : nil
  }

  /// The weights file that the user names by a path or a checkpoint's name.
  ///
  /// - Throws: `AviaryError.noWeights` for the name of an architecture; `.noSuchModel`, with the
  ///   nearest checkpoint, for anything else.
  public func weightsFile(_ reference: String) throws -> String {
    if let path = file(reference) { return path }
    if registry.architectures.contains(where: { $0.info.name == reference }) {
      let network = try registry[reference].network()
      throw AviaryError.noWeights(reference, parameters: network.graph.parameterCount)
    }
    throw AviaryError.noSuchModel(
      reference, nearest: reference.nearest(in: checkpoints.map(\.name)))
  }

  /// The model that the user names by a path or a name.
  ///
  /// - Parameters:
  ///   - reference: a native checkpoint, third-party weights (imported on the fly), the name of a
  ///     checkpoint, or the name of an architecture without weights.
  ///   - scale: the scale of an architecture without weights, and of imported weights if nothing in
  ///     the file shows it.
  /// - Returns: the model, and the import's report if weights were imported.
  /// - Throws: `AviaryError.noSuchModel` with the nearest name; `.noWeights` for an architecture
  ///   that has weights; errors from reading and importing.
  public func model(
    _ reference: String, scale: Int? = nil, _ options: ImportOptions = ImportOptions()
  ) throws -> (model: Model, report: LoadReport?) {
    if let path = file(reference) {
      var options = options
      options.scale = options.scale ?? scale
      switch try ModelFile.open(path, options.reading) {
      case .native(let file): return (try Model(checkpoint: file), nil)
      case .external(let file):
        let stored = try StoredModel.imported(file, options, registry: registry)
        return (try stored.loaded(), stored.report)
      }
    }
    let names = registry.architectures.map(\.info.name)
    guard names.contains(reference) else {
      throw AviaryError.noSuchModel(
        reference, nearest: reference.nearest(in: names + checkpoints.map(\.name)))
    }
    let architecture = try registry[reference]
    let standard = try Model(withoutWeights: try architecture.network())
    // Interpolations are made for the requested scale; a plugin's may support only its own.
    guard let scale, architecture.presets[0].configuration["scale"] != nil else {
      return (standard, nil)
    }
    return (try Model(withoutWeights: try architecture.network(["scale": .int(scale)])), nil)
  }
}

extension Registry {
  /// The architectures compiled into this program.
  public static let builtin: Registry = {
    var registry = Registry()
    do throws(RegistryError) {
      for architecture in linkedArchitectures { try registry.register(architecture) }
    } catch {
      // Two built-in architectures with the same name: a programming error, with which nothing can
      // work.
      preconditionFailure("\(error)")
    }
    return registry
  }()
}
