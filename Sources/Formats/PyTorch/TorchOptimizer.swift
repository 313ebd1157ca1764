import AviaryCheckpoint
import AviaryContainers
import AviaryTensor

/// The state of an optimiser as `torch.optim.Optimizer.state_dict()` gives it: slots by the number
/// of the parameter, and groups of parameters with what they are trained by
/// (torch/optim/optimizer.py).
struct TorchOptimizer {
  /// A slot's value: a tensor of the file, or a number that the pickle itself holds.
  enum Value {
    case view(TorchTensor)
    case number(Float)
  }

  private(set) var slots: [(name: String, value: Value)] = []
  private(set) var groups: [OptimizerState.Group] = []
  /// How many entries may still be looked at: what is shared can be met any number of times.
  private var budget = 2_000_000

  /// Why a state is left aside.
  struct Problem: Error {
    var text: String
  }

  private static let limits = (groups: 4096, slots: 16)

  /// The dictionaries of states that a value is: itself, or those that it lists, as Lightning does.
  static func candidates(_ value: PickleValue, _ objects: TorchObjects) -> [PickleValue] {
    let listed = objects.heap.items(value) ?? [value]
    return listed.prefix(16).filter { value in
      guard let entries = objects.heap.entries(value), entries.count <= 64 else { return false }
      return Set(entries.compactMap(objects.heap.text)).isSuperset(of: ["state", "param_groups"])
    }
  }

  /// Takes a state apart.
  ///
  /// - Parameter parameters: those of the model in its order, the buffers not among them.
  /// - Throws: why it is not a state of these.
  init(
    _ value: PickleValue, of parameters: [TensorDescription], _ objects: TorchObjects
  ) throws(Problem) {
    let fields = try entries(value, objects)
    guard let listed = fields.first(where: { $0.key == "param_groups" }),
      let groups = objects.heap.items(listed.value), groups.count <= Self.limits.groups,
      let states = fields.first(where: { $0.key == "state" })
    else { throw Problem(text: "expected groups of parameters, found none") }
    var names: [String: TensorDescription] = [:]
    let places = Dictionary(parameters.map { ($0.name, $0) }) { $1 }
    var number = 0
    var isNamed = true
    for group in groups {
      let entries = try entries(group, objects)
      guard
        let identifiers = entries.first(where: { $0.key == "params" })
          .flatMap({ objects.heap.items($0.value) })
      else { throw Problem(text: "expected the numbers of a group's parameters, found none") }
      let own = entries.first { $0.key == "param_names" }.flatMap { objects.heap.items($0.value) }
      isNamed = isNamed && own != nil
      var members: [String] = []
      for (place, identifier) in identifiers.enumerated() {
        let parameter: TensorDescription?
        if let own {
          let name = place < own.count ? objects.heap.text(own[place]) : nil
          parameter = name.flatMap { places[$0] }
        } else {
          // The numbers count the parameters of all groups, which are commonly the model's order.
          parameter = number < parameters.count ? parameters[number] : nil
        }
        number += 1
        guard case .integer(let key) = identifier, let parameter,
          names.updateValue(parameter, forKey: String(key)) == nil
        else {
          throw Problem(
            text:
              "parameter \(number - 1) is none of the \(parameters.count), or stands there twice"
          )
        }
        members.append(parameter.name)
      }
      self.groups.append(
        OptimizerState.Group(
          hyperparameters: Self.hyperparameters(entries, objects), parameters: members))
    }
    // A part of them without names could be any part.
    guard Set(names.values.map(\.name)).count == number, number == parameters.count || isNamed
    else { throw Problem(text: "expected \(parameters.count) parameters, found \(number)") }
    try read(entries(states.value, objects), names, objects)
  }

  /// The keys and values of a dictionary. An optimiser's are plain ones.
  private mutating func entries(
    _ value: PickleValue, _ objects: TorchObjects
  ) throws(Problem) -> [(key: String, value: PickleValue)] {
    budget -= 1 + objects.heap.extent(value)
    guard budget >= 0 else { throw Problem(text: "more entries than any optimiser's") }
    guard objects.heap.entries(value) != nil else {
      throw Problem(text: "expected a dictionary, found none")
    }
    return objects.dictionary(value) ?? []
  }

