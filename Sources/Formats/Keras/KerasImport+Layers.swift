import AviaryGraph

/// The layers, by class.
extension KerasImport {
  /// What a layer that is no model gives.
  mutating func value(
    of layer: KerasLayer, _ operands: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor {
    if let operation = ExchangedOperations.kerasMerges[layer.className] {
      return try operation.merge(layer, function: nil, operands, call, with: &self)
    }
    switch layer.className {
    case "TFOpLambda", "SlicingOpLambda", "Lambda", "TensorFlowOpLayer":
      return try operation(layer, operands, call)
    case _ where layer.module.contains(".ops"):
      return try operation(layer, operands, call)
    default: break
    }
    let x = try single(operands, of: layer)
    switch layer.className {
    case "InputLayer": return x
    case "Identity":
      leaveOut(layer)
      return x
    default:
      guard let operation = ExchangedOperations.kerasLayers[layer.className] else {
        throw layer.refusal("no operation of ours computes it")
      }
      return try operation.read(layer, x, with: &self)
    }
  }

  /// Notes a layer that does nothing in inference.
  mutating func leaveOut(_ layer: KerasLayer) {
    if idle.insert(layer.fullName).inserted { idleNames.append(layer.fullName) }
  }
}

/// Operations that stand among layers: TensorFlow's functions in Keras 2, Keras 3's own, and Lambda
/// layers of a function with a known name. No function's code is ever looked at.
extension KerasImport {
  /// What an operation gives.
  mutating func operation(
    _ layer: KerasLayer, _ given: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor {
    let word = try operationName(layer)
    if let operation = ExchangedOperations.kerasMergeFunctions[word] {
      return try operation.merge(layer, function: word, given, call, with: &self)
    }
    guard case .value(let x)? = given.first else {
      throw layer.refusal("expected a value as the first operand")
    }
    // Further operands are what others give as options.
    var arguments: [JSON] = []
    for operand in given.dropFirst() {
      guard case .constant(let json) = operand else {
        throw layer.refusal("expected one value, found \(given.count)")
      }
      arguments.append(json)
    }
    if Self.identities.contains(word) { return x }
    guard let operation = ExchangedOperations.kerasFunctions[word] else {
      throw layer.refusal("operation '\(word.prefix(60))' is not supported")
    }
    return try operation.read(
      KerasFunction(word: word, layer: layer, x: x, arguments: arguments, call: call),
      with: &self)
  }

  /// Functions that give what they are given.
  private static let identities: Set<String> = ["identity", "stopgradient", "converttotensor"]

  /// The operation's name in small letters, less what its versions differ in.
  func operationName(_ layer: KerasLayer) throws(InterchangeError) -> String {
    let stated: String
    switch layer.className {
    case "TFOpLambda", "SlicingOpLambda": stated = layer.config["function"]?.string ?? ""
    case "TensorFlowOpLayer": stated = layer.config["node_def"]?["op"]?.string ?? ""
    case "Lambda":
      let function = layer.config["function"]
      guard let name = function?.string ?? function?["config"]?.string,
        Self.lambdas.contains(Self.plain(name))
      else {
        throw layer.refusal(
          "a function of the user's own, which is never run; known by name are depth_to_space and"
            + " space_to_depth")
      }
      stated = name
    default: stated = layer.className
    }
    guard !stated.isEmpty else {
      throw layer.refusal("expected the name of an operation, found none")
    }
    return Self.plain(stated)
  }

  static func plain(_ name: String) -> String {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    let word = last.lowercased().filter { $0 != "_" }
    return word.hasSuffix("v2") ? String(word.dropLast(2)) : word
  }

  /// The functions that a Lambda's name plainly means, as TensorFlow alone has them.
  private static let lambdas: Set<String> = ["depthtospace", "spacetodepth"]

  // MARK: Constants
}

/// Models, layer by layer.
extension KerasImport {
  /// What a model gives for values: each with a name.
  mutating func values(
    of network: KerasNetwork, _ taken: [KerasTensor]
  ) throws(InterchangeError) -> [(name: String, value: KerasTensor)] {
    try countCalls(network.layers.count)
    return network.isSequential
      ? try sequence(network, taken) : try functional(network, taken)
  }

