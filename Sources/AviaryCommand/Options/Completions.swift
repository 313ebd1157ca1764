import ArgumentParser
import Aviary
import AviaryGraph
import FoundationEssentials

extension CompletionKind {
  /// Names of architectures.
  static var architectures: CompletionKind {
    .custom { _, _, _ in Registry.builtin.architectures.map(\.info.name) }
  }

  /// Names of architectures, and files.
  static var recipes: CompletionKind {
    .custom { _, _, prefix in
      Registry.builtin.architectures.map(\.info.name).filter { $0.hasPrefix(prefix) }
        + files(prefix)
    }
  }

  /// Names of architectures and checkpoints, and files. The shell asks the program itself each
  /// time, so the names are always current.
  static var models: CompletionKind {
    .custom { _, _, prefix in
      let zoo = Zoo()
      let names = zoo.registry.architectures.map(\.info.name) + zoo.checkpoints.map(\.name)
      return names.filter { $0.hasPrefix(prefix) } + files(prefix)
    }
  }

  /// Files and folders whose path begins with `prefix`. A custom completion replaces the shell's,
  /// so it has to complete files too.
  private static func files(_ prefix: String) -> [String] {
    let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
    let found =
      (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder))
      ?? []
    return found.sorted().filter { !$0.hasPrefix(".") }.map { name in
      let path = folder + name
      return PathKind(of: path) == .folder ? "\(path)/" : path
    }.filter { $0.hasPrefix(prefix) }
  }
}
