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
  /// The shapes of our values for each picture: first by value.
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
          part: "output \(port.name)", problem: "a value of the network expected, none found")
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
          isBookkeeping: parameter.role == .nonPersistent)
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