  private mutating func read(
    _ states: [(key: String, value: PickleValue)], _ names: [String: TensorDescription],
    _ objects: TorchObjects
  ) throws(Problem) {
    for (key, state) in states {
      guard let parameter = names[key] else {
        throw Problem(text: "state of parameter \(key), which is in no group")
      }
      for (slot, value) in try entries(state, objects).prefix(Self.limits.slots) {
        // A slot's name is the last part of a tensor's.
        guard !slot.isEmpty, !slot.contains(where: { $0 == "." || $0 == "/" || $0 == "\0" }) else {
          throw Problem(text: "\(parameter.name): a slot named '\(slot)'")
        }
        let name = "\(parameter.name).\(slot)"
        switch value {
        case .none: continue
        case .integer(let number): slots.append((name, .number(Float(number))))
        case .float(let number): slots.append((name, .number(Float(number))))
        default:
          slots.append((name, .view(try Self.view(value, name, parameter.shape, objects))))
        }
      }
    }
  }

  private static func view(
    _ value: PickleValue, _ name: String, _ shape: [Int], _ objects: TorchObjects
  ) throws(Problem) -> TorchTensor {
    let found: TorchTensor?
    do throws(CheckpointError) {
      found = try objects.tensor(value, name: name)
    } catch {
      throw Problem(text: "\(error)")
    }
    guard let found else { throw Problem(text: "\(name): expected a tensor, found none") }
    guard found.shape == shape || name.hasSuffix(".step") && found.count == 1 else {
      throw Problem(text: "\(name): expected shape \(shape), found \(found.shape)")
    }
    return found
  }

  private static func hyperparameters(
    _ entries: [(key: String, value: PickleValue)], _ objects: TorchObjects
  ) -> [String: Double] {
    var result: [String: Double] = [:]
    for (key, value) in entries.prefix(64) {
      if key == "betas", let pair = objects.heap.items(value), pair.count == 2 {
        result["beta1"] = number(pair[0])
        result["beta2"] = number(pair[1])
      } else {
        result[key] = number(value)
      }
    }
    return result
  }

  /// A finite number, or a truth value as one.
  private static func number(_ value: PickleValue) -> Double? {
    switch value {
    case .bool(let value): value ? 1 : 0
    case .integer(let value): Double(value)
    case .float(let value): value.isFinite ? value : nil
    case .none, .reference: nil
    }
  }
}

extension TorchOptimizer {
  /// The tensors that are in the file.
  var views: [(name: String, tensor: TorchTensor)] {
    slots.compactMap { name, value in
      if case .view(let view) = value { (name, view) } else { nil }
    }
  }

  /// The state, with its tensors read when asked for.
  ///
  /// - Parameter start: the position of the first of `views` among `tensors`.
  func state(_ tensors: TorchTensors, from start: Int) -> OptimizerState {
    var places: [Int?] = []
    var next = start
    var descriptions: [TensorDescription] = []
    for (name, value) in slots {
      switch value {
      case .view(let view):
        descriptions.append(
          TensorDescription(name: name, shape: view.shape, elementType: view.elementType))
        places.append(next)
        next += 1
      case .number:
        // PyTorch makes tensors of older files' numbers too.
        descriptions.append(TensorDescription(name: name, shape: [], elementType: .float32))
        places.append(nil)
      }
    }
    let source = TensorSource(descriptions) {
      [places, slots] (position) throws(CheckpointError) in
      if let place = places[position] { return try tensors.tensor(place) }
      guard case .number(let number) = slots[position].value else { return try .scalar(0) }
      return try .scalar(number)
    }
    return OptimizerState(algorithm: algorithm, step: step(source), groups: groups, tensors: source)
  }

  /// Slots and hyperparameters that an algorithm alone has; the file does not name it.
  private var algorithm: String? {
    let names = Set(slots.map { OptimizerState.split($0.name).slot })
    let known = groups.first?.hyperparameters ?? [:]
    if known["amsgrad"] != nil,
      names.isSubset(of: ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"])
    {
      return known["decoupled_weight_decay"] == 1 ? "adamw" : "adam"
    }
    if known["dampening"] != nil, names.isSubset(of: ["momentum_buffer"]) { return "sgd" }
    return nil
  }

  /// The number of steps, which is one element: no storage of any size is read for it.
  private func step(_ source: TensorSource) -> Int? {
    guard let position = slots.firstIndex(where: { $0.name.hasSuffix(".step") }) else { return nil }
    if case .view(let view) = slots[position].value, view.storage.byteCount ?? .max > 4096 {
      return nil
    }
    return (try? source.tensor(at: position).converted(to: .float32).floats.first)
      .flatMap { Int(exactly: $0.rounded()) }
  }
}

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
