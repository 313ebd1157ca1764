import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

// The operands of a node: what is known of them, and as what a node takes them.
/// What a value of an ONNX graph is to us.
enum ONNXOperand {
  /// A value of our graph, by its number.
  case value(Int)
  /// Numbers at hand.
  case numbers(ONNXNumbers)
  /// A constant too large to be looked into, or not yet looked into.
  case tensor(ONNXTensor)
  /// Constants turned about, which a layer takes as a weight of the file.
  case weight
  /// What several operators together make an operation of ours, of which some are read.
  case part(ONNXPart)
}

extension ONNXReader {
  /// What is known of an input of the node.
  func given(_ input: Int) throws(InterchangeError) -> ONNXOperand {
    guard let name = node.input(input) else {
      throw unsupported("expected input \(input + 1), found none")
    }
    guard let operand = operand(name) else { throw unsupported("no earlier node gives \(name)") }
    return operand
  }

  /// An input of the node as a value of ours.
  mutating func value(_ input: Int) throws(InterchangeError) -> Int {
    let constant = node.input(input) ?? ""
    switch try given(input) {
    case .value(let value): return value
    case .tensor(let tensor): return try learnedConstant(tensor, constant)
    case .numbers(let numbers): return try learnedConstant(numbers, constant)
    case .weight:
      throw unsupported(
        "input \(input + 1) is a constant, where a value of the network is expected")
    case .part(let part): throw unsupported("input \(input + 1) is \(part.text)")
    }
  }

  /// The name of the weight at an input of the node, and its description: a tensor of the file, or what
  /// the file calculates from such.
  mutating func parameter(
    _ input: Int
  ) throws(InterchangeError) -> (name: String, shape: [Int])? {
    guard node.input(input) != nil else { return nil }
    let slot = ONNXParameters.Slot(node: position, input: input)
    if let name = model.parameters.names[slot] {
      guard let tensor = file.tensors[name] else {
        throw unsupported("input \(input + 1): the file has no weights \(name)")
      }
      return (name, tensor.shape)
    }
    guard let numbers = try numbers(input) else {
      throw unsupported("input \(input + 1): weights are needed where there are values")
    }
    let weight = ExchangedOperations.onnxWeights[node.kind]?.first { $0.input == input }
    var tensor = try tensor(numbers)
    do {
      for step in ONNXParameters.steps(
        node, weight ?? ONNXWeight(input: input, suffix: "weight"), tensor.shape)
      { tensor = try [step].applied(to: tensor) }
    } catch {
      throw unsupported("\(error)")
    }
    let name = unusedName(
      "\(ONNXParameters.stem(of: node, position)).\(weight?.suffix ?? "weight")")
    made[name] = tensor
    return (name, tensor.shape)
  }

  /// A name for a parameter that neither the file nor an earlier node has.
  func unusedName(_ base: String) -> String {
    var (name, number) = (base, 1)
    while made[name] != nil || file.tensors[name] != nil {
      number += 1
      name = "\(base)_\(number)"
    }
    return name
  }

  /// The layer's name, from its weight's.
  func layer(_ weight: String) -> String? {
    weight.hasSuffix(".weight") ? String(weight.dropLast(".weight".count)) : nil
  }

  /// An operation of the first input alone.
  mutating func one(_ op: Op) throws(InterchangeError) -> ONNXOperand {
    .value(try add(op, [try value(0)]))
  }

  /// The axes of an attribute, from 0 on.
  func axis(_ axis: Int, rank: Int) throws(InterchangeError) -> Int {
    guard (-rank..<rank).contains(axis) else {
      throw unsupported("axis \(axis) of \(rank) dimensions")
    }
    return axis < 0 ? axis + rank : axis
  }

  func constant() throws(InterchangeError) -> ONNXOperand {
    guard case .tensor(let tensor) = node.attributes["value"] else {
      throw unsupported("expected a constant of numbers")
    }
    return .tensor(tensor)
  }
}
