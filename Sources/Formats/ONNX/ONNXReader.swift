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
  /// Of a value that is another in a different shape: that other.
  var origins: [Int: Int] = [:]
  /// Of the real and imaginary parts of a spectrum side by side: the spectrum.
  var halves: [Int: Int] = [:]
  /// The values of ours that constants of the file are, by the constants' names.
  var learnedConstants: [String: Int] = [:]
  /// Weights that the file leaves out, as it may.
  var made: [String: Tensor] = [:]
  /// The names of ONNX's values that are of integers, which ours are as float32 numbers.
  var integerValues: Set<String> = []
  /// How many numbers were calculated.
  var numberCount = 0
  /// The node that is read.
  private(set) var node = ONNXModel.Node()
  private(set) var position = 0
  private var names: Set<String> = []
  /// The names of the values that layers take as weights of the file.
  private var weightValues: Set<String> = []
  /// The last number that was put behind a name.
  private var numbers: [String: Int] = [:]

  init(
    _ model: ONNXModel, _ file: WeightsFile, _ inputs: [ONNXInput],
    _ numbers: [String: ONNXNumbers], _ samples: ONNXSamples
  ) {
    (self.model, self.file, self.inputs, self.samples) = (model, file, inputs, samples)
    operands = numbers.mapValues { .numbers($0) }
    for slot in model.parameters.names.keys {
      weightValues.insert(model.nodes[slot.node].inputs[slot.input])
    }
  }

  /// The version of ONNX's own operators that the model is written for.
  var version: Int { model.operatorSets[""] ?? 1 }

  /// Reads the whole graph.
  mutating func graph() throws(InterchangeError) -> ImportedGraph {
    let outputs = try follow()
    return try finished(outputs)
  }

  /// Reads all nodes, and gives the outputs.
  mutating func follow() throws(InterchangeError) -> [Graph.Output] {
    for (position, input) in inputs.enumerated() {
      operands[input.name] = .value(position)
      names.insert(input.name)
      shapes.append(samples.shapes.map { $0[position] })
    }
    try readNodes(0..<model.ownNodeCount)
    var outputs: [Graph.Output] = []
    for port in model.outputs {
      guard case .value(let value) = operand(port.name) else {
        throw .description(
          part: "output \(port.name)", problem: "it does not depend on the image")
      }
      outputs.append(Graph.Output(port.name, value: value))
    }
    return outputs
  }

  /// What is known of a value.
  func operand(_ name: String) -> ONNXOperand? {
    operands[name] ?? model.constants[name].map { .tensor($0) }
  }

  private mutating func readNodes(_ range: Range<Int>) throws(InterchangeError) {
    for position in range {
      (node, self.position) = (model.nodes[position], position)
      try readNode()
    }
  }

  /// The branch of an If whose condition is known is read in its place.
  private mutating func branch() throws(InterchangeError) {
    guard let condition = try numbers(0)?.uniform else {
      throw unsupported(
        "which branch is taken depends on values or on the size of the image; export the network "
          + "without it")
    }
    let name = condition != 0 ? "then_branch" : "else_branch"
    guard case .branch(let branch) = node.attributes[name] else {
      throw unsupported("it has no \(name)")
    }
    let outputs = node.outputs
    // The positions of branches rise, so that this ends.
    guard branch.nodes.lowerBound > position || branch.nodes.isEmpty else {
      throw unsupported("its branches contain themselves")
    }
    try readNodes(branch.nodes)
    for (output, source) in zip(outputs, branch.outputs) {
      guard let operand = operand(source) else {
        throw .description(part: "value \(source)", problem: "no node gives it")
      }
      operands[output] = operand
    }
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
    // Weights belong to the network, and not to an image.
    if !parameters.isEmpty {
      let slots = samples.shapes.indices.map { sample in
        op.operation.parameters(values.map { shapes[$0][sample] })
      }
      if let other = slots.first(where: { $0 != slots[0] }) {
        let shapes = [slots[0], other].map { $0.map { "\($0.shape)" }.joined(separator: ", ") }
        throw unsupported(
          "its weights would have shapes \(shapes[0]) for one size of image and \(shapes[1]) for "
            + "another; if the network is made for one size, which the file does not state, give it "
            + "with --size WIDTHxHEIGHT")
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
    let place =
      position < model.ownNodeCount
      ? "node \(position + 1) of \(model.ownNodeCount)" : "a branch of If"
    return .layer(name, kind: node.kind, place: place, why: why)
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
    var notes: [String] = []
    let ports = inputs.map { input in
      if let size = input.size, samples.letsSizeGo {
        notes.append(
          "input \(input.name): \(size.width)x\(size.height) is taken for the size of an example, "
            + "as stated; whether the network was specialised for it does not show")
      }
      return Graph.Input(
        input.name, channels: input.channels, size: samples.letsSizeGo ? nil : input.size)
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
    switch node.kind {
    case "If": return try branch()
    case "Loop", "Scan":
      throw unsupported("loops are not read; export the network without them")
    case "Transpose" where weightValues.contains(output):
      // A weight, which its layer takes as the file has it.
      if case .tensor = try given(0) {
        operands[output] = .weight
        return
      }
    case "Identity":
      operands[output] = try given(0)
      return
    default: break
    }
    if let tables = try windowTables() {
      operands[output] = .part(.tables(tables))
      return
    }
    if let results = try folded() {
      for (output, numbers) in zip(node.outputs, results) where !output.isEmpty {
        // What is calculated is kept: a file must not make much of little.
        numberCount += numbers.arrays.reduce(0) { $0 + $1.storedCount }
        guard numberCount <= 1 << 27 else { throw unsupported("too many numbers to be calculated") }
        operands[output] = .numbers(numbers)
      }
      return
    }
    try checkIntegers()
    let result: ONNXOperand
    switch node.kind {
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
    noteIntegers()
  }

  /// Operators that networks have and that no operation of ours computes.
  static let known: Set<String> = [
    "Sin", "Cos", "Round",
  ]
}
