import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

/// An optimiser's variables in Keras's files: the number of steps, the rate, then a slot or two for
/// each trainable variable in the model's order, laid out as the variable is
/// (keras/src/optimizers/adam.py, tf_keras/optimizers/adam.py).
///
/// Adam's and AdamW's slots mean what PyTorch's do. SGD's momenta are PyTorch's times the rate, and
/// negative: they are added to the weights. What other optimisers keep is left aside.
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
      // Adam's two come by turns; SGD has one.
      if name == "sgd" || place.isMultiple(of: 2) {
        slots.first.append(dataSet)
      } else {
        slots.second.append(dataSet)
      }
    }
  }

  /// Variables that an attribute lists by their names: `Adam/m/head/kernel:0`,
  /// `Adam/head/kernel/m:0` of older optimisers, `adam/model_head_kernel_momentum` in Keras 3.
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
    let hyperparameters = hyperparameters(tree)
    let kinds: [(slot: String, dataSets: [HDF5Tree.DataSet])]
    var divisor: Float?
    switch name {
    case "adam", "adamw": kinds = [("exp_avg", slots.first), ("exp_avg_sq", slots.second)]
    case "sgd":
      guard let rate = hyperparameters["lr"], Float(rate) != 0, hyperparameters["momentum"] != nil
      else { throw Problem(text: "expected a rate and a momentum, found none") }
      divisor = Float(-rate)
      kinds = [("momentum_buffer", slots.first)]
    default:
      throw Problem(text: "expected adam, adamw or sgd, found \(name ?? "no name")")
    }
    let found = slots.first.count + slots.second.count + others.count
    guard kinds.allSatisfy({ $0.dataSets.count == trainable.count }),
      found == kinds.count * trainable.count
    else { throw Problem(text: "expected \(kinds.count * trainable.count) slots, found \(found)") }
    var descriptions: [TensorDescription] = []
    // Nil for the number of steps, which PyTorch keeps with each parameter.
    var dataSets: [HDF5Tree.DataSet?] = []
    var steps: [String: [TensorStep]] = [:]
    for (place, variable) in trainable.enumerated() {
      for (slot, own) in kinds {
        let (name, dataSet) = ("\(variable.name).\(slot)", own[place])
        guard dataSet.shape == variable.shape, dataSet.elementType?.isFloatingPoint == true else {
          throw Problem(
            text: "\(name): expected shape \(variable.shape), found \(dataSet.shape); "
              + "the model's order may be another")
        }
        descriptions.append(
          TensorDescription(
            name: name, shape: dataSet.shape, elementType: .float32, storedName: dataSet.path))
        dataSets.append(dataSet)
        steps[name] = variable.steps
      }
      guard iterations != nil, divisor == nil else { continue }
      descriptions.append(
        TensorDescription(name: "\(variable.name).step", shape: [], elementType: .float32))
      dataSets.append(nil)
    }
    let taken = iterations.flatMap { Self.number($0, tree) }.flatMap { Int(exactly: $0) }
    let source = TensorSource(descriptions) {
      [dataSets, divisor] (position) throws(CheckpointError) in
      guard let dataSet = dataSets[position] else { return try .scalar(Float(taken ?? 0)) }
      var tensor = try tree.tensor(dataSet).converted(to: .float32)
      if let divisor {
        unsafe tensor.withMutableFloats { for i in $0.indices { unsafe $0[i] /= divisor } }
      }
      return tensor
    }
    guard let laid = try? source.changed({ steps[$0.name] ?? [] }) else {
      throw Problem(text: "expected slots laid out as their weights")
    }
    let group = OptimizerState.Group(
      hyperparameters: hyperparameters, parameters: trainable.map(\.name))
    return OptimizerState(algorithm: name, step: taken, groups: [group], tensors: laid)
  }

  /// PyTorch's names of what Keras calls otherwise.
  private func hyperparameters(_ tree: HDF5Tree) -> [String: Double] {
    var result: [String: Double] = [:]
    let names = [
      ("learning_rate", "lr"), ("beta_1", "beta1"), ("beta_2", "beta2"), ("epsilon", "eps"),
      ("weight_decay", "weight_decay"), ("momentum", "momentum"),
    ]
    for (theirs, ours) in names {
      result[ours] = configuration?["config"]?[theirs]?.double
    }
    result["nesterov"] = configuration?["config"]?["nesterov"]?.bool.map { $0 ? 1 : 0 }
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
