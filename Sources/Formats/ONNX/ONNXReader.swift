import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

/// Follows an ONNX graph, node by node, and writes ours.
struct ONNXReader {
  let model: ONNXModel
  let file: WeightsFile
  let inputs: [ONNXInput]
  let samples: ONNXSamples
  /// What is known of ONNX's values, by name.
  var operands: [String: ONNXOperand] = [:]
  /// Our nodes.
  private(set) var nodes: [Graph.Node] = []
  /// The shapes of our values for each image: first by value.
  private(set) var shapes: [[[Int]]] = []
  /// Weights that the file leaves out, as it may.
  var made: [String: Tensor] = [:]
  /// How many numbers were calculated.
  var numberCount = 0
  /// The node that is read.
  private(set) var node = ONNXModel.Node()
  private(set) var position = 0
  private var names: Set<String> = []
  /// The last number that was put behind a name.
  private var numbers: [String: Int] = [:]

  init(
    _ model: ONNXModel, _ file: WeightsFile, _ inputs: [ONNXInput], _ samples: ONNXSamples
  ) {
    (self.model, self.file, self.inputs, self.samples) = (model, file, inputs, samples)
  }

  /// The version of ONNX's own operators that the model is written for.
  var version: Int { model.operatorSets[""] ?? 1 }

  /// Reads the whole graph.
  mutating func graph() throws(InterchangeError) -> ImportedGraph {
    for (position, input) in inputs.enumerated() {
      operands[input.name] = .value(position)
      names.insert(input.name)
      shapes.append(samples.shapes.map { $0[position] })
    }
    for (position, node) in model.nodes.enumerated() {
      (self.node, self.position) = (node, position)
      try readNode()
    }
    var outputs: [Graph.Output] = []
    for port in model.outputs {
      guard case .value(let value) = operand(port.name) else {
        throw .description(
          part: "output \(port.name)", problem: "expected a value of the network, found none")
      }
      outputs.append(Graph.Output(port.name, value: value))
    }
    return try finished(outputs)
  }

  /// What is known of a value.
  func operand(_ name: String) -> ONNXOperand? {
    operands[name] ?? model.constants[name].map { .tensor($0) }
  }

  // MARK: - Our graph

  /// Adds a node, named after the node that is read.
  ///
  /// - Parameter name: the layer's name, where its weights tell one.
  mutating func add(
    _ op: Op, _ values: [Int], name: String? = nil, parameters: [String] = []
  ) throws(InterchangeError) -> Int {
    guard nodes.count < GraphLimits.nodes else {
      throw .graph(.limit("nodes", value: nodes.count + 1, limit: GraphLimits.nodes))
    }
    let name = unique(name ?? ONNXParameters.stem(of: node, position))
    do {
      try op.checkAttributes(node: name)
    } catch {
      throw unsupported("\(error)")
    }
    var results: [[Int]] = []
    for sample in samples.shapes.indices {
      do {
        results.append(try op.outputShape(values.map { shapes[$0][sample] }))
      } catch {
        throw unsupported("\(error)")
      }
    }
    nodes.append(Graph.Node(name, op, inputs: values, parameters: parameters))
    shapes.append(results)
    return shapes.count - 1
  }

  /// The node that gives a value of ours; nil for an input.
  func source(_ value: Int) -> Graph.Node? {
    value < inputs.count ? nil : nodes[value - inputs.count]
  }

  /// The number of dimensions of a value.
  func rank(_ value: Int) -> Int { shapes[value][0].count }

  private mutating func unique(_ name: String) -> String {
    let base = String(name.prefix(128))
    var result = base
    while !names.insert(result).inserted {
      numbers[base, default: 1] += 1
      result = "\(base)_\(numbers[base, default: 1])"
    }
    return result
  }

  // MARK: - Errors

  /// An error about the node that is read.
  func unsupported(_ why: String) -> InterchangeError {
    let name = node.name.isEmpty ? node.outputs.first ?? "" : node.name
    return .layer(
      name, kind: node.kind, place: "node \(position + 1) of \(model.nodes.count)", why: why)
  }

  // MARK: - The end

