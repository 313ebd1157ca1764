import AviaryGraph
import AviaryTensor

/// An optimiser's variables in Keras's files: the number of steps, the rate, then a slot or two for
/// each trainable variable in the model's order, laid out as the variable is
/// (keras/src/optimizers/adam.py, tf_keras/optimizers/adam.py).
///
/// Adam's and AdamW's slots mean what PyTorch's do. Those of SGD hold the rate, which PyTorch's do
/// not, and are left aside, as are those of optimisers that PyTorch does not have alike.
struct KerasOptimizer {
  /// What the file calls the optimiser, in lower case: `adam`.
  var name: String?
  /// Its configuration, where the file holds one.
  var configuration: JSON?
  /// The number of steps, the rate, and the first and second slots in the order of the variables.
  private var iterations: HDF5Tree.DataSet?
  private var rate: HDF5Tree.DataSet?
  private var slots: (first: [HDF5Tree.DataSet], second: [HDF5Tree.DataSet]) = ([], [])
  private var others: [HDF5Tree.DataSet] = []

  /// Why a state is left aside.
  struct Problem: Error {
    var text: String
  }

  /// Keras 3's numbered variables, in a group `vars`, which is named after the optimiser.
  init(numbered variables: HDF5Tree.Group, configuration: JSON?) {
    self.configuration = configuration
    name = Self.className(configuration) ?? variables.attributes["name"]?.string?.lowercased()
    var numbered: [HDF5Tree.DataSet] = []
    while let dataSet = variables.dataSet(String(numbered.count)) { numbered.append(dataSet) }
    iterations = numbered.first
    // tf_keras keeps the rate in the configuration alone.
    let hasRate = numbered.count > 1 && numbered[1].shape.isEmpty
    rate = hasRate ? numbered[1] : nil
    for (place, dataSet) in numbered.dropFirst(hasRate ? 2 : 1).enumerated() {
      if place.isMultiple(of: 2) {
        slots.first.append(dataSet)
      } else {
        slots.second.append(dataSet)
      }
    }
  }

  /// Variables that an attribute lists by their names: `Adam/m/head/kernel:0`, `Adam/head/kernel/m:0`
  /// of older optimisers, `adam/model_head_kernel_momentum` in Keras 3.
  init(named names: [String], in group: HDF5Tree.Group, configuration: JSON?) {
    self.configuration = configuration
    name = Self.className(configuration)
    for full in names {
      guard let dataSet = group.dataSet(full) else { continue }
      let parts = KerasNames.withoutOutput(full).split(separator: "/").map(String.init)
      let last = parts.last ?? ""
      if name == nil, parts.count > 1 { name = parts[0].lowercased() }
      let words = parts.dropFirst()
      if ["iter", "iteration", "iterations"].contains(last) {
        iterations = dataSet
      } else if last == "learning_rate" {
        rate = dataSet
      } else if words.first == "m" || last == "m" || last.hasSuffix("_momentum") {
        slots.first.append(dataSet)
      } else if words.first == "v" || last == "v" || last.hasSuffix("_velocity") {
        slots.second.append(dataSet)
      } else {
        others.append(dataSet)
      }
    }
  }

  /// The class in a configuration, less what the registration puts before it: `adam`.
  private static func className(_ configuration: JSON?) -> String? {
    configuration?["class_name"]?.string?.split(separator: ">").last?.lowercased()
  }

  /// The state of these tensors; nil where no step was taken yet.
  ///
  /// - Parameter trainable: the variables that are trained, in the model's order.
  /// - Throws: why it is left aside.
  func state(
    of trainable: [KerasTensors.Variable], _ tree: HDF5Tree
  ) throws(Problem) -> OptimizerState? {
    guard !slots.first.isEmpty || !others.isEmpty else { return nil }
    guard let name, ["adam", "adamw"].contains(name) else {
      throw Problem(text: "only Adam's state is known to be PyTorch's, \(name ?? "no name") found")
    }
    guard others.isEmpty, slots.first.count == trainable.count,
      slots.second.count == trainable.count
    else {
      let found = slots.first.count + slots.second.count + others.count
      throw Problem(text: "\(2 * trainable.count) slots expected, \(found) found")
    }
    var descriptions: [TensorDescription] = []
    var dataSets: [HDF5Tree.DataSet] = []
    var steps: [String: [TensorStep]] = [:]
    for (place, variable) in trainable.enumerated() {
      for (slot, dataSet) in [
        ("exp_avg", slots.first[place]), ("exp_avg_sq", slots.second[place]),
      ] {
        guard dataSet.shape == variable.shape, let type = dataSet.elementType,
          type.isFloatingPoint
        else {
          throw Problem(
            text: "\(variable.name).\(slot): shape \(variable.shape) expected, "
              + "\(dataSet.shape) found; the model's order may be another")
        }
        descriptions.append(
          TensorDescription(
            name: "\(variable.name).\(slot)", shape: dataSet.shape, elementType: type,
            storedName: dataSet.path))
        dataSets.append(dataSet)
        steps["\(variable.name).\(slot)"] = variable.steps
      }
      guard iterations != nil else { continue }
      descriptions.append(
        TensorDescription(name: "\(variable.name).step", shape: [], elementType: .float32))
    }
    let taken = iterations.flatMap { Self.number($0, tree) }.flatMap { Int(exactly: $0) }
    let source = TensorSource(descriptions) {
      [descriptions, dataSets, iterations] (position) throws(CheckpointError) in
      guard descriptions[position].name.hasSuffix(".step") else {
        // Two of three, where there is a number of steps.
        return try tree.tensor(
          dataSets[iterations == nil ? position : position / 3 * 2 + position % 3])
      }
      return try .scalar(Float(taken ?? 0))
    }
    guard let laid = try? source.changed({ steps[$0.name] ?? [] }) else {
      throw Problem(text: "slots laid out as their weights expected")
    }
    let group = OptimizerState.Group(
      hyperparameters: hyperparameters(tree), parameters: trainable.map(\.name))
    return OptimizerState(algorithm: name, step: taken, groups: [group], tensors: laid)
  }

  /// PyTorch's names of what Keras calls otherwise.
  private func hyperparameters(_ tree: HDF5Tree) -> [String: Double] {
    var result: [String: Double] = [:]
    let names = [
      ("learning_rate", "lr"), ("beta_1", "beta1"), ("beta_2", "beta2"), ("epsilon", "eps"),
      ("weight_decay", "weight_decay"),
    ]
    for (theirs, ours) in names {
      result[ours] = configuration?["config"]?[theirs]?.double
    }
    // What the rate is now says more than what it was to be.
    if let rate = rate.flatMap({ Self.number($0, tree) }) { result["lr"] = rate }
    return result
  }

  /// The number that a data set of one element is; nil for anything else.
  private static func number(_ dataSet: HDF5Tree.DataSet, _ tree: HDF5Tree) -> Double? {
    guard dataSet.shape.isEmpty, let tensor = try? tree.tensor(dataSet) else { return nil }
    // A rate in float32 is the nearest to the decimal number that was meant.
    let value = tensor.converted(to: .float32).floats.first.map(Double.init)
    return value?.isFinite == true ? value : nil
  }
}
