import AviaryCheckpoint
import AviaryGraph

/// A plan held against a file.
struct Attempt {
  let file: WeightsFile
  let plan: LayerPlan
  let registry: Registry
  let architecture: String
  let overrides: JSON

  /// The fits of the plan: of the file's own order of layers, where it is the model's, or of all
  /// ways that their places leave.
  ///
  /// - Parameter budget: how many ways may still be tried; below 0 where some were not.
  func fits(_ tree: LayerTree, budget: inout Int) -> [StructureMatch] {
    if contradictsContainers { return [] }
    if let ordered, let fit = fit(ordered, "layers in the file's order, which is the model's") {
      return [fit]
    }
    let components = plan.layers.map {
      ($0.name.split(separator: ".").map(String.init), $0.kind)
    }
    guard let planned = LayerTree(components.map { (path: $0.0, kind: $0.1) }) else { return [] }
    var fits: [StructureMatch] = []
    for way in LayerMatching.ways(tree, planned) {
      budget -= 1
      guard budget >= 0 else { break }
      if let fit = fit(way, "layers told by their classes, counters and containers") {
        fits.append(fit)
      }
    }
    return fits
  }

  /// Whether the file's layers lie in more blocks than the plan's: a chain of convolutions is not
  /// what was saved as a dozen residual blocks. A file may tell of fewer, for Keras keeps no
  /// containers of functional models.
  private var contradictsContainers: Bool {
    // A convolution and its normalisation make no block, nor do layers beside which blocks lie.
    func blocks(_ layers: [(path: [String], kind: ExternalLayer.Kind)]) -> Int {
      let paths = layers.filter { $0.kind.combines }.map(\.path)
      let sizes = Dictionary(paths.map { ($0.dropLast(), 1) }, uniquingKeysWith: +)
      let outer = Set(
        paths.flatMap { path in (0..<max(path.count - 1, 0)).map { path.prefix($0) } })
      return sizes.count { $0.value > 1 && !outer.contains($0.key) }
    }
    let own = blocks(file.layers.map { ($0.path, $0.kind) })
    // Numbers in the plan's names are places in a list, which leaves no container in a file.
    let planned = blocks(
      plan.layers.map { ($0.name.split(separator: ".").map(String.init), $0.kind) })
    return own > max(planned, 1)
  }

  /// Layer by layer of each kind, where the file lists them in the model's order.
  private var ordered: LayerMatching.Assignment? {
    let layers = file.layers
    guard layers.allSatisfy(\.isOrdered) else { return nil }
    var positions = Array(layers.indices)
    // Of a nested model the trained weights come first: a frozen layer is out of order, but
    // counters are not.
    var nested: [String: [Int]] = [:]
    for (i, layer) in layers.enumerated() where layer.path.count > 1 {
      let base = Numbered(layer.path[layer.path.count - 1]).base
      nested[(layer.path.dropLast() + [base]).joined(separator: "/"), default: []].append(i)
    }
    for places in nested.values where places.count > 1 {
      let sorted = places.sorted {
        Numbered(layers[$0].path.last ?? "").number < Numbered(layers[$1].path.last ?? "").number
      }
      for (place, layer) in zip(places, sorted) { positions[place] = layer }
    }
    var assignment: LayerMatching.Assignment = [:]
    for kind in ExternalLayer.Kind.allCases {
      let wanted = plan.layers.indices.filter { plan.layers[$0].kind == kind }
      let given = positions.filter { layers[$0].kind == kind }
      guard wanted.count == given.count else { return nil }
      for (place, layer) in zip(wanted, given) { assignment[place] = layer }
    }
    return assignment
  }

  /// What detection says of the file's tensors under the plan's names; nil where the shapes
  /// disagree.
  private func fit(_ assignment: LayerMatching.Assignment, _ how: String) -> StructureMatch? {
    guard assignment.count == plan.layers.count, assignment.count == file.layers.count else {
      return nil
    }
    var names: [String: String] = [:]
    for (place, layer) in assignment {
      let stem = file.layers[layer].name + "."
      for name in tensorNames[layer] {
        names[name] = plan.layers[place].name + "." + name.dropFirst(stem.count)
      }
    }
    guard names.count == file.tensors.count else { return nil }
    let canonical: (String) -> String = { names[$0] ?? $0 }
    let tensors = file.tensors.renamed(canonical)
    guard tensors.count == file.tensors.count,
      var fit = try? registry.fit(
        WeightIndex(tensors), as: architecture, overrides: overrides),
      // Names were given already; a name map on top would be another plan's.
      fit.names == nil
    else { return nil }
    // The epsilon of normalisations is the framework's, not that of a published source.
    if fit.network.configuration["epsilon"] != nil, overrides["epsilon"] == nil,
      let epsilon = OriginConventions(file.origin.framework).epsilon
    {
      let stated = (overrides.object ?? [:]).merging(["epsilon": .number(epsilon)]) { $1 }
      guard
        let settled = try? registry.fit(
          WeightIndex(tensors), as: architecture, overrides: .object(stated))
      else { return nil }
      fit = settled
      fit.assumed.append("epsilon")
    }
    return StructureMatch(
      fit: fit, tensors: tensors,
      renamed: StructureMatcher.renamings(file.tensors.names, canonical),
      assumed: fit.publishedActivations
        + ["how the layers are connected, which kinds, places and shapes do not show"],
      notes: [how])
  }

  /// The names of each layer's tensors.
  private let tensorNames: [[String]]

  init(
    file: WeightsFile, plan: LayerPlan, registry: Registry, architecture: String, overrides: JSON
  ) {
    self.file = file
    self.plan = plan
    self.registry = registry
    self.architecture = architecture
    self.overrides = overrides
    let layers = Dictionary(file.layers.enumerated().map { ($1.name, $0) }) { $1 }
    var names = [[String]](repeating: [], count: file.layers.count)
    for name in file.tensors.names {
      // A separable convolution's tensors have one word more.
      var stem = name[...]
      while let dot = stem.lastIndex(of: ".") {
        stem = stem[..<dot]
        if let layer = layers[String(stem)] {
          names[layer].append(name)
          break
        }
      }
    }
    tensorNames = names
  }

  /// Fits of one network told apart by the first layer that they name differently.
  static func differences(_ fits: [StructureMatch]) -> [String] {
    let maps = fits.map { Dictionary($0.renamed.map { ($0.from, $0.to) }) { $1 } }
    let names = Set(maps.flatMap(\.keys)).sorted()
    let first = names.first { name in Set(maps.map { $0[name] ?? name }).count > 1 } ?? ""
    return Set(
      zip(fits, maps).map { fit, map in
        "\(fit.fit.network.label) with \(first) as \(map[first] ?? first)"
      }
    ).sorted()
  }
}

extension Fit {
  /// What lies between the layers of a network whose configuration has no choice of it.
  fileprivate var publishedActivations: [String] {
    if network.configuration["activation"] != nil { return [] }
    let names = Set(
      network.graph.nodes.compactMap { node in
        if case .activation(let activation) = node.op { activation.name } else { nil }
      }
    ).sorted()
    return names.isEmpty
      ? [] : ["activation: \(names.joined(separator: ", ")) as published, which no tensor shows"]
  }
}
