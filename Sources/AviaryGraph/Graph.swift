/// A network as plain data: what it takes, its operations in order of execution, what it gives.
///
/// A graph that exists is sound: every check is in `init`, and what can be derived (parameters,
/// sizes, the multiple, the tiling, the work) is derived and never stored.
///
/// Values are numbered: first the inputs, then the nodes. `nodes[i]` gives value
/// `inputs.count + i`.
public struct Graph: Hashable, Sendable {
  /// An image that the network takes: float32, N x channels x height x width.
  public struct Input: Hashable, Sendable {
    /// The name by which it is known.
    public var name: String
    /// The number of channels.
    public var channels: Int
    /// The only size that the network takes, if there is but one.
    public var size: Size?

    /// An input of any size, unless one is stated.
    public init(_ name: String, channels: Int, size: Size? = nil) {
      (self.name, self.channels, self.size) = (name, channels, size)
    }
  }

  /// One operation.
  public struct Node: Hashable, Sendable {
    /// Unique among inputs and nodes.
    public var name: String
    /// What it does.
    public var op: Op
    /// The values that it takes, each of an input or an earlier node.
    public var inputs: [Int]
    /// The names of its parameters, in the order of the operation's. Nodes may share one.
    public var parameters: [String]

    /// A node.
    public init(_ name: String, _ op: Op, inputs: [Int], parameters: [String] = []) {
      (self.name, self.op, self.inputs, self.parameters) = (name, op, inputs, parameters)
    }
  }

  /// A value that the network gives.
  public struct Output: Hashable, Sendable {
    /// The name by which it is known.
    public var name: String
    /// The number of the value.
    public var value: Int

    /// A named value.
    public init(_ name: String, value: Int) { (self.name, self.value) = (name, value) }
  }

  /// What the network takes.
  public let inputs: [Input]
  /// The operations in order of execution.
  public let nodes: [Node]
  /// What the network gives.
  public let outputs: [Output]
  /// Parameters that training leaves as they are.
  public let frozen: Set<String>
  /// What parameters hold in a new network, where that is stated and not drawn by chance: those of a
  /// convolution that subtracts the mean colour. In the order of PyTorch's layout.
  public let initialValues: [String: [Float]]
  /// Further names of parameters, as files may have two for one storage.
  public let aliases: [String: String]
  /// The parameters, in order of first use.
  public let parameters: [Parameter]

  /// Checks and makes a graph.
  ///
  /// - Throws: `GraphError` for the first thing wrong: names that repeat, references that are not
  ///   there or point forward, attributes out of range, shapes that do not fit, parameters shared
  ///   by nodes that want different shapes, initial values that are not as many as the parameter has
  ///   or not finite, more of anything than `GraphLimits` allows.
  public init(
    inputs: [Input], nodes: [Node], outputs: [Output], frozen: Set<String> = [],
    initialValues: [String: [Float]] = [:], aliases: [String: String] = [:]
  ) throws(GraphError) {
    self.inputs = inputs
    self.nodes = nodes
    self.outputs = outputs
    self.frozen = frozen
    self.initialValues = initialValues
    self.aliases = aliases
    try Graph.checkStructure(inputs, nodes, outputs)
    let shapes = try Graph.shapes(of: nodes, inputs.map(\.nominalShape))
    parameters = try Graph.parameters(of: nodes, shapes, frozen: frozen)
    let names = Set(parameters.map(\.name))
    for (alias, name) in aliases {
      guard names.contains(name) else { throw .unknownParameter(name, of: "alias \(alias)") }
      guard !names.contains(alias) else {
        throw .duplicateName(alias, of: "a parameter and an alias")
      }
    }
    for name in frozen where !names.contains(name) {
      throw .unknownParameter(name, of: "frozen")
    }
    if !initialValues.isEmpty { try checkInitialValues() }
  }

  /// The number of values: inputs and nodes.
  public var valueCount: Int { inputs.count + nodes.count }

  /// The name of a value.
  public func name(ofValue value: Int) -> String {
    value < inputs.count ? inputs[value].name : nodes[value - inputs.count].name
  }

  /// The shapes of all values, for inputs of these shapes in the order of `inputs`.
  ///
  /// - Throws: `GraphError.inputShape` for a shape that an input does not have, `.shape` where an
  ///   operation cannot work on the size, or would have parameters of other shapes there.
  public func shapes(for inputShapes: [[Int]]) throws(GraphError) -> [[Int]] {
    try Graph.limit("shapes for inputs", inputShapes.count, inputs.count)
    for (position, input) in inputs.enumerated() {
      let found = position < inputShapes.count ? inputShapes[position] : nil
      guard let found, found.count == 4, found[0] > 0, found[1] == input.channels,
        found[2] > 0, found[3] > 0, found.allSatisfy({ $0 <= GraphLimits.dimension }),
        input.size == nil || input.size == Size(found[2], found[3])
      else {
        let size = input.size.map { "\($0.height), \($0.width)" } ?? "height, width"
        throw .inputShape(
          input.name, expected: "[n, \(input.channels), \(size)]", found: found)
      }
    }
    let shapes = try Graph.shapes(of: nodes, inputShapes)
    try checkParameters(shapes)
    return shapes
  }