  /// The graph of what the outputs need.
  private func finished(_ outputs: [Graph.Output]) throws(InterchangeError) -> ImportedGraph {
    var needed = [Bool](repeating: false, count: shapes.count)
    for output in outputs { needed[output.value] = true }
    for (position, node) in nodes.enumerated().reversed() where needed[inputs.count + position] {
      for value in node.inputs { needed[value] = true }
    }
    var numbers = Array(0..<inputs.count)
    var kept: [Graph.Node] = []
    for (position, node) in nodes.enumerated() {
      numbers.append(inputs.count + kept.count)
      guard needed[inputs.count + position] else { continue }
      var node = node
      node.inputs = node.inputs.map { numbers[$0] }
      kept.append(node)
    }
    // A size is kept only by the attempt that found no other way.
    let keepsSize = samples.shapes.allSatisfy { sample in
      zip(sample, samples.shapes[0]).allSatisfy { $0.suffix(2) == $1.suffix(2) }
    }
    var notes: [String] = []
    let ports = inputs.map { input in
      if let size = input.size, !keepsSize {
        notes.append(
          "input \(input.name): the size of \(size.height)x\(size.width) is let go, as nothing in "
            + "the network depends on it")
      }
      return Graph.Input(
        input.name, channels: input.channels, size: keepsSize ? input.size : nil)
    }
    do {
      let graph = try Graph(
        inputs: ports, nodes: kept,
        outputs: outputs.map { Graph.Output($0.name, value: numbers[$0.value]) })
      return ImportedGraph(graph: graph, weights: try weights(of: graph), notes: notes)
    } catch let error as GraphError {
      throw .graph(error)
    } catch let error as InterchangeError {
      throw error
    } catch {
      throw .description(part: file.path, problem: "\(error)")
    }
  }

  /// One tensor for each parameter of the graph, of the shape that it wants.
  private func weights(of graph: Graph) throws(InterchangeError) -> TensorSource {
    var descriptions: [TensorDescription] = []
    var places: [Int?] = []
    let positions = Dictionary(
      file.tensors.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
    for parameter in graph.parameters {
      var description: TensorDescription
      if let position = positions[parameter.name] {
        description = file.tensors[position]
        places.append(position)
      } else if let tensor = made[parameter.name] {
        description = TensorDescription(
          name: parameter.name, shape: tensor.shape, elementType: tensor.elementType,
          isNonPersistent: parameter.role == .nonPersistent)
        places.append(nil)
      } else {
        throw .weights(
          layer: parameter.name, expected: "a tensor of shape \(parameter.shape)", found: "none")
      }
      guard description.shape == parameter.shape else {
        throw .weights(
          layer: parameter.name, expected: "shape \(parameter.shape)",
          found: "\(description.shape)")
      }
      description.name = parameter.name
      descriptions.append(description)
    }
    let tensors = file.tensors
    return TensorSource(descriptions) { [made, descriptions, places] (i) throws(CheckpointError) in
      if let position = places[i] { return try tensors.tensor(at: position) }
      guard let tensor = made[descriptions[i].name] else { preconditionFailure("made above") }
      return tensor
    }
  }
}

extension ONNXReader {
  /// Reads one node: what follows from numbers alone is calculated, everything else becomes a node
  /// of ours.
  mutating func readNode() throws(InterchangeError) {
    guard node.domain.isEmpty else {
      throw unsupported("operators of the domain \(node.domain) are not known")
    }
    guard let output = node.outputs.first else { return }
    if let numbers = try folded() {
      // What is calculated is kept: a file must not make much of little.
      numberCount += numbers.rows.count * numbers.count
      guard numberCount <= 1 << 22 else { throw unsupported("too many numbers to be calculated") }
      operands[output] = .numbers(numbers)
      return
    }
    let result: ONNXOperand
    switch node.kind {
    case "Identity": result = try given(0)
    case "Cast": result = try cast()
    case "Constant": result = try constant()
    default:
      guard let operation = ExchangedOperations.onnx[node.kind] else {
        throw unsupported(
          ONNXReader.known.contains(node.kind)
            ? "no operation of ours computes it" : "it is not among the operators that are read")
      }
      result = try operation.read(&self)
    }
    operands[output] = result
  }

  /// Operators that networks have and that no operation of ours computes.
  static let known: Set<String> = [
    "Softplus", "Exp", "Log", "Sqrt", "Abs", "Sin", "Cos", "Mish",
  ]

  // MARK: - Operands

