import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryGraph

/// Keras's HDF5 of versions 1 and 2, and `legacy` in 3: layers and their weights are listed in
/// attributes, for weights alone and for whole models (keras/src/legacy/saving/legacy_h5_format.py,
/// tf_keras/saving/legacy/hdf5_format.py).
enum KerasHDF5 {
  /// Describes the weights of a file.
  static func read(
    _ tree: HDF5Tree, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> WeightsFile {
    let root = tree.root
    // A whole model's weights are a group beside the optimiser's.
    let hasList = root.attributes["layer_names"] ?? root.attributes["layer_names0"] != nil
    let group = hasList ? root : root.group("model_weights") ?? root
    func attribute(_ name: String) -> String? {
      group.attributes[name]?.string ?? root.attributes[name]?.string
    }
    let origin = Origin(
      .keras, version: attribute("keras_version") ?? "1", backend: attribute("backend"))
    let text = KerasNames.text("model_config", of: root)
    let configuration = text.map(KerasConfiguration.init(parsing:)) ?? KerasConfiguration()
    let layers = try KerasLayerLists(tree, configuration).layers(of: group)

    var unwrapping = Unwrapping()
    let isKeras1 = origin.version?.hasPrefix("1") == true
    let order = isKeras1 ? KerasKernelOrder.ofKeras1(layers) : .current
    // Keras 2 turned kernels round whenever a file came from Theano; Keras 1 leaves no trace of it.
    let isTheano = origin.backend == "theano"
    let tensors = try KerasTensors(
      layers, path: tree.path, order: order ?? .tf,
      reversesKernels: options.theanoKernels || isTheano)
    unwrapping.notes = tensors.notes
    let hasKernels = tensors.layers.contains { $0.kind == .convolution }
    if isKeras1, hasKernels {
      unwrapping.notes.append(
        order.map { "Keras 1 with kernels in the order '\($0.rawValue)', as their biases show" }
          ?? "Keras 1: kernels taken for the order 'tf', which nothing shows")
      unwrapping.notes.append(
        options.theanoKernels
          ? "kernels turned round, as stated: trained with Theano"
          : "kernels taken as they are: not trained with Theano, which the file does not say")
    } else if hasKernels, isTheano || options.theanoKernels {
      unwrapping.notes.append(
        "kernels turned round: trained with Theano, as \(isTheano ? "the file says" : "stated")")
    }
    if tensors.tensors.isEmpty {
      unwrapping.notes.append("no weights: none of the \(layers.count) layers has any")
    }
    let (optimizer, ignored) = try optimizer(tree, tensors.trainable)
    unwrapping.ignored = ignored
    return WeightsFile(
      path: tree.path, format: .kerasHDF5, tensors: tensors.tensors, unwrapping: unwrapping,
      origin: origin, layers: tensors.layers, network: text.map(ExternalNetwork.keras),
      record: KerasNames.text("aviary", of: root), optimizer: optimizer)
  }

  /// What a file holds besides its weights: the optimiser's state, and in words what is left aside.
  private static func optimizer(
    _ tree: HDF5Tree, _ trainable: [KerasTensors.Variable]
  ) throws(CheckpointError) -> (state: OptimizerState?, ignored: [String]) {
    var ignored: [String] = []
    var state: OptimizerState?
    let training = KerasNames.text("training_config", of: tree.root)
    if let group = tree.root.group("optimizer_weights") {
      let label = "optimizer_weights (\(KerasNames.tensors(group.dataSetCount)))"
      let names = try KerasNames.list("weight_names", of: group, path: tree.path) ?? []
      let configuration = training.flatMap { try? JSON(parsing: $0) }?["optimizer_config"]
      do {
        state = try KerasOptimizer(named: names, in: group, configuration: configuration)
          .state(of: trainable, tree)
        if state == nil { ignored.append(label) }
      } catch {
        ignored.append("\(label): \(error.text)")
      }
    }
    if training != nil { ignored.append("training_config") }
    return (state, ignored)
  }
}

extension HDF5Tree.Group {
  /// The number of data sets in the group and all groups below. The tree's depth is limited.
  var dataSetCount: Int {
    members.reduce(0) { count, member in
      switch member.member {
      case .dataSet: count + 1
      case .group(let group): count + group.dataSetCount
      }
    }
  }
}

/// Keras 3's `.weights.h5`: a group `vars` for each layer, at the place where the model holds it,
/// with numbered variables (keras/src/saving/saving_lib.py; before 2.14 in tf_keras/saving too).
enum KerasWeightsHDF5 {
  /// Describes the weights of a file.
  static func read(
    _ tree: HDF5Tree, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> WeightsFile {
    try read([tree], path: tree.path, configuration: nil, options)
  }

  /// Describes the weights of one or several files.
  ///
  /// - Parameters:
  ///   - path: the file that stands for all, for messages.
  ///   - configuration: the model's configuration, where it is known.
  static func read(
    _ trees: [HDF5Tree], path: String, configuration: String?, _ options: ReadingOptions
  ) throws(CheckpointError) -> WeightsFile {
    let known = configuration.map(KerasConfiguration.init(parsing:)) ?? KerasConfiguration()
    let places = try KerasPlaces(trees, known)
    let tensors = try KerasTensors(
      places.layers, path: path, reversesKernels: options.theanoKernels)
    var unwrapping = Unwrapping()
    unwrapping.notes = tensors.notes
    unwrapping.ignored = places.ignored
    var optimizer: OptimizerState?
    do throws(KerasOptimizer.Problem) {
      optimizer = try self.optimizer(trees, configuration, tensors.trainable)
      if optimizer != nil { unwrapping.ignored.removeAll { $0.hasPrefix("optimizer ") } }
    } catch {
      unwrapping.ignored = unwrapping.ignored.map {
        $0.hasPrefix("optimizer ") ? "\($0): \(error.text)" : $0
      }
    }
    if tensors.tensors.isEmpty { unwrapping.notes.append("no weights: no layer has any") }
    if options.theanoKernels {
      unwrapping.notes.append("kernels turned round: trained with Theano, as stated")
    }
    return WeightsFile(
      path: path, format: .kerasWeightsHDF5, tensors: tensors.tensors, unwrapping: unwrapping,
      origin: Origin(.keras, version: "3"), layers: tensors.layers,
      network: configuration.map(ExternalNetwork.keras),
      record: trees.lazy.compactMap { KerasNames.text("aviary", of: $0.root) }.first,
      optimizer: optimizer)
  }

  /// The optimiser's state; nil where there is none, or no step was taken.
  private static func optimizer(
    _ trees: [HDF5Tree], _ configuration: String?, _ trainable: [KerasTensors.Variable]
  ) throws(KerasOptimizer.Problem) -> OptimizerState? {
    for tree in trees {
      guard let variables = tree.root.group("optimizer")?.group("vars") else { continue }
      let compiled = configuration.flatMap { try? JSON(parsing: $0) }?["compile_config"]
      return try KerasOptimizer(numbered: variables, configuration: compiled?["optimizer"])
        .state(of: trainable, tree)
    }
    return nil
  }

  /// Whether a file is one of these: variables in a group `vars`, wherever it is.
  static func recognises(_ root: HDF5Tree.Group) -> Bool {
    root.dataSetsByPath.contains { name, _ in
      let parts = name.split(separator: "/")
      return parts.count > 1 && parts[parts.count - 2] == "vars"
        && Int(parts[parts.count - 1]) != nil
    }
  }
}

/// Weights that Keras 3 spread over several files: `x.weights.json` says which layer is in which,
/// and the files lie beside it.
enum KerasShards {
  private static let limits = (bytes: 64 << 20, files: 4096)

