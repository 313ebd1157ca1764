package import AviaryCheckpoint
package import AviaryGraph
import AviaryTensor

/// What of ours travels in a file of another framework: which network it is, and how to get its
/// tensors back exactly. It lies in the container's own slot and is believed only where the tensors
/// have the content hash that it states.
package struct EmbeddedMetadata: Hashable, Sendable {
  /// A tensor of the file, and what leads back to the parameter.
  package struct Entry: Hashable, Sendable {
    /// The parameter's canonical name.
    package var name: String
    /// The steps from the file's layout to PyTorch's, in order.
    package var undo: [TensorStep]

    /// A tensor.
    package init(name: String, undo: [TensorStep]) { (self.name, self.undo) = (name, undo) }
  }

  /// The name of the architecture in the registry; nil where none is known.
  package var architecture: String?
  /// The architecture's configuration.
  package var configuration: JSON?
  /// The network.
  package var graph: JSON?
  /// How the network takes and gives images.
  package var picture: JSON?
  /// Licence, provenance, quality.
  package var card: JSON?
  /// The content hash of the tensors under canonical names in PyTorch's layout.
  package var contentHash: String?
  /// The tensors by where they lie in the file: an HDF5 path without the first `/`, a key. Tensors
  /// of the file that are not here are no parameters (constant kernels). Nothing at all says that
  /// every tensor is a parameter under its own name, as it is, or that there are none, by the hash.
  package var tensors: [String: Entry] = [:]

  /// A record.
  package init(
    architecture: String? = nil, configuration: JSON? = nil, graph: JSON? = nil,
    picture: JSON? = nil, card: JSON? = nil, contentHash: String? = nil,
    tensors: [String: Entry] = [:]
  ) {
    self.architecture = architecture
    self.configuration = configuration
    self.graph = graph
    self.picture = picture
    self.card = card
    self.contentHash = contentHash
    self.tensors = tensors
  }

  private static let format: JSON = "aviary-record"
  private static let version: JSON = 1

  /// The record as JSON.
  package var json: JSON {
    var members: [String: JSON] = ["format": Self.format, "version": Self.version]
    members["architecture"] = architecture.map(JSON.string)
    members["configuration"] = configuration
    members["graph"] = graph
    members["picture"] = picture
    members["card"] = card
    members["contentHash"] = contentHash.map(JSON.string)
    if !tensors.isEmpty {
      members["tensors"] = .object(
        tensors.mapValues { entry in
          ["name": .string(entry.name), "undo": .array(entry.undo.map(\.json))]
        })
    }
    return .object(members)
  }

  /// Reads a record; nil for anything else, a later version included: it is then as if the file had
  /// none.
  package init?(json: JSON) {
    guard json["format"] == Self.format, json["version"] == Self.version else { return nil }
    architecture = json["architecture"]?.string
    configuration = json["configuration"]
    graph = json["graph"]
    picture = json["picture"]
    card = json["card"]
    contentHash = json["contentHash"]?.string
    for (path, entry) in json["tensors"]?.object ?? [:] {
      guard let name = entry["name"]?.string, let list = entry["undo"]?.array else { return nil }
      let undo = list.compactMap(TensorStep.init(json:))
      // What was written never needs to grow: a record that says so is none of ours, and would let
      // a small file fill the memory.
      let grows = undo.contains { if case .padded = $0 { true } else { false } }
      guard undo.count == list.count, !grows else { return nil }
      tensors[path] = Entry(name: name, undo: undo)
    }
  }

  /// The canonical tensors of a file that has this record; nil where the file does not have the
  /// tensors that the record names, or of other shapes: the record is then of another file.
  ///
  /// What the reader did to the file's layout, as the descriptions say, is undone first: the record
  /// is about the file, whatever the reader makes of it.
  package func restored(_ file: WeightsFile) -> TensorSource? {
    if tensors.isEmpty {
      // A network without weights may still be written with constant kernels.
      let none = file.tensors.selecting([])
      return contentHash == (try? ContentHash.of(none)) ? none : file.tensors
    }
    var positions: [String: Int] = [:]
    for (position, tensor) in file.tensors.enumerated() {
      positions[Self.path(tensor.storedName)] = position
    }
    var found: [(position: Int, name: String, steps: [TensorStep])] = []
    for (path, entry) in tensors {
      guard let position = positions[Self.path(path)] else { return nil }
      let steps = file.tensors[position].steps.inverse + entry.undo
      found.append((position, entry.name, steps))
    }
    // One parameter may lie in several layers, and JSON has no order: the first in the file counts.
    found.sort { $0.position < $1.position }
    var names: Set<String> = []
    found = found.filter { names.insert($0.name).inserted }
    let chosen = file.tensors.selecting(found.map(\.position))
    var next = 0
    let changed = try? chosen.changed { _ in
      defer { next += 1 }
      return found[next].steps
    }
    guard let changed else { return nil }
    let canonical = Dictionary(zip(chosen.names, found.map(\.name))) { first, _ in first }
    return changed.renamed { canonical[$0] ?? $0 }
  }

  /// A path without what comes before the weights' own file, and without the first `/`.
  private static func path(_ stored: String) -> String {
    var path = stored[...]
    if let range = path.firstRange(of: "model.weights.h5") { path = path[range.upperBound...] }
    return String(path.drop { $0 == "/" || $0 == ":" || $0 == "!" })
  }
}

extension TensorStep {
  /// The step as an object of one member: `{"permuted": [3, 2, 0, 1]}`.
  var json: JSON {
    func list(_ numbers: [Int]) -> JSON { .array(numbers.map(JSON.int)) }
    return switch self {
    case .permuted(let order): ["permuted": list(order)]
    case .reversed(let dimensions): ["reversed": list(dimensions)]
    case .reshaped(let from, let to): ["reshaped": ["from": list(from), "to": list(to)]]
    case .reordered(let dimension, let indices):
      ["reordered": ["dimension": .int(dimension), "indices": list(indices)]]
    case .padded(let amounts): ["padded": list(amounts)]
    case .cropped(let amounts): ["cropped": list(amounts)]
    case .converted(let from, let to):
      ["converted": ["from": .string(from.rawValue), "to": .string(to.rawValue)]]
    }
  }

  /// Reads a step; nil for anything else.
  init?(json: JSON) {
    guard let members = json.object, members.count == 1, let (name, value) = members.first else {
      return nil
    }
    func list(_ value: JSON?) -> [Int]? {
      guard let array = value?.array else { return nil }
      let numbers = array.compactMap(\.int)
      return numbers.count == array.count ? numbers : nil
    }
    func type(_ member: String) -> ElementType? {
      value[member]?.string.flatMap(ElementType.init(rawValue:))
    }
    switch name {
    case "permuted":
      guard let order = list(value) else { return nil }
      self = .permuted(order)
    case "reversed":
      guard let dimensions = list(value) else { return nil }
      self = .reversed(dimensions)
    case "reshaped":
      guard let from = list(value["from"]), let to = list(value["to"]) else { return nil }
      self = .reshaped(from: from, to: to)
    case "reordered":
      guard let dimension = value["dimension"]?.int, let indices = list(value["indices"]) else {
        return nil
      }
      self = .reordered(dimension: dimension, indices: indices)
    case "padded":
      guard let amounts = list(value) else { return nil }
      self = .padded(amounts)
    case "cropped":
      guard let amounts = list(value) else { return nil }
      self = .cropped(amounts)
    case "converted":
      guard let from = type("from"), let to = type("to") else { return nil }
      self = .converted(from: from, to: to)
    default: return nil
    }
  }
}
