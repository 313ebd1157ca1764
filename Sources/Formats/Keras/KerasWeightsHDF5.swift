import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryGraph

/// Keras 3's `.weights.h5`: a group `vars` for each layer, at the place where the model holds it, with
/// numbered variables (keras/src/saving/saving_lib.py; before 2.14 in tf_keras/saving too).
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
