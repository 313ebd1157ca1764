import AviaryContainers

/// The layers of Keras 3's files of weights, by their places.
///
/// A place is made of attributes (`encoder`), of the words `layers` or, before 2.14,
/// `_layer_checkpoint_dependencies`, and of classes with a counter of the place (`conv2d_1`). HDF5
/// lists them by the alphabet: the order of the file means nothing.
struct KerasPlaces {
  private(set) var layers: [KerasStoredLayer] = []
  /// What is in the file besides layers' weights, in words.
  private(set) var ignored: [String] = []

  /// A layer under way.
  private struct Found {
    /// The place as the file has it.
    var stored: [String]
    /// The name that the layer has in the model, if the file says it.
    var attribute: String?
    var variables: [(name: String, variable: KerasStoredLayer.Variable)] = []
  }

  /// Words of a place that only say that layers follow.
  private static let fillers: Set<String> = ["layers", "_layer_checkpoint_dependencies"]

  /// Layers of one file or of the shards of one.
  init(_ trees: [HDF5Tree], _ configuration: KerasConfiguration) throws(CheckpointError) {
    var found: [[String]: Found] = [:]
    var names: [[String]: String] = [:]
    var aside: [String: Int] = [:]
    for tree in trees {
      for (place, group) in tree.root.groupsByPlace {
        if place.last == "vars", let name = group.attributes["name"]?.string {
          names[Array(place.dropLast())] = name
        }
      }
      for (path, dataSet) in tree.root.dataSetsByPath {
        let parts = try KerasNames.parts(path, dataSet.path, tree.path)
        // Whatever is not in `vars` was written by a class of the user's own.
        let isVariable = parts.count > 1 && parts[parts.count - 2] == "vars"
        let stored = Array(parts.dropLast(isVariable ? 2 : 1))
        if let state = Self.state(stored) {
          aside[state, default: 0] += 1
          continue
        }
        let variable = KerasStoredLayer.Variable(
          slot: parts[parts.count - 1], dataSet: dataSet, tree: tree)
        found[stored, default: Found(stored: stored)].variables.append(
          (parts[parts.count - 1], variable))
      }
    }
    ignored = aside.sorted { $0.key < $1.key }.map { "\($0.key) (\(KerasNames.tensors($0.value)))" }
    try describe(Array(found.values), names, configuration, path: trees[0].path)
  }

  /// What a place holds that is no layer: the optimiser's state, the metrics' or a random
  /// generator's.
  private static func state(_ stored: [String]) -> String? {
    guard let first = stored.first, let last = stored.last else { return nil }
    if stored.count > 1, last == "seed_generator" { return stored.joined(separator: "/") }
    return ["optimizer", "metrics"].contains(first) ? first : nil
  }

  private mutating func describe(
    _ found: [Found], _ names: [[String]: String], _ configuration: KerasConfiguration,
    path file: String
  ) throws(CheckpointError) {
    for layer in found {
      let place = layer.stored.filter { !Self.fillers.contains($0) }
      let listed = configuration.byPlace[place.joined(separator: "/")]
      let own = Self.ownNames(layer.stored, names)
      let name = listed?.names ?? (own.isEmpty ? ["model"] : own)
      let last = place.last ?? ""
      let variables = try Self.ordered(layer.variables, layer.stored, file)
      layers.append(
        KerasStoredLayer(
          name: name.joined(separator: "."), path: place.isEmpty ? name : place,
          kind: listed.flatMap { KerasClass.kind(ofClass: $0.className) }
            ?? KerasClass.kind(ofName: last)
            ?? names[layer.stored].flatMap(KerasClass.kind(ofName:)),
          isOrdered: false, configuration: listed, variables: variables))
    }
    // The user's names may repeat in different places; then the places speak.
    let counts = Dictionary(layers.map { ($0.name, 1) }, uniquingKeysWith: +)
    for i in layers.indices where counts[layers[i].name] ?? 1 > 1 {
      layers[i].name = layers[i].path.joined(separator: ".")
    }
    // The configuration lists layers in the model's order; without, places say what they can.
    let isOrdered = layers.allSatisfy { $0.configuration != nil }
    for i in layers.indices { layers[i].isOrdered = isOrdered }
    layers.sort { a, b in
      if isOrdered, let x = a.configuration?.position, let y = b.configuration?.position {
        return x < y
      }
      return KerasPlaces.precedes(a.path, b.path)
    }
  }

  /// The variables in the order of their numbers.
  private static func ordered(
    _ variables: [(name: String, variable: KerasStoredLayer.Variable)], _ stored: [String],
    _ file: String
  ) throws(CheckpointError) -> [KerasStoredLayer.Variable] {
    let numbers = variables.compactMap { Int($0.name) }
    guard numbers.count == variables.count else { return variables.map(\.variable) }
    guard numbers.sorted() == Array(0..<numbers.count) else {
      throw .damaged(
        path: file, part: "/" + stored.joined(separator: "/"),
        reason: "expected variables 0 to \(numbers.count - 1), "
          + "found \(numbers.sorted().map(String.init).joined(separator: ", "))")
    }
    return zip(numbers, variables).sorted { $0.0 < $1.0 }.map(\.1.variable)
  }

  /// The place with the names that the user gave in the stead of classes with counters.
  private static func ownNames(_ stored: [String], _ names: [[String]: String]) -> [String] {
    var result: [String] = []
    for (i, word) in stored.enumerated() where !fillers.contains(word) {
      let snake = KerasClass.withoutCounter(word)
      // An attribute's name says more than the name that was made for what it holds.
      let isCounted =
        i > 0 && fillers.contains(stored[i - 1]) || KerasClass.kind(ofName: word) != nil
      let name = isCounted ? names[Array(stored[...i])] : nil
      let isOwn = name.map { !KerasClass.isMade($0, of: snake) } ?? false
      result.append(isOwn ? name ?? word : word)
    }
    return result
  }

  /// The order of places: by the alphabet, counters by number.
  static func precedes(_ a: [String], _ b: [String]) -> Bool {
    for (x, y) in zip(a, b) where x != y {
      let names = (KerasClass.withoutCounter(x), KerasClass.withoutCounter(y))
      if names.0 != names.1 { return names.0 < names.1 }
      let counters = (KerasClass.counter(x), KerasClass.counter(y))
      return counters.0 != counters.1 ? counters.0 < counters.1 : x < y
    }
    return a.count < b.count
  }
}

extension HDF5Tree.Group {
  /// All groups below, by the words of their paths.
  fileprivate var groupsByPlace: [(place: [String], group: HDF5Tree.Group)] {
    members.flatMap { name, member -> [(place: [String], group: HDF5Tree.Group)] in
      guard case .group(let group) = member else { return [] }
      let words = name.split { $0 == "/" || $0 == "\\" }.map(String.init)
      return [(words, group)] + group.groupsByPlace.map { (words + $0.place, $0.group) }
    }
  }
}