  /// What is known of an input of the node.
  func given(_ input: Int) throws(InterchangeError) -> ONNXOperand {
    guard let name = node.input(input) else {
      throw unsupported("expected input \(input + 1), found none")
    }
    guard let operand = operand(name) else { throw unsupported("no earlier node gives \(name)") }
    return operand
  }

  /// An input of the node as a value of ours.
  func value(_ input: Int) throws(InterchangeError) -> Int {
    switch try given(input) {
    case .value(let value): return value
    case .numbers, .tensor:
      throw unsupported(
        "input \(input + 1) is a constant, where a value of the network is expected")
    case .errorFunction: throw unsupported("input \(input + 1) is Erf, which is read in GELU only")
    case .split, .shuffle:
      throw unsupported(
        "input \(input + 1) has dimensions taken apart, which is read in pixel shuffles only")
    }
  }

  /// An input of the node as numbers; nil where it is something else, or left out.
  func numbers(_ input: Int) throws(InterchangeError) -> ONNXNumbers? {
    guard let name = node.input(input) else { return nil }
    switch try given(input) {
    case .numbers(let numbers): return numbers
    case .tensor(let tensor): return try numbers(of: tensor, name)
    default: return nil
    }
  }

  /// A constant's numbers, unless there are too many to be looked into.
  func numbers(
    of tensor: ONNXTensor, _ name: String
  ) throws(InterchangeError) -> ONNXNumbers? {
    guard tensor.count <= ONNXNumbers.limit else { return nil }
    let values: Tensor
    do {
      values = try tensor.load().converted(to: .float64)
    } catch {
      throw .description(part: "the constant \(name)", problem: "\(error)")
    }
    let numbers = unsafe values.withUnsafeBytes { unsafe Array($0.bindMemory(to: Double.self)) }
    return ONNXNumbers(
      numbers, shape: tensor.shape, isInteger: !tensor.elementType.isFloatingPoint)
  }

  /// Integers that must be there and be the same for every image: an input, or an attribute of
  /// older versions.
  func integers(_ input: Int?, _ attribute: String) throws(InterchangeError) -> [Int]? {
    if let integers = node.integers(attribute) { return integers }
    guard let input, node.input(input) != nil else { return nil }
    guard let integers = try numbers(input)?.integers else {
      throw unsupported("\(attribute): expected constant numbers, found others")
    }
    return integers
  }

  /// The name of the weight at an input of the node, and its description.
  func parameter(
    _ input: Int
  ) throws(InterchangeError) -> (name: String, shape: [Int])? {
    guard node.input(input) != nil else { return nil }
    let slot = ONNXParameters.Slot(node: position, input: input)
    guard let name = model.parameters.names[slot], let tensor = file.tensors[name] else {
      throw unsupported("input \(input + 1): expected weights in the file, found another value")
    }
    return (name, tensor.shape)
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

  private func cast() throws(InterchangeError) -> ONNXOperand {
    // float32, float16, float64, bfloat16: arithmetic is in float32 all the same.
    guard [1, 10, 11, 16].contains(node.integer("to") ?? 1) else {
      throw unsupported("expected a conversion to floating-point numbers")
    }
    return try given(0)
  }

  func constant() throws(InterchangeError) -> ONNXOperand {
    guard case .tensor(let tensor) = node.attributes["value"] else {
      throw unsupported("expected a constant of numbers")
    }
    return .tensor(tensor)
  }
}

/// What a value of an ONNX graph is to us.
enum ONNXOperand {
  /// A value of our graph, by its number.
  case value(Int)
  /// Numbers at hand.
  case numbers(ONNXNumbers)
  /// A constant too large to be looked into, or not yet looked into.
  case tensor(ONNXTensor)
  /// The error function of x / √2, on its way to a GELU of value x; then with 1 added.
  case errorFunction(of: Int, plusOne: Bool)
  /// An image's dimensions taken apart, for each image, on the way to a pixel shuffle.
  case split(Int, [[Int]])
  /// A pixel shuffle that only wants its last reshaping, which must give the shapes of this
  /// operation.
  case shuffle(Int, PixelMove)

  /// A pixel shuffle or its inverse.
  struct PixelMove {
    var factor: Int
    var isTensorFlow: Bool
    var isInverse: Bool
  }
}
