package import AviaryContainers
package import AviaryTensor

/// What an optimiser remembers between steps, by the parameters that it is about.
///
/// Names and layouts are PyTorch's: the tensor `head.weight.exp_avg` is the slot `exp_avg` of the
/// parameter `head.weight` and has its shape; `head.weight.step` is a scalar.
public struct OptimizerState: Sendable {
  /// Parameters that are trained alike.
  public struct Group: Codable, Hashable, Sendable {
    /// PyTorch's names and values: `lr`, `eps`, `weight_decay`; `beta1` and `beta2` for the pair
    /// `betas`; 1 and 0 for true and false.
    public var hyperparameters: [String: Double]
    /// The parameters' names in the model's order; those without a state too.
    public var parameters: [String]

    /// A group.
    public init(hyperparameters: [String: Double], parameters: [String]) {
      self.hyperparameters = hyperparameters
      self.parameters = parameters
    }
  }

  /// `adam`, `adamw`, `sgd`; nil where it is not known.
  public var algorithm: String?
  /// How many steps were taken, as the first parameter has it; nil where nothing says.
  public var step: Int?
  /// The parameters, each in one group.
  public var groups: [Group]
  /// The slots, named `<parameter>.<slot>`, read when asked for.
  public var tensors: TensorSource

  /// A state.
  public init(algorithm: String?, step: Int?, groups: [Group], tensors: TensorSource) {
    self.algorithm = algorithm
    self.step = step
    self.groups = groups
    self.tensors = tensors
  }

  /// The tensors that an optimiser is given, in order: parameters and not buffers, each once.
  package static func learned(_ tensors: some Sequence<TensorDescription>) -> [TensorDescription] {
    tensors.filter { tensor in
      !tensor.isNonPersistent && tensor.alias == nil
        && !["running_mean", "running_var"].contains(split(tensor.name).slot)
    }
  }

  /// The parameter and the slot of a tensor's name.
  package static func split(_ name: String) -> (parameter: String, slot: String) {
    guard let dot = name.lastIndex(of: ".") else { return ("", name) }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }

  /// The same state in element types that the native format holds.
  package var storable: OptimizerState {
    var result = self
    result.tensors = tensors.storable
    return result
  }

  /// The same state with the parameters under other names.
  package func renamed(_ name: (String) -> String) -> OptimizerState {
    var result = self
    result.tensors = tensors.renamed { old in
      let (parameter, slot) = Self.split(old)
      return "\(name(parameter)).\(slot)"
    }
    for i in groups.indices {
      result.groups[i].parameters = groups[i].parameters.map(name)
    }
    return result
  }
}

extension OptimizerState {
  /// The state of parameters that were renamed and laid out anew, with the same done to it. Which
  /// parameter is which the names in the file tell.
  ///
  /// - Parameters:
  ///   - old: the tensors that the state is about.
  ///   - new: what became of them; tensors that are not there any more lose their state.
  /// - Returns: the state, nil where none of it is left; and what was lost, in words.
  package func following(
    from old: TensorSource, to new: TensorSource
  ) -> (state: OptimizerState?, lost: [String]) {
    let byStored = Dictionary(new.map { ($0.storedName, $0) }) { first, _ in first }
    var targets: [String: TensorDescription] = [:]
    for tensor in old { targets[tensor.name] = byStored[tensor.storedName] }
    var kept: [Int] = []
    var steps: [String: [TensorStep]] = [:]
    var names: [String: String] = [:]
    var lost: [String] = []
    for (position, tensor) in tensors.enumerated() {
      let (parameter, slot) = Self.split(tensor.name)
      guard let original = old[parameter], let target = targets[parameter] else {
        lost.append("optimiser: \(tensor.name): no parameter for it")
        continue
      }
      // By its dimensions: their product may overflow in a file of our own.
      let isScalar = slot == "step" && tensor.shape.allSatisfy { $0 == 1 }
      let isAlike = tensor.shape == original.shape
      let taken = isScalar || !isAlike ? [] : original.stepsTaken(to: target)
      var shape: [Int]? = tensor.shape
      for step in taken { shape = shape.flatMap { try? step.shape(of: $0) } }
      guard isScalar || isAlike && shape == target.shape else {
        lost.append(
          "optimiser: \(tensor.name): expected shape \(original.shape), found \(tensor.shape)")
        continue
      }
      kept.append(position)
      steps[tensor.name] = taken
      names[tensor.name] = "\(target.name).\(slot)"
    }
    let chosen = tensors.selecting(kept)
    // The shapes were tried above.
    guard let changed = try? chosen.changed({ steps[$0.name] ?? [] }),
      tensors.isEmpty || !kept.isEmpty
    else { return (nil, lost) }
    var result = self
    result.tensors = changed.renamed { names[$0] ?? $0 }
    let places = Dictionary(new.names.enumerated().map { ($1, $0) }) { $1 }
    for i in groups.indices {
      result.groups[i].parameters = groups[i].parameters.compactMap { targets[$0]?.name }
        .sorted { (places[$0] ?? 0, $0) < (places[$1] ?? 0, $1) }
    }
    return (result, lost)
  }
}

extension TensorDescription {
  /// What was done to this tensor on the way to another description of it, but for its type: a
  /// state has a type of its own.
  fileprivate func stepsTaken(to later: TensorDescription) -> [TensorStep] {
    later.steps.dropFirst(steps.count).filter { step in
      if case .converted = step { false } else { true }
    }
  }
}

extension Tensor {
  /// A tensor of one float32, without dimensions.
  package static func scalar(_ value: Float) throws(CheckpointError) -> Tensor {
    do {
      return try Tensor(shape: [], [value])
    } catch {
      throw .damaged(path: "", part: "a scalar", reason: error.description)
    }
  }
}
