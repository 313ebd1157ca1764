import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryTensor

/// TensorFlow's checkpoints: those that Keras's `save_weights` and `tf.train.Checkpoint` write, whose
/// variables hang on objects, and those of TensorFlow 1, whose variables have names alone.
enum TensorFlowCheckpoint {
  /// Describes the weights of a checkpoint.
  ///
  /// - Parameters:
  ///   - path: as the user named it.
  ///   - index: the index's path.
  static func read(_ path: String, index: String) throws(CheckpointError) -> WeightsFile {
    let bundle = try TensorBundle(try InputFile(weights: index))
    var file = try read(bundle, path: path, KerasConfiguration(), objects: [:])
    file.format = .tensorBundle
    return file
  }

  /// Describes the weights of a checkpoint.
  ///
  /// - Parameters:
  ///   - configuration: the model's, where it is known.
  ///   - objects: what is known of the objects of its graph.
  static func read(
    _ bundle: TensorBundle, path: String, _ configuration: KerasConfiguration,
    objects: [Int: SavedModel.Object]
  ) throws(CheckpointError) -> WeightsFile {
    var unwrapping = Unwrapping()
    let layers: [KerasStoredLayer]
    if let entry = bundle[ObjectGraph.name] {
      guard let bytes = try bundle.strings(entry).first else {
        throw .damaged(path: bundle.path, part: entry.name, reason: "expected one, found none")
      }
      let graph = try ObjectGraph(bytes, path: bundle.path)
      let found = graph.variables
      let others = graph.otherVariableCount(besides: found)
      if others > 0 {
        unwrapping.ignored.append("variables of no layer (\(KerasNames.tensors(others)))")
      }
      layers = try ObjectLayers(graph, found, bundle, configuration, objects).layers
    } else {
      let variables = NamedVariables(bundle)
      layers = variables.layers
      unwrapping.ignored = variables.ignored
    }
    let tensors = try KerasTensors(layers, path: path)
    unwrapping.notes = tensors.notes
    guard !tensors.tensors.isEmpty else {
      throw .noTensors(path: path, found: "a TensorFlow checkpoint without a network's variables")
    }
    return WeightsFile(
      path: path, format: .tensorBundle, tensors: tensors.tensors, unwrapping: unwrapping,
      origin: Origin(.keras, version: "2", backend: "tensorflow"), layers: tensors.layers)
  }

  /// A variable of a layer.
  fileprivate static func variable(
    _ slot: String, _ entry: TensorBundle.Entry, _ bundle: TensorBundle
  ) -> KerasStoredLayer.Variable {
    KerasStoredLayer.Variable(
      slot: slot, shape: entry.shape, elementType: ElementType(tensorFlow: entry.type),
      storedName: entry.name
    ) { () throws(CheckpointError) in try bundle.tensor(entry) }
  }
}

/// The layers of a checkpoint whose variables hang on objects.
private struct ObjectLayers {
  private(set) var layers: [KerasStoredLayer] = []

  init(
    _ graph: ObjectGraph, _ variables: [ObjectGraph.Variable], _ bundle: TensorBundle,
    _ configuration: KerasConfiguration, _ objects: [Int: SavedModel.Object]
  ) throws(CheckpointError) {
    let entries = Dictionary(bundle.entries.map { ($0.name, $0) }) { first, _ in first }
    var places: [[String]: Int] = [:]
    for variable in variables {
      guard let stored = graph.nodes[variable.node].variable else { continue }
      guard let entry = entries[stored.key] else {
        throw .damaged(
          path: bundle.path, part: stored.key, reason: "the object graph has it, the index has not")
      }
      // Counters of steps and of how often a file was saved.
      if entry.shape.isEmpty { continue }
      let made = stored.fullName.split(separator: "/").map(String.init)
      let member = variable.path[variable.path.count - 1]
      // In a list the variable's own name says what it is.
      let slot = Int(member) == nil ? String(member.trimmingPrefix("_")) : made.last ?? member
      let place = Int(member) == nil ? Array(variable.path.dropLast()) : Array(made.dropLast())
      if places[place] == nil {
        places[place] = layers.count
        layers.append(Self.layer(place, made: made, variable, configuration, objects))
      }
      guard let position = places[place] else { continue }
      layers[position].variables.append(TensorFlowCheckpoint.variable(slot, entry, bundle))
    }
    // Names may repeat in different places; then the places speak.
    let counts = Dictionary(layers.map { ($0.name, 1) }, uniquingKeysWith: +)
    for (place, position) in places where counts[layers[position].name] ?? 1 > 1 {
      layers[position].name = place.joined(separator: ".")
    }
  }

