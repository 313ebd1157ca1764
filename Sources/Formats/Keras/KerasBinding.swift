import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

/// Where a parameter of an imported graph comes from.
struct KerasBinding {
  /// A tensor of the file, and what it goes through; or a tensor that the configuration amounts to.
  enum Source {
    case file(Int, [TensorStep])
    case made(Tensor)
  }

  var source: Source
  /// The layer and the variable, for messages.
  var label: String
}

extension KerasImport {
  /// Binds a parameter to a variable of the layer in the file.
  ///
  /// - Parameters:
  ///   - suffix: the last part of the parameter's name.
  ///   - shape: what the graph needs.
  ///   - variables: what the file may call the variable: by its slot, or by its number.
  ///   - steps: what makes the shape of the file's, which has PyTorch's layout.
  /// - Returns: the parameter's name.
  mutating func bind(
    _ layer: KerasLayer, _ suffix: String, _ shape: [Int], from variables: [String]? = nil,
    steps: [TensorStep] = []
  ) throws(InterchangeError) -> String {
    let name = "\(layer.fullName).\(suffix)"
    let position = try position(of: variables ?? [suffix], layer)
    let stored = file.tensors[position].shape
    var found: [Int]? = stored
    for step in steps { found = found.flatMap { try? step.shape(of: $0) } }
    guard found == shape else {
      throw .weights(
        layer: layer.name, expected: "\(suffix) of shape \(shape)",
        found: "\(found ?? stored)\(found == nil || steps.isEmpty ? "" : " of \(stored)")")
    }
    try bind(
      name, KerasBinding(source: .file(position, steps), label: layer.name), layer)
    return name
  }

  /// Binds a parameter to numbers that the configuration gives.
  mutating func bind(
    _ layer: KerasLayer, _ suffix: String, made tensor: Tensor
  ) throws(InterchangeError) -> String {
    let name = "\(layer.fullName).\(suffix)"
    try bind(name, KerasBinding(source: .made(tensor), label: layer.name), layer)
    return name
  }

  private mutating func bind(
    _ name: String, _ binding: KerasBinding, _ layer: KerasLayer
  ) throws(InterchangeError) {
    if case .file(let position, let steps)? = bindings[name]?.source {
      // A layer that is used twice has its weights once, in one layout.
      guard case .file(position, steps) = binding.source else {
        throw layer.refusal("used twice, with weights in another order each time")
      }
      return
    }
    bindings[name] = binding
    if !layer.isTrainable { frozen.insert(name) }
  }

  /// The position of a layer's variable among the file's tensors.
  func position(
    of variables: [String], _ layer: KerasLayer
  ) throws(InterchangeError) -> Int {
    for variable in variables {
      if let position = positions["\(layer.fullName).\(variable)"] { return position }
    }
    throw .weights(layer: layer.name, expected: variables[0], found: "none")
  }

  /// The tensors of the graph's parameters.
  func weights(of graph: Graph) throws(InterchangeError) -> TensorSource {
    var descriptions: [TensorDescription] = []
    var sources: [KerasBinding.Source] = []
    for parameter in graph.parameters {
      if parameter.role == .nonPersistent, let counter = try? Tensor(zeros: [], elementType: .int64)
      {
        // PyTorch's counter of steps, which Keras does not have.
        descriptions.append(
          TensorDescription(
            name: parameter.name, shape: [], elementType: .int64, isNonPersistent: true))
        sources.append(.made(counter))
        continue
      }
      guard let binding = bindings[parameter.name] else { continue }
      switch binding.source {
      case .file(let position, let steps):
        var description = file.tensors[position]
        description.name = parameter.name
        description.alias = nil
        description.steps += steps
        description.shape = parameter.shape
        descriptions.append(description)
      case .made(let tensor):
        descriptions.append(
          TensorDescription(
            name: parameter.name, shape: tensor.shape, elementType: tensor.elementType,
            storedName: "the configuration of \(binding.label)"))
      }
      guard descriptions[descriptions.count - 1].shape == parameter.shape else {
        throw .weights(
          layer: binding.label, expected: "\(parameter.name) of shape \(parameter.shape)",
          found: "\(descriptions[descriptions.count - 1].shape)")
      }
      sources.append(binding.source)
    }
    let tensors = file.tensors
    return TensorSource(descriptions) { [descriptions, sources] (place) throws(CheckpointError) in
      switch sources[place] {
      case .made(let tensor): return tensor
      case .file(let position, let steps):
        let tensor = try tensors.tensor(at: position)
        do throws(TensorError) {
          return try steps.applied(to: tensor)
        } catch {
          // Shapes were checked above: a reader that gives another tensor than it described.
          throw .damaged(
            path: descriptions[place].storedName, part: "the tensor", reason: "\(error)")
        }
      }
    }
  }

  /// The numbers of a small variable, which become part of the graph.
  func numbers(
    of variables: [String], count: Int, _ layer: KerasLayer
  ) throws(InterchangeError) -> [Double] {
    let position = try position(of: variables, layer)
    let description = file.tensors[position]
    guard description.count == count else {
      throw .weights(
        layer: layer.name, expected: "\(variables[0]) of \(count) elements",
        found: "\(description.shape)")
    }
    do throws(CheckpointError) {
      return try file.tensors.tensor(at: position).floats.map(Double.init)
    } catch {
      throw .weights(layer: layer.name, expected: variables[0], found: "\(error)")
    }
  }
}
