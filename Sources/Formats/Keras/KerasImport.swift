import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// A graph under construction, made of a Keras model layer by layer.
struct KerasImport {
  let network: KerasNetwork
  let file: WeightsFile
  let version: String
  /// The order of axes of layers that do not say: that of the first that does.
  let isChannelsFirst: Bool

  var inputs: [Graph.Input] = []
  var nodes: [Graph.Node] = []
  var frozen: Set<String> = []
  var assumed: [String] = []
  var notes: [String] = []
  /// Layers that do nothing in inference: all of them, and in order.
  var idle: Set<String> = []
  var idleNames: [String] = []
  /// The positions of the file's tensors by their names.
  let positions: [String: Int]
  /// Where each parameter comes from.
  var bindings: [String: KerasBinding] = [:]
  /// The layer for whose sake the stated size of the input must stay.
  var sizeReason: String?
  private var names: Set<String> = []
  private var callCount = 0

  init(
    _ network: KerasNetwork, _ weights: WeightsFile, version: String
  ) {
    self.network = network
    file = weights
    self.version = version
    positions = Dictionary(
      weights.tensors.descriptions.enumerated().map { (KerasParser.sound($1.name), $0) }
    ) { $1 }
    isChannelsFirst = Self.firstFormat(network) ?? false
    if isChannelsFirst {
      notes.append("channels come first (channels_first) in the file, as they do here")
    }
  }

  private static func firstFormat(_ network: KerasNetwork) -> Bool? {
    for layer in network.layers {
      if let inner = layer.network.flatMap(firstFormat) ?? layer.isChannelsFirst { return inner }
    }
    return nil
  }

  /// Whether Keras 3 wrote the file: a few functions are others since.
  var isKeras3: Bool { version.hasPrefix("3") }

  /// The graph and its weights.
  mutating func result() throws(InterchangeError) -> ImportedGraph {
    let taken = try makeInputs()
    let given = try values(of: network, taken)
    var outputs: [Graph.Output] = []
    for (name, value) in given {
      let value = try ordered(value, name)
      outputs.append(Graph.Output(outputName(name, outputs, of: given.count), value: value.index))
    }
    if !idleNames.isEmpty {
      let more = idleNames.count > 20 ? " and \(idleNames.count - 20) more" : ""
      notes.append(
        "left out, as they do nothing in inference: "
          + idleNames.prefix(20).joined(separator: ", ") + more)
    }
    let needed = pruned(outputs)
    try refuseLeftOver(network)
    let graph = try self.graph(needed)
    return ImportedGraph(
      graph: graph, weights: try weights(of: graph), assumed: assumed, notes: notes)
  }

  /// Leaves out what no output needs: what the parts of a GELU were made of.
  private mutating func pruned(_ outputs: [Graph.Output]) -> [Graph.Output] {
    var needed = [Bool](repeating: false, count: inputs.count + nodes.count)
    for output in outputs { needed[output.value] = true }
    for position in nodes.indices.reversed() where needed[inputs.count + position] {
      for value in nodes[position].inputs { needed[value] = true }
    }
    var places = Array(inputs.indices)
    var kept: [Graph.Node] = []
    for (position, node) in nodes.enumerated() {
      places.append(inputs.count + kept.count)
      guard needed[inputs.count + position] else { continue }
      kept.append(
        Graph.Node(
          node.name, node.op, inputs: node.inputs.map { places[$0] },
          parameters: node.parameters))
    }
    nodes = kept
    let names = Set(kept.flatMap(\.parameters))
    frozen.formIntersection(names)
    return outputs.map { Graph.Output($0.name, value: places[$0.value]) }
  }

