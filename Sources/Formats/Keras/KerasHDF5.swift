import AviaryCheckpoint
import AviaryContainers
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