  /// Describes the weights of all files.
  static func read(
    _ path: String, _ options: ReadingOptions
  ) throws(CheckpointError) -> WeightsFile {
    let names = try files(path)
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    var trees: [HDF5Tree] = []
    for name in names { trees.append(try HDF5Tree(reading: folder + name, access: options.hdf5)) }
    var file = try KerasWeightsHDF5.read(trees, path: path, configuration: nil, options)
    file.format = .shardIndex
    file.unwrapping.notes.append(
      names.count == 1 ? "weights in \(names[0])" : "weights in \(names.count) files")
    return file
  }

  /// The names of the files of an index, each once.
  private static func files(_ path: String) throws(CheckpointError) -> [String] {
    let file = try InputFile(weights: path)
    guard file.byteCount <= limits.bytes else {
      throw .tooLarge(
        path: path, part: "the index, bytes", limit: limits.bytes, found: file.byteCount)
    }
    let text = String(
      decoding: try file.read(at: 0, count: file.byteCount, part: "the index"), as: UTF8.self)
    let json: JSON
    do {
      json = try JSON(parsing: text)
    } catch {
      throw .damaged(path: path, part: "the index", reason: error.description)
    }
    guard let map = json["weight_map"]?.object, !map.isEmpty else {
      throw .damaged(
        path: path, part: "the index", reason: "expected weight_map with a file for each layer")
    }
    var names: Set<String> = []
    for (layer, value) in map {
      let entries = value.array ?? [value]
      for entry in entries {
        guard let name = entry.string else {
          throw .damaged(
            path: path, part: "the index",
            reason: "\(layer): expected a file's name, found \(entry.kind)")
        }
        // Only files beside the index: an index must not lead anywhere else.
        guard !name.isEmpty, name != ".", name != "..",
          !name.contains(where: { $0 == "/" || $0 == "\\" || $0 == "\0" })
        else {
          throw .damaged(
            path: path, part: "the index",
            reason: "\(layer): expected the name of a file beside the index, found '\(name)'")
        }
        names.insert(name)
      }
    }
    // A layer may be in none of the files; not all of them.
    guard !names.isEmpty else {
      throw .damaged(
        path: path, part: "the index", reason: "expected weight_map with a file for each layer")
    }
    guard names.count <= limits.files else {
      throw .tooLarge(
        path: path, part: "files of the index", limit: limits.files, found: names.count)
    }
    return names.sorted()
  }
}
