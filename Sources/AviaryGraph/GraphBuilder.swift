/// Collects the nodes of one graph. The first mistake sticks; `Graph.init` throws it, so that a
/// network can be written down without a `try` in every line.
final class GraphBuilder {
  private(set) var inputs: [Graph.Input] = []
  private(set) var nodes: [Graph.Node] = []
  private(set) var initialValues: [String: [Float]] = [:]
  private var shapes: [[Int]] = []
  private var names: Set<String> = []
  /// How many nodes without a name of their own each operation has.
  private var unnamed: [String: Int] = [:]
  private(set) var error: GraphError?

  init() {}

  /// A builder of what is made of values of these shapes, for `Expansion`.
  init(shapes: [[Int]]) { self.shapes = shapes }

  /// The values that there were before any node.
  var inputValues: [Value] {
    (0..<shapes.count - nodes.count).map { Value(builder: self, index: $0) }
  }

  func addInput(_ input: Graph.Input) -> Value {
    // Inputs come first in the numbering of values; builders make them before any node.
    precondition(nodes.isEmpty, "inputs before nodes")
    inputs.append(input)
    shapes.append(input.nominalShape)
    names.insert(input.name)
    return Value(builder: self, index: shapes.count - 1)
  }

  /// Adds a node and gives its value.
  ///
  /// - Parameters:
  ///   - layer: the name under which the node's parameters are known; nil where it has none.
  ///   - shared: whether an earlier layer's parameters serve again.
  ///   - parameters: the names of the parameters, where they are not named after the layer.
  func add(
    _ op: Op, layer: String? = nil, shared: Bool = false, parameters named: [String]? = nil,
    _ values: [Value]
  ) -> Value {
    do throws(GraphError) {
      if values.contains(where: { $0.builder !== self }) {
        throw .unknownValue(node: layer ?? op.name, "a value of another graph")
      }
      let name = try nodeName(op, layer, shared: shared)
      try op.checkAttributes(node: name)
      let inputShapes = values.map { shapes[$0.index] }
      let shape = try outputShape(of: op, name: name, inputShapes)
      let parameters = named ?? op.slots(inputShapes).map { "\(layer ?? name).\($0.suffix)" }
      nodes.append(Graph.Node(name, op, inputs: values.map(\.index), parameters: parameters))
      shapes.append(shape)
      return Value(builder: self, index: shapes.count - 1)
    } catch {
      self.error = self.error ?? error
      return values.first ?? Value(builder: self, index: 0)
    }
  }

  /// Keeps the parameters of the node that made a value as stated, by the last parts of their names.
  func freeze(_ value: Value, at values: [String: [Double]]) {
    let position = value.index - (shapes.count - nodes.count)
    guard nodes.indices.contains(position), nodes[position].op.slotSuffixes.count == values.count
    else {
      return fail(.unknownParameter(values.keys.sorted().joined(separator: ", "), of: "frozen"))
    }
    for (suffix, name) in zip(nodes[position].op.slotSuffixes, nodes[position].parameters) {
      guard let numbers = values[suffix] else {
        return fail(.unknownParameter(name, of: "frozen"))
      }
      initialValues[name] = numbers.map(Float.init)
    }
  }

  func shape(of value: Value) -> [Int] { shapes[value.index] }

  /// The multiplications and additions of all nodes.
  var multiplyAdds: Double {
    let inputs = shapes.count - nodes.count
    return nodes.indices.reduce(0) { sum, i in
      let node = nodes[i]
      return sum
        + node.op.operation.multiplyAdds(node.inputs.map { shapes[$0] }, shapes[inputs + i])
    }
  }

  func channels(of value: Value) -> Int {
    let shape = shapes[value.index]
    return shape.count >= 2 ? shape[1] : 0
  }

  /// Keeps the first mistake.
  func fail(_ error: GraphError) { self.error = self.error ?? error }

  func graph(outputs: [Graph.Output]) throws(GraphError) -> Graph {
    if let error { throw error }
    return try Graph(
      inputs: inputs, nodes: nodes, outputs: outputs, frozen: Set(initialValues.keys),
      initialValues: initialValues)
  }

  private func outputShape(
    of op: Op, name: String, _ inputs: [[Int]]
  ) throws(GraphError) -> [Int] {
    do throws(ShapeProblem) {
      return try op.outputShape(inputs)
    } catch {
      throw .shape(node: name, operation: op.name, problem: error)
    }
  }

