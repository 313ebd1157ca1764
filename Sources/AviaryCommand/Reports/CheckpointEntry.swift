import AviaryFormats
import AviaryCheckpoint
import AviaryContainers
import Aviary
import AviaryGraph
import AviaryTensor

/// A checkpoint in a list.
struct CheckpointEntry {
  private let name: String
  private let path: String
  private let summary: CheckpointSummary
  private let network: NetworkSummary?

  /// The checkpoints found by name, with a warning for each that cannot be read: one broken file must
  /// not hide the others.
  static func all(in zoo: Zoo, matching pattern: String) -> [CheckpointEntry] {
    zoo.checkpoints.filter { Registry.matches($0.name, pattern) }.compactMap { name, path in
      do throws(CheckpointError) {
        return CheckpointEntry(name, path, try CheckpointSummary(of: path))
      } catch {
        Console.warn("\(error)")
        return nil
      }
    }
  }

  private init(_ name: String, _ path: String, _ summary: CheckpointSummary) {
    self.name = name
    self.path = path
    self.summary = summary
    network = try? summary.network().map { NetworkSummary($0.graph, $0.picture) }
  }

  static func table(_ entries: [CheckpointEntry]) -> TextTable {
    var table = TextTable(
      ["Checkpoint", "Parameters", "Scale", "Architecture", "Licence", "File"], numeric: [1])
    table.rows = entries.map { entry in
      [
        entry.name, NumberText.grouped(entry.parameters), entry.network?.scaleText ?? "unknown",
        entry.summary.architecture ?? "unknown", entry.summary.card.licence ?? "not stated",
        entry.path,
      ]
    }
    return table
  }

  private var parameters: Int {
    // By their bytes, which lie in the file: shapes may say anything.
    network?.parameters
      ?? summary.tensors.reduce(0) { $0 + $1.byteCount / $1.elementType.byteCount }
  }

  /// For machines.
  var json: JSON {
    var members: [String: JSON] = [
      "name": .string(name), "file": .string(path), "parameters": .int(parameters),
      "scales": .array((network?.scales ?? []).map(JSON.int)),
    ]
    members["architecture"] = summary.architecture.map(JSON.string)
    members["licence"] = summary.card.licence.map(JSON.string)
    return .object(members)
  }
}

extension CheckpointSummary {
  /// The network in the checkpoint; nil if there is none.
  ///
  /// - Throws: `GraphError` if it cannot be read.
  func network() throws(GraphError) -> (graph: Graph, picture: ImageSpec)? {
    guard let graph else { return nil }
    let network = try Graph(json: JSON(parsing: graph))
    guard let picture else { return (network, ImageSpec(channels: network.inputs[0].channels)) }
    return (network, try ImageSpec(json: JSON(parsing: picture)))
  }
}
