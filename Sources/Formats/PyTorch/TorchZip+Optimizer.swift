import AviaryCheckpoint
import AviaryContainers
import AviaryTensor

/// The state of an optimiser as `torch.optim` takes it back.
extension TorchZip {
  /// What PyTorch keeps as a truth value.
  private static let flags: Set<String> = [
    "amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused", "nesterov",
    "decoupled_weight_decay", "centered",
  ]

  /// What `load_state_dict` needs and does not make up itself, where the source did not say it:
  /// PyTorch's own defaults (torch/optim/adam.py, adamw.py, sgd.py).
  private static let defaults: [String: [String: Double]] = [
    "adam": [
      "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0, "amsgrad": 0,
    ],
    "adamw": [
      "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01, "amsgrad": 0,
      "decoupled_weight_decay": 1,
    ],
    "sgd": ["lr": 1e-3, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": 0],
  ]

  /// Pushes `{"state": {number: {slot: tensor}}, "param_groups": [{…, "params": [number]}]}`, the
  /// slots' storages numbered after those of the weights.
  static func add(
    _ optimizer: OptimizerState, of weights: TensorSource, to pickle: inout PickleWriter
  ) {
    let names = optimizer.groups.flatMap(\.parameters)
    var slots: [String: [Int]] = [:]
    for (position, tensor) in optimizer.tensors.enumerated() {
      slots[OptimizerState.split(tensor.name).parameter, default: []].append(position)
    }
    pickle.put(.emptyDictionary)
    pickle.put(.mark)
    pickle.text("state")
    pickle.put(.emptyDictionary)
    pickle.put(.mark)
    for (number, name) in names.enumerated() {
      guard let own = slots[name] else { continue }
      pickle.integer(number)
      pickle.put(.emptyDictionary)
      pickle.put(.mark)
      for position in own {
        let tensor = optimizer.tensors[position]
        pickle.text(OptimizerState.split(tensor.name).slot)
        rebuild(tensor, storage: weights.count + position, &pickle)
      }
      pickle.put(.setItems)
    }
    pickle.put(.setItems)
    pickle.text("param_groups")
    pickle.put(.emptyList)
    pickle.put(.mark)
    // Numbers alone say which parameter is which only where they count all in the model's order.
    let isWhole = names == OptimizerState.learned(weights).map(\.name)
    var next = 0
    for group in optimizer.groups {
      add(group, numberedFrom: next, isNamed: !isWhole, algorithm: optimizer.algorithm, &pickle)
      next += group.parameters.count
    }
    pickle.put(.appends)
    pickle.put(.setItems)
  }

  private static func add(
    _ group: OptimizerState.Group, numberedFrom first: Int, isNamed: Bool, algorithm: String?,
    _ pickle: inout PickleWriter
  ) {
    var values = group.hyperparameters
    values.merge(algorithm.flatMap { defaults[$0] } ?? [:]) { own, _ in own }
    pickle.put(.emptyDictionary)
    pickle.put(.mark)
    if let beta1 = values.removeValue(forKey: "beta1"),
      let beta2 = values.removeValue(forKey: "beta2")
    {
      pickle.text("betas")
      pickle.put(.mark)
      pickle.float(beta1)
      pickle.float(beta2)
      pickle.put(.tuple)
    }
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      pickle.text(name)
      if flags.contains(name) {
        pickle.put(value == 0 ? .newFalse : .newTrue)
      } else {
        pickle.float(value)
      }
    }
    if isNamed {
      pickle.text("param_names")
      list(group.parameters, &pickle) { $1.text($0) }
    }
    pickle.text("params")
    list(group.parameters.indices.map { first + $0 }, &pickle) { $1.integer($0) }
    pickle.put(.setItems)
  }

  private static func list<Element>(
    _ elements: [Element], _ pickle: inout PickleWriter,
    _ push: (Element, inout PickleWriter) -> Void
  ) {
    pickle.put(.emptyList)
    pickle.put(.mark)
    for element in elements { push(element, &pickle) }
    pickle.put(.appends)
  }
}