  /// The shapes of all values, for one image of this size at every input.
  ///
  /// - Throws: as `shapes(for:)`.
  public func shapes(height: Int, width: Int) throws(GraphError) -> [[Int]] {
    try shapes(for: inputs.map { [1, $0.channels, height, width] })
  }
}

// MARK: - Checks

extension Graph {
  /// Parameters of which there is one for each row or column of an image are those of one size: of
  /// the nominal one, where the graph states none. Where a kernel is an input, its batch gives the
  /// channels of what follows.
  private func checkParameters(_ shapes: [[Int]]) throws(GraphError) {
    let expected = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) })
    for node in nodes where !node.parameters.isEmpty {
      let slots = node.op.slots(node.inputs.map { shapes[$0] })
      for (name, slot) in zip(node.parameters, slots) {
        guard let shape = expected[name], shape != slot.shape else { continue }
        throw .shape(
          node: node.name, operation: node.op.name,
          problem: .expected(
            "a size for which '\(name)' has shape \(shape)", found: "one for \(slot.shape)"))
      }
    }
  }

  private func checkInitialValues() throws(GraphError) {
    let shapes = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) })
    for (name, values) in initialValues.sorted(by: { $0.key < $1.key }) {
      guard let shape = shapes[name] else { throw .unknownParameter(name, of: "initialValues") }
      guard values.count == shape.reduce(1, *) else {
        throw .member(
          "initialValues.\(name)", expected: "\(shape.reduce(1, *)) values for shape \(shape)",
          found: "\(values.count)")
      }
      guard values.allSatisfy(\.isFinite) else {
        throw .member(
          "initialValues.\(name)", expected: "finite values", found: "one that is not")
      }
    }
  }

  private static func checkStructure(
    _ inputs: [Input], _ nodes: [Node], _ outputs: [Output]
  ) throws(GraphError) {
    try limit("inputs", inputs.count, GraphLimits.inputs)
    try limit("nodes", nodes.count, GraphLimits.nodes)
    try limit("outputs", outputs.count, GraphLimits.inputs)
    if inputs.isEmpty { throw .missing("input") }
    if outputs.isEmpty { throw .missing("output") }
    var names: Set<String> = []
    for name in inputs.map(\.name) + nodes.map(\.name) {
      try check(name: name)
      guard names.insert(name).inserted else {
        throw .duplicateName(name, of: "two inputs or nodes")
      }
    }
    for input in inputs {
      try limit("\(input.name): channels", input.channels, GraphLimits.channels)
      guard input.channels > 0 else {
        throw .member(
          "input \(input.name)", expected: "channels above 0", found: "\(input.channels)")
      }
      if let size = input.size {
        guard size.height > 0, size.width > 0 else {
          throw .member(
            "input \(input.name)", expected: "a size above 0", found: "\(size.height)x\(size.width)"
          )
        }
        try limit("\(input.name): size", max(size.height, size.width), GraphLimits.dimension)
      }
    }
    for (position, node) in nodes.enumerated() {
      guard node.op.inputCount.contains(node.inputs.count) else {
        let range = node.op.inputCount
        throw .inputCount(
          node: node.name, operation: node.op.name,
          expected: range.count == 1
            ? "\(range.lowerBound) input\(range.lowerBound == 1 ? "" : "s")"
            : "\(range.lowerBound) to \(range.upperBound) inputs", found: node.inputs.count)
      }
      for value in node.inputs where !(0..<inputs.count + position).contains(value) {
        throw .refersForward(node: node.name, "value \(value)")
      }
      try node.op.checkAttributes(node: node.name)
    }
    var outputNames: Set<String> = []
    for output in outputs {
      try check(name: output.name)
      guard outputNames.insert(output.name).inserted else {
        throw .duplicateName(output.name, of: "two outputs")
      }
      guard (0..<inputs.count + nodes.count).contains(output.value) else {
        throw .unknownValue(node: "output \(output.name)", "value \(output.value)")
      }
    }
  }

  private static func limit(_ what: String, _ value: Int, _ limit: Int) throws(GraphError) {
    guard value <= limit else { throw .limit(what, value: value, limit: limit) }
  }

  static func check(name: String) throws(GraphError) {
    try limit("bytes of a name", name.utf8.count, GraphLimits.name)
    guard !name.isEmpty else { throw .missing("letter in every name") }
  }

  static func shapes(
    of nodes: [Node], _ inputShapes: [[Int]]
  ) throws(GraphError) -> [[Int]] {
    var shapes = inputShapes
    shapes.reserveCapacity(inputShapes.count + nodes.count)
    for node in nodes {
      do throws(ShapeProblem) {
        shapes.append(try node.op.outputShape(node.inputs.map { shapes[$0] }))
      } catch {
        throw .shape(node: node.name, operation: node.op.name, problem: error)
      }
    }
    return shapes
  }

  private static func parameters(
    of nodes: [Node], _ shapes: [[Int]], frozen: Set<String>
  ) throws(GraphError) -> [Parameter] {
    var parameters: [Parameter] = []
    var positions: [String: Int] = [:]
    var total = 0
    for node in nodes {
      let slots = node.op.slots(node.inputs.map { shapes[$0] })
      guard slots.count == node.parameters.count else {
        throw .parameterCount(
          node: node.name, expected: slots.map(\.suffix), found: node.parameters)
      }
      for (name, slot) in zip(node.parameters, slots) {
        try check(name: name)
        if let earlier = positions[name] {
          guard parameters[earlier].shape == slot.shape else {
            throw .sharedParameter(name, parameters[earlier].shape, slot.shape)
          }
          continue
        }
        try limit("\(name): elements", elements(of: slot.shape), GraphLimits.elements - 1)
        total += elements(of: slot.shape)
        try limit("elements of all parameters", total, GraphLimits.elements - 1)
        let role = slot.role == .weight && frozen.contains(name) ? .frozen : slot.role
        positions[name] = parameters.count
        parameters.append(Parameter(name: name, shape: slot.shape, role: role))
      }
    }
    return parameters
  }

  /// The product, or the largest number where it overflows.
  private static func elements(of shape: [Int]) -> Int {
    shape.reduce(1) { product, dimension in
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
      return overflow ? .max : next
    }
  }
}