  /// A layer: named by the model's configuration, else as it was when its variables were made where
  /// Keras only counts it, and by the user's own attribute elsewhere.
  private static func layer(
    _ place: [String], made: [String], _ variable: ObjectGraph.Variable,
    _ configuration: KerasConfiguration, _ objects: [Int: SavedModel.Object]
  ) -> KerasStoredLayer {
    let names = variable.owners.dropFirst().compactMap { objects[$0]?.name }
    let listed = configuration.byName[names.joined(separator: "/")]
    let last = place.last { Int($0) == nil } ?? ""
    let isCounted =
      place.isEmpty || last == "_operations"
      || ["layer_with_weights-", "layer-"].contains { last.hasPrefix($0) }
    let own = made.dropLast()
    let path =
      listed == nil ? isCounted && !own.isEmpty ? Array(own) : place : names
    let className = variable.owners.last.flatMap { objects[$0]?.className }
    return KerasStoredLayer(
      name: path.isEmpty ? "model" : path.joined(separator: "."),
      path: path.isEmpty ? ["model"] : path,
      kind: (listed?.className ?? className).flatMap(KerasClass.kind(ofClass:))
        ?? own.last.flatMap(KerasClass.kind(ofName:)),
      isOrdered: isCounted, configuration: listed)
  }
}

/// The layers of a checkpoint of TensorFlow 1: what stands before a variable's last slash, or its
/// number where it has no slash (`w1`, `b1`).
private struct NamedVariables {
  private(set) var layers: [KerasStoredLayer] = []
  /// What is in the file besides, in words.
  private(set) var ignored: [String] = []

  /// What optimisers append to a variable's name, and what they keep of their own.
  private static let states: Set<String> = [
    "Adam", "Adam_1", "Momentum", "RMSProp", "RMSProp_1", "Adagrad", "ExponentialMovingAverage",
  ]
  private static let counters: Set<String> = ["beta1_power", "beta2_power", "global_step"]

  init(_ bundle: TensorBundle) {
    let names = Set(bundle.entries.map(\.name))
    var aside = 0
    var places: [String: Int] = [:]
    for entry in bundle.entries {
      let parts = entry.name.split(separator: "/").map(String.init)
      let last = parts.last ?? entry.name
      let isState =
        Self.states.contains(last) && names.contains(parts.dropLast().joined(separator: "/"))
      guard !isState, !Self.counters.contains(last), !entry.shape.isEmpty else {
        aside += 1
        continue
      }
      let digits = String(last.reversed().prefix { $0.isNumber }.reversed())
      let own = String(last.dropLast(digits.count))
      // `w1` and `b1` are of layer 1.
      let isNumbered =
        parts.count < 2 && !digits.isEmpty
        && (KerasSlots.isKnown(own) || Self.slot(own, entry.shape) != own)
      let place =
        parts.count > 1 ? parts.dropLast().joined(separator: "/") : isNumbered ? digits : last
      let slot = Self.slot(isNumbered ? own : last, entry.shape)
      if places[place] == nil {
        places[place] = layers.count
        let path = place.split(separator: "/").map(String.init)
        layers.append(
          KerasStoredLayer(
            name: path.joined(separator: "."), path: path,
            kind: path.last.flatMap(KerasClass.kind(ofName:)), isOrdered: false))
      }
      guard let position = places[place] else { continue }
      // Two of one kind in one scope keep their own names.
      let isTaken = layers[position].variables.contains { $0.slot == slot }
      layers[position].variables.append(
        TensorFlowCheckpoint.variable(isTaken ? last : slot, entry, bundle))
    }
    if aside > 0 { ignored = ["optimiser and counters (\(KerasNames.tensors(aside)))"] }
    // The index sorts by bytes: conv10 before conv2.
    layers.sort { KerasPlaces.precedes($0.path, $1.path) }
  }

  /// What a variable is in Keras's words, by its shape and the words that people use.
  private static func slot(_ name: String, _ shape: [Int]) -> String {
    if KerasSlots.isKnown(name) { return name }
    let lowercase = name.lowercased()
    if shape.count == 4 || shape.count == 2 { return "kernel" }
    if shape.count == 1, lowercase.hasPrefix("b") || lowercase.hasSuffix("_b") { return "bias" }
    return lowercase.hasPrefix("alpha") ? "alpha" : name
  }
}
