/// An operation that is made of others. It needs neither kernel nor gradient: planning and
/// differentiation take the operations that it is made of, and so do tiling and the sizes.
///
/// Where a kernel is added beside an expansion for speed, the operation becomes a case of `Op` and
/// states its own shape and receptive field; `expand` stays, as the oracle of the kernel's tests.
package protocol Expansion: Operation {
  /// The operation's value, made of other operations.
  ///
  /// What is made may depend on attributes, ranks and numbers of channels, but not on heights and
  /// widths: a graph is expanded once, for all sizes.
  ///
  /// - Parameters:
  ///   - inputs: the values of the inputs, `inputCount` of them.
  ///   - parameters: the names of the operation's parameters, one for each of `parameters(_:)`.
  func expand(_ inputs: [Value], _ parameters: [String]) -> Value
}

extension Expansion {
  package var op: Op { .expansion(AnyExpansion(self)) }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    try expandedShape(inputs)
  }

  /// The shape of what the operation is made of.
  func expandedShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let builder = GraphBuilder(shapes: inputs)
    let value = expand(builder.inputValues, op.slotSuffixes)
    switch builder.error {
    case nil: return builder.shape(of: value)
    case .shape(_, _, let problem): throw problem
    case .some(let error): throw .expected("an input that \(name) can take", found: "\(error)")
    }
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField { .expansion }

  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    let builder = GraphBuilder(shapes: inputs)
    _ = expand(builder.inputValues, op.slotSuffixes)
    return builder.multiplyAdds
  }
}

/// Any expansion, as the payload of a case of `Op`.
public struct AnyExpansion: Hashable, Sendable {
  /// The operation.
  package let operation: any Expansion

  package init(_ operation: some Expansion) { self.operation = operation }

  /// Whether both are the same operation with the same attributes.
  public static func == (a: AnyExpansion, b: AnyExpansion) -> Bool {
    func equal<E: Expansion>(_ a: E) -> Bool { b.operation as? E == a }
    return equal(a.operation)
  }

  /// Feeds the operation and its attributes to a hasher.
  public func hash(into hasher: inout Hasher) { operation.hash(into: &hasher) }
}

extension Graph {
  /// The same network with every expansion replaced by the operations that it is made of, and the
  /// number that each value has there.
  ///
  /// The node that gives an expansion's value keeps its name; those before it have it as prefix.
  ///
  /// - Parameter isWanted: which expansions are replaced; all, unless stated.
  /// - Throws: `GraphError` where an expansion makes nodes that do not fit.
  package func expanded(
    _ isWanted: (any Expansion) -> Bool = { _ in true }
  ) throws(GraphError) -> (graph: Graph, values: [Int]) {
    guard nodes.contains(where: { $0.op.expansion.map(isWanted) == true }) else {
      return (self, Array(0..<inputs.count + nodes.count))
    }
    let shapes = try Graph.shapes(of: nodes, inputs.map(\.nominalShape))
    var values = Array(inputs.indices)
    var result: [Node] = []
    for (i, node) in nodes.enumerated() {
      guard let expansion = node.op.expansion, isWanted(expansion) else {
        result.append(
          Node(
            node.name, node.op, inputs: node.inputs.map { values[$0] }, parameters: node.parameters)
        )
        values.append(inputs.count + result.count - 1)
        continue
      }
      let builder = GraphBuilder(shapes: node.inputs.map { shapes[$0] })
      let value = expansion.expand(builder.inputValues, node.parameters)
      if let error = builder.error { throw error }
      // The values of the inner graph, in the numbering of the result.
      var inner = node.inputs.map { values[$0] }
      for (position, made) in builder.nodes.enumerated() {
        let isLast = node.inputs.count + position == value.index
        result.append(
          Node(
            isLast ? node.name : "\(node.name).\(made.name)", made.op,
            inputs: made.inputs.map { inner[$0] }, parameters: made.parameters))
        inner.append(inputs.count + result.count - 1)
      }
      guard shapes[inputs.count + i] == builder.shape(of: value) else {
        throw .shape(
          node: node.name, operation: node.op.name,
          problem: .mismatch(shapes[inputs.count + i], builder.shape(of: value)))
      }
      values.append(inner[value.index])
    }
    let graph = try Graph(
      inputs: inputs, nodes: result,
      outputs: outputs.map { Output($0.name, value: values[$0.value]) }, frozen: frozen,
      initialValues: initialValues, aliases: aliases)
    // An expansion may be made of expansions.
    let (all, further) = try graph.expanded(isWanted)
    return (all, values.map { further[$0] })
  }
}