extension Graph.Input {
  /// The side of the image on which a graph of any size is checked: divisible by everything that
  /// networks divide by, and larger than any window in practice.
  private static let nominalSide = 7_680  // 2^9 · 3 · 5

  /// The shape on which the graph is checked.
  var nominalShape: [Int] {
    let size = size ?? Size(Graph.Input.nominalSide)
    return [1, channels, size.height, size.width]
  }
}

/// What a parameter is for.
public enum ParameterRole: String, Codable, Hashable, Sendable {
  /// Learned in training.
  case weight
  /// A weight that training leaves as it is.
  case frozen
  /// A running mean or variance, which training keeps but does not learn.
  case statistic
  /// A counter or a buffer that can be made anew: optional when matching, made when writing.
  case nonPersistent
}

/// A tensor that a graph needs besides its inputs.
public struct Parameter: Hashable, Sendable {
  /// The canonical name, as PyTorch's state dict has it: `encoder.2.conv1.weight`.
  public let name: String
  /// The dimensions, in PyTorch's layout.
  public let shape: [Int]
  /// What it is for.
  public let role: ParameterRole
}

extension Graph {
  /// Whether two networks compute the same by the same operations: names aside, and padding that is
  /// written otherwise and means the same.
  ///
  /// Parameters must have the same shapes and be shared by the same nodes, in the same order of
  /// first use; their values do not count.
  public func isEquivalent(to other: Graph) -> Bool {
    guard inputs.map(\.channels) == other.inputs.map(\.channels),
      inputs.map(\.size) == other.inputs.map(\.size),
      outputs.map(\.value) == other.outputs.map(\.value), nodes.count == other.nodes.count,
      learned.map(\.shape) == other.learned.map(\.shape)
    else { return false }
    let (places, otherPlaces) = (parameterPlaces, other.parameterPlaces)
    return zip(nodes, other.nodes).allSatisfy { a, b in
      a.inputs == b.inputs && a.op.operation.normalised.op == b.op.operation.normalised.op
        && a.parameters.map { places[$0] } == b.parameters.map { otherPlaces[$0] }
    }
  }

  /// The parameters that count, non-persistent buffers aside.
  private var learned: [Parameter] { parameters.filter { $0.role != .nonPersistent } }

  private var parameterPlaces: [String: Int] {
    Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
  }
}

extension Graph {
  /// The same network with its parameters under other names.
  ///
  /// - Throws: `GraphError` for two parameters of one name.
  public func renamingParameters(_ name: (String) -> String) throws(GraphError) -> Graph {
    let new = parameters.map { name($0.name) }
    if let twice = Dictionary(grouping: new, by: { $0 }).filter({ $1.count > 1 }).keys.min() {
      throw .duplicateName(twice, of: "two parameters")
    }
    let renamed = nodes.map { node in
      Node(node.name, node.op, inputs: node.inputs, parameters: node.parameters.map(name))
    }
    return try Graph(
      inputs: inputs, nodes: renamed, outputs: outputs, frozen: Set(frozen.map(name)),
      initialValues: Dictionary(
        uniqueKeysWithValues: initialValues.map { (name($0.key), $0.value) }),
      aliases: aliases.mapValues(name))
  }
}