  /// Refuses a layer of whose variables only some were read, such as the scales of an int8 kernel:
  /// without the others it computes something else.
  private func refuseLeftOver(_ network: KerasNetwork) throws(InterchangeError) {
    var used: Set<Int> = []
    for binding in bindings.values {
      if case .file(let position, _) = binding.source { used.insert(position) }
    }
    for layer in network.layers {
      if let inner = layer.network { try refuseLeftOver(inner) }
      let stem = layer.fullName + "."
      let own = positions.filter {
        $0.key.hasPrefix(stem) && !$0.key.dropFirst(stem.count).contains(".")
      }
      guard own.values.contains(where: used.contains),
        let left = own.filter({ !used.contains($0.value) && !$0.key.contains("seed") })
          .min(by: { $0.value < $1.value })
      else { continue }
      throw layer.refusal(
        "its variable '\(left.key.dropFirst(stem.count))' of shape "
          + "\(file.tensors[left.value].shape) is left over"
          + (layer.isQuantized ? " (QuantizedDTypePolicy: an 8-bit layer)" : ""))
    }
  }

  private func outputName(_ name: String, _ others: [Graph.Output], of count: Int) -> String {
    if count == 1 { return "output" }
    let name = KerasParser.sound(name)
    let taken = Set(others.map(\.name))
    return Self.free(name) { taken.contains($0) }
  }

  /// The graph for any size, where it is sound without the stated one.
  private mutating func graph(_ outputs: [Graph.Output]) throws(InterchangeError) -> Graph {
    let stated = inputs.filter { $0.size != nil }
    if sizeReason == nil, !stated.isEmpty {
      let free = inputs.map { Graph.Input($0.name, channels: $0.channels) }
      // A weight for each row or column is as long as the stated size.
      if let graph = try? Graph(inputs: free, nodes: nodes, outputs: outputs, frozen: frozen),
        graph.parameters
          == (try? Graph(inputs: inputs, nodes: nodes, outputs: outputs, frozen: frozen))?
          .parameters
      {
        for input in stated {
          let size = input.size ?? 0
          notes.append(
            "input \(input.name): the stated size \(size.height)x\(size.width) is let go:"
              + " no layer needs it")
        }
        return graph
      }
    }
    if !stated.isEmpty {
      let sizeReason = sizeReason ?? "a weight"
      notes.append("the stated size of the input stays: \(sizeReason) needs it")
    }
    do throws(GraphError) {
      return try Graph(inputs: inputs, nodes: nodes, outputs: outputs, frozen: frozen)
    } catch {
      throw .graph(error)
    }
  }

  // MARK: Nodes

  /// Adds a node.
  ///
  /// - Parameter name: what it is called, unless another node is.
  /// - Returns: its value, with the axes of the first operand.
  mutating func add(
    _ op: Op, _ operands: [KerasTensor], name: String, of layer: KerasLayer,
    parameters: [String] = []
  ) throws(InterchangeError) -> KerasTensor {
    let shape: [Int]
    do throws(ShapeProblem) {
      shape = try op.outputShape(operands.map(\.shape))
    } catch {
      throw layer.refusal("\(op.name): \(error)")
    }
    return add(op, operands, shape: shape, name: name, parameters: parameters)
  }

  /// Adds a node that gives this shape.
  mutating func add(
    _ op: Op, _ operands: [KerasTensor], shape: [Int], name: String, parameters: [String] = []
  ) -> KerasTensor {
    let name = uniqueName(name)
    nodes.append(
      Graph.Node(name, op, inputs: operands.map(\.index), parameters: parameters))
    var value = operands[0]
    value.index = inputs.count + nodes.count - 1
    value.shape = shape
    value.isSized = operands.contains(where: \.isSized)
    return value
  }

  /// Takes a name that no input or node has.
  mutating func uniqueName(_ name: String) -> String {
    let result = Self.free(name) { names.contains($0) }
    names.insert(result)
    return result
  }

  private static func free(_ name: String, _ isTaken: (String) -> Bool) -> String {
    if !isTaken(name) { return name }
    var number = 1
    while isTaken("\(name)_\(number)") { number += 1 }
    return "\(name)_\(number)"
  }

  /// Counts calls of layers: models in models, each called twice, grow without any file growing.
  mutating func countCalls(_ count: Int) throws(InterchangeError) {
    callCount += count
    guard callCount <= GraphLimits.nodes, nodes.count <= GraphLimits.nodes else {
      throw .graph(.limit("calls of layers", value: callCount, limit: GraphLimits.nodes))
    }
  }
}
