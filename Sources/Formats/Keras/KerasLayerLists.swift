import AviaryContainers
import AviaryGraph

/// The layers of Keras's older HDF5, by the attributes `layer_names` and `weight_names`.
///
/// A nested model is one group with the flat list of all its weights: all that are trained first,
/// then the others. A frozen layer so changes the order, but not the names.
struct KerasLayerLists {
  private let tree: HDF5Tree
  private let configuration: KerasConfiguration

  init(_ tree: HDF5Tree, _ configuration: KerasConfiguration) {
    self.tree = tree
    self.configuration = configuration
  }

  /// The layers that a group lists, in the model's order, those without weights included.
  func layers(of group: HDF5Tree.Group) throws(CheckpointError) -> [KerasStoredLayer] {
    guard let names = try KerasNames.list("layer_names", of: group, path: tree.path) else {
      throw .damaged(
        path: tree.path, part: group.path, reason: "expected attribute layer_names, found none")
    }
    let members = Dictionary(group.members.map { ($0.name, $0.member) }) { $1 }
    var layers: [KerasStoredLayer] = []
    var seen: Set<String> = []
    for name in names {
      guard seen.insert(name).inserted else {
        throw .damaged(path: tree.path, part: group.path, reason: "two layers named \(name)")
      }
      guard let layer = try self.group(name, in: group, members) else {
        throw .damaged(
          path: tree.path, part: group.path, reason: "expected layer \(name), found none")
      }
      layers += try self.layers(name, layer)
    }
    // What belongs to no layer but to the model itself.
    if case .group(let own)? = members["top_level_model_weights"],
      !seen.contains("top_level_model_weights")
    {
      layers += try self.layers("top_level_model_weights", own).filter { !$0.variables.isEmpty }
    }
    return layers
  }

  /// The group of a layer, whose name may itself be a path.
  private func group(
    _ name: String, in group: HDF5Tree.Group, _ members: [String: HDF5Tree.Member]
  ) throws(CheckpointError) -> HDF5Tree.Group? {
    if case .group(let found)? = members[name] { return found }
    var found: HDF5Tree.Group? = group
    for part in try KerasNames.parts(name, group.path, tree.path) { found = found?.group(part) }
    return found
  }

  /// The layer of a group; of a nested model, its layers.
  private func layers(
    _ name: String, _ group: HDF5Tree.Group
  ) throws(CheckpointError) -> [KerasStoredLayer] {
    guard let weights = try KerasNames.list("weight_names", of: group, path: tree.path) else {
      throw .damaged(
        path: tree.path, part: group.path, reason: "expected attribute weight_names, found none")
    }
    let dataSets = Dictionary(group.dataSetsByPath.map { ($0.name, $0.dataSet) }) { $1 }
    let own = try KerasNames.parts(name, group.path, tree.path)
    let place = own.joined(separator: "/")
    var layers: [[String]: KerasStoredLayer] = [:]
    var order: [[String]] = []
    for weight in weights {
      let parts = try KerasNames.parts(weight, "\(group.path), attribute weight_names", tree.path)
      guard let dataSet = dataSets[parts.joined(separator: "/")] else {
        throw .damaged(
          path: tree.path, part: group.path, reason: "expected data set \(weight), found none")
      }
      let path = self.path(Array(parts.dropLast()), own)
      let slot = Self.slot(parts[parts.count - 1], of: name)
      if layers[path] == nil {
        order.append(path)
        layers[path] = layer(path)
      }
      layers[path]?.variables.append(.init(slot: slot, dataSet: dataSet, tree: tree))
    }
    if order.isEmpty {
      var empty = layer(own)
      empty.configuration = configuration.byName[place]
      return [empty]
    }
    return inModelOrder(order.compactMap { layers[$0] })
  }

  /// A nested model's layers in the model's order, as far as something tells it: frozen layers come
  /// last in the file.
  private func inModelOrder(_ layers: [KerasStoredLayer]) -> [KerasStoredLayer] {
    guard layers.count > 1 else { return layers }
    let positions = layers.compactMap { $0.configuration?.position }
    if positions.count == layers.count {
      return zip(positions, layers).sorted { $0.0 < $1.0 }.map(\.1)
    }
    // Layers named by class and counter are in order by their counters, whatever their place here.
    let isCounted = layers.allSatisfy { KerasClass.kind(ofName: $0.path.last ?? "") != nil }
    return layers.map { layer in
      var layer = layer
      layer.isOrdered = isCounted
      return layer
    }
  }

  /// Where a variable's layer is, from the folders of its name and the group's.
  private func path(_ folders: [String], _ own: [String]) -> [String] {
    // TensorFlow puts the models that hold a layer before it, and not always.
    var inner = folders[...]
    if let place = folders.firstIndex(of: own[own.count - 1]) {
      inner = folders[(place + 1)...]
    }
    if inner.isEmpty { return own }
    let name = own.joined(separator: "/")
    // A single layer whose variables were made under another name is that layer.
    if let listed = configuration.byName[name] {
      if listed.options["layers"] == nil, KerasClass.kind(ofClass: listed.className) != nil {
        return own
      }
    } else if KerasClass.kind(ofName: name) != nil {
      return own
    }
    let path = own + inner
    guard configuration.byName[path.joined(separator: "/")] == nil else { return path }
    // Models inside the nested one may be left out of the name: the configuration knows them.
    return configuration.innerPath(of: Array(inner), below: own) ?? path
  }

  private func layer(_ path: [String]) -> KerasStoredLayer {
    let listed = configuration.byName[path.joined(separator: "/")]
    let last = path[path.count - 1]
    return KerasStoredLayer(
      name: path.joined(separator: "."), path: path,
      kind: listed.flatMap { KerasClass.kind(ofClass: $0.className) }
        ?? KerasClass.kind(ofName: last),
      isOrdered: true, configuration: listed)
  }

  /// What a variable is within its layer: `kernel` of `kernel:0`, `W` of `convolution2d_1_W`, and
  /// of `block1_conv1_W_1:0`, where TensorFlow has numbered a second variable of one name.
  private static func slot(_ name: String, of layer: String) -> String {
    let name = KerasNames.withoutOutput(name)
    guard name.hasPrefix(layer + "_") else { return name }
    let slot = name.dropFirst(layer.count + 1)
    guard let line = slot.lastIndex(of: "_"), Int(slot[line...].dropFirst()) != nil,
      KerasSlots.isKnown(String(slot[..<line]))
    else { return String(slot) }
    return String(slot[..<line])
  }
}

extension KerasConfiguration {
  /// The only layer below a model whose name ends in these words.
  func innerPath(of words: [String], below model: [String]) -> [String]? {
    let candidates = endings[words[words.count - 1], default: []]
    // One name for very many layers is none.
    guard candidates.count <= 64 else { return nil }
    let found = candidates.filter {
      $0.starts(with: model) && $0.suffix(words.count).elementsEqual(words)
    }
    return found.count == 1 ? found[0] : nil
  }
}

extension HDF5Tree.Group {
  /// All data sets in the group and below, by their paths from here on, in which Windows'
  /// backslashes are slashes.
  var dataSetsByPath: [(name: String, dataSet: HDF5Tree.DataSet)] {
    members.flatMap { name, member in
      let name = String(name.map { $0 == "\\" ? "/" : $0 })
      return switch member {
      case .dataSet(let dataSet): [(name, dataSet)]
      case .group(let group): group.dataSetsByPath.map { ("\(name)/\($0.name)", $0.dataSet) }
      }
    }
  }
}