  private func nodeName(_ op: Op, _ layer: String?, shared: Bool) throws(GraphError) -> String {
    if nodes.count >= GraphLimits.nodes {
      throw .limit("nodes", value: nodes.count + 1, limit: GraphLimits.nodes)
    }
    guard let layer else { return numbered(op.name) }
    if !shared {
      guard names.insert(layer).inserted else { throw .layerName(layer, isUsed: true) }
      return layer
    }
    guard names.contains(layer) else { throw .layerName(layer, isUsed: false) }
    return numbered(layer)
  }

  /// The next of `stem_1`, `stem_2`, … that is free.
  private func numbered(_ stem: String) -> String {
    while true {
      unnamed[stem, default: 0] += 1
      let name = "\(stem)_\(unnamed[stem, default: 0])"
      if names.insert(name).inserted { return name }
    }
  }
}

extension Graph {
  /// Writes a network down, from one image to one or several values.
  ///
  /// The input is called `image` unless stated: a name that layers hardly have. Outputs are called
  /// `output`, or `output_0`, `output_1`, … where there are several.
  ///
  /// - Parameter size: the only size of images that the network takes; nil for any.
  /// - Throws: the first mistake that `build` makes, or what `init(inputs:nodes:outputs:)` throws.
  public init(
    channels: Int, size: Size? = nil, input: String = "image", _ build: (Value) -> [Value]
  ) throws(GraphError) {
    self = try Graph(inputs: [Input(input, channels: channels, size: size)]) { build($0[0]) }
  }

  /// Writes a network down, from several images to one or several values.
  ///
  /// - Throws: the first mistake that `build` makes, or what `init(inputs:nodes:outputs:)` throws.
  package init(
    inputs: [Input], _ build: ([Value]) -> [Value]
  ) throws(GraphError) {
    let builder = GraphBuilder()
    for input in inputs where !(1...GraphLimits.channels).contains(input.channels) {
      throw .attribute(
        node: input.name, "channels", expected: "1 to \(GraphLimits.channels)",
        found: "\(input.channels)")
    }
    let values = build(inputs.map(builder.addInput))
    if values.contains(where: { $0.builder !== builder }) {
      builder.fail(.unknownValue(node: "output", "a value of another graph"))
    }
    let outputs = values.enumerated().map { position, value in
      Output(values.count == 1 ? "output" : "output_\(position)", value: value.index)
    }
    self = try builder.graph(outputs: outputs)
  }
}

/// A value of a network under construction: what an architecture's `build` works with.
///
///     let x = input.convolution("encoder.0", 64, kernel: 3).relu()
///     return x.transposedConvolution("decoder.0", 3, kernel: 3) + input
///
/// A layer's name is that of its parameters, as PyTorch's state dict would have it, less the last
/// part. A mistake (channels that do not fit, a name used twice) is kept and thrown when the graph
/// is made.
///
/// The methods of each operation are in its file in `Operations`.
public struct Value {
  let builder: GraphBuilder
  let index: Int

  /// The number of channels.
  public var channels: Int { builder.channels(of: self) }

  /// Any operation that has no learned parameters.
  public func applying(_ op: Op, _ others: Value...) -> Value {
    builder.add(op, [self] + others)
  }

  /// Any operation that has no learned parameters, under a name that the node has for those who ask
  /// for its value; others are numbered.
  public func applying(_ op: Op, named name: String) -> Value {
    builder.add(op, layer: name, [self])
  }

  /// Any operation of any values of this one's graph, under a name: what is put together by data.
  package func making(_ op: Op, named name: String, of values: [Value]) -> Value {
    builder.add(op, layer: name, values)
  }

  /// The same, with the parameters of the layer that made it frozen: a new network holds these values,
  /// and training leaves them. A file's own are kept.
  ///
  /// - Parameter values: for each parameter of the layer (`weight`, `bias`), in PyTorch's layout.
  public func frozen(at values: [String: [Double]]) -> Value {
    builder.freeze(self, at: values)
    return self
  }

  /// The shape for the size that a graph is checked at: that of its inputs, or a large one.
  package var nominalShape: [Int] { builder.shape(of: self) }

  /// Any operation, with parameters of these names: what expansions are made of.
  package func applying(_ op: Op, _ others: Value..., parameters: [String]) -> Value {
    builder.add(op, parameters: parameters, [self] + others)
  }
}