  private mutating func sequence(
    _ network: KerasNetwork, _ taken: [KerasTensor]
  ) throws(InterchangeError) -> [(name: String, value: KerasTensor)] {
    var values = taken
    for layer in network.layers where layer.className != "InputLayer" {
      values = try apply(layer, values.map { .value($0) }, KerasCall())
    }
    return values.map { (network.layers.last?.name ?? network.name, $0) }
  }

  private mutating func functional(
    _ network: KerasNetwork, _ taken: [KerasTensor]
  ) throws(InterchangeError) -> [(name: String, value: KerasTensor)] {
    let plan = try KerasOrder(network)
    guard taken.count == network.inputs.count else {
      throw .description(
        part: network.name,
        problem: "expected \(network.inputs.count) inputs, found \(taken.count)")
    }
    var results: [KerasOrder.Step: [KerasTensor]] = [:]
    for (reference, value) in zip(network.inputs, taken) {
      results[try plan.step(reference)] = [value]
    }
    func value(_ reference: KerasReference) throws(InterchangeError) -> KerasTensor {
      let values = results[try plan.step(reference)] ?? []
      guard values.indices.contains(reference.output) else {
        throw .description(
          part: network.name,
          problem: "expected output \(reference.output) of layer \(reference.layer), found none")
      }
      return values[reference.output]
    }
    for step in plan.steps where results[step] == nil {
      let layer = network.layers[step.layer]
      guard layer.calls.indices.contains(step.call) else {
        throw layer.refusal("an input layer that is not among the model's inputs")
      }
      let call = layer.calls[step.call]
      var operands: [Operand] = []
      for operand in call.operands {
        switch operand {
        case .value(let reference): operands.append(.value(try value(reference)))
        case .constant(let json): operands.append(.constant(json))
        }
      }
      // An operation's second operand may be given by its name.
      for (name, reference) in call.named.sorted(by: { $0.key < $1.key }) {
        guard Self.operandNames.contains(name) else {
          throw layer.refusal("argument '\(name)' is a value, which is not supported")
        }
        operands.append(.value(try value(reference)))
      }
      results[step] = try apply(layer, operands, call)
    }
    var given: [(name: String, value: KerasTensor)] = []
    for reference in network.outputs { given.append((reference.layer, try value(reference))) }
    return given
  }

  /// What operations call operands that may come by name.
  private static let operandNames: Set<String> = ["x", "y", "x1", "x2", "a", "b", "value", "input"]

  /// What a layer is applied to.
  enum Operand {
    case value(KerasTensor)
    case constant(JSON)
  }

  /// What a layer gives for its operands.
  private mutating func apply(
    _ layer: KerasLayer, _ operands: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> [KerasTensor] {
    if let inner = layer.network {
      return try values(of: inner, try self.values(operands, of: layer)).map(\.value)
    }
    return [try value(of: layer, operands, call)]
  }

  /// Operands that must all be values.
  func values(
    _ operands: [Operand], of layer: KerasLayer
  ) throws(InterchangeError) -> [KerasTensor] {
    var values: [KerasTensor] = []
    for operand in operands {
      guard case .value(let value) = operand else {
        throw layer.refusal("expected a value, found a constant")
      }
      values.append(value)
    }
    return values
  }

  /// The only operand.
  func single(_ operands: [Operand], of layer: KerasLayer) throws(InterchangeError) -> KerasTensor {
    let values = try values(operands, of: layer)
    guard values.count == 1 else {
      throw layer.refusal("expected 1 input, found \(values.count)")
    }
    return values[0]
  }
}
