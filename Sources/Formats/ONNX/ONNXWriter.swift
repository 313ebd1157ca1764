public import AviaryCheckpoint
public import AviaryGraph
import AviaryTensor

/// Writes a graph down in ONNX's operators.
struct ONNXWriter {
  let graph: Graph
  private let weights: TensorSource
  private(set) var draft = ONNXModelBuilder()
  /// What was done to the weights, in words.
  private(set) var notes: [String] = []
  /// The names of our values.
  private var names: [String] = []
  /// The shapes of our values on a large image: what counts is how many dimensions and channels.
  private(set) var shapes: [[Int]] = []
  private var used: Set<String> = []
  /// The constants that tables became.
  private var tables: [Table: String] = [:]
  /// The constants that parameters became.
  private var parameters: [Variant: String] = [:]

  /// A parameter in a shape that a node wants.
  private struct Variant: Hashable {
    var name: String
    var steps: [TensorStep]
  }

  /// A table that nodes may share.
  private struct Table: Hashable {
    enum Entries: Hashable {
      case integers([Int])
      case floats([Double])
    }

    var entries: Entries
    var shape: [Int]
  }

  init(_ graph: Graph, _ weights: TensorSource) {
    (self.graph, self.weights) = (graph, weights)
    used = Set(graph.inputs.map(\.name) + graph.outputs.map(\.name))
  }

  mutating func writeGraph() throws(InterchangeError) {
    do {
      self.shapes = try graph.exportShapes(count: 1, factor: 1)
    } catch {
      throw .graph(error)
    }
    // Dimensions that are the same for another image are numbers.
    let others = (try? graph.exportShapes(count: 2, factor: 2)) ?? self.shapes
    notes += graph.precisionNotes(weights)
    for input in graph.inputs {
      names.append(input.name)
      let size: [ONNXModelBuilder.Dimension] =
        input.size.map { [.number($0.height), .number($0.width)] } ?? [
          .name("height"), .name("width"),
        ]
      draft.port(input.name, [.name("batch"), .number(input.channels)] + size, isInput: true)
    }
    let parameterNames = Set(graph.parameters.map(\.name))
    for (position, node) in graph.nodes.enumerated() {
      let value = graph.inputs.count + position
      let output = graph.outputs.first { $0.value == value }
      // A constant's name is that of its parameter.
      let name = parameterNames.contains(node.name) ? "\(node.name)/value" : node.name
      names.append(output?.name ?? unique(name))
      try write(node, value)
    }
    for output in graph.outputs {
      // An input given back, or a value given twice.
      if names[output.value] != output.name {
        draft.node("Identity", name: output.name, [names[output.value]], [output.name])
      }
      let shape = self.shapes[output.value].enumerated().map { i, size in
        i == 0
          ? ONNXModelBuilder.Dimension.name("batch")
          : size == others[output.value][i] && !(self.shapes[output.value].count == 4 && i > 1)
            ? .number(size) : .name("\(output.name)_\(i)")
      }
      draft.port(output.name, shape, isInput: false)
    }
  }

  // MARK: - Nodes

  /// Writes a node in ONNX's operators.
  private mutating func write(_ node: Graph.Node, _ value: Int) throws(InterchangeError) {
    guard let operation = node.op.exchanged else {
      throw refusal(node, "no operator is known for \(node.op.name)")
    }
    try operation.write(node, value, to: &self)
  }

  /// The name of a value of ours.
  func name(_ value: Int) -> String { names[value] }

  /// Adds an operator that gives a value of ours.
  mutating func emit(
    _ kind: String, _ node: Graph.Node, _ inputs: [String], _ value: Int,
    _ attributes: [(String, ONNXModelBuilder.Attribute)] = []
  ) {
    draft.node(kind, name: node.name, inputs, [names[value]], attributes)
  }

  /// Adds an operator on the way, and gives the name of what it gives.
  mutating func step(
    _ kind: String, _ node: Graph.Node, _ inputs: [String],
    _ attributes: [(String, ONNXModelBuilder.Attribute)] = []
  ) -> String {
    let name = unique("\(node.name)/\(kind)")
    draft.node(kind, name: name, inputs, [name], attributes)
    return name
  }

  /// Adds an operator of several results on the way, and gives their names.
  mutating func steps(
    _ kind: String, _ node: Graph.Node, _ inputs: [String], _ results: [String],
    _ attributes: [(String, ONNXModelBuilder.Attribute)] = []
  ) -> [String] {
    let names = results.map { unique("\(node.name)/\($0)") }
    draft.node(kind, name: unique("\(node.name)/\(kind)"), inputs, names, attributes)
    return names
  }

  /// A constant of integers.
  mutating func integers(_ node: Graph.Node, _ what: String, _ numbers: [Int]) -> String {
    let name = unique("\(node.name)/\(what)")
    draft.constant(name, integers: numbers)
    return name
  }

  /// A constant table of integers: one for all nodes that want the same.
  mutating func table(
    _ node: Graph.Node, _ what: String, _ entries: [Int], shape: [Int]
  ) -> String {
    table(node, what, Table(entries: .integers(entries), shape: shape))
  }

  /// A constant table of numbers: one for all nodes that want the same.
  mutating func table(
    _ node: Graph.Node, _ what: String, _ entries: [Double], shape: [Int]
  ) -> String {
    table(node, what, Table(entries: .floats(entries), shape: shape))
  }

  private mutating func table(_ node: Graph.Node, _ what: String, _ table: Table) -> String {
    if let known = tables[table] { return known }
    let name = unique("\(node.name)/\(what)")
    switch table.entries {
    case .integers(let entries): draft.constant(name, integers: entries, shape: table.shape)
    case .floats(let entries): draft.constant(name, floats: entries, shape: table.shape)
    }
    tables[table] = name
    return name
  }

  /// A constant integer without dimensions.
  mutating func scalar(_ node: Graph.Node, _ what: String, _ number: Int) -> String {
    table(node, what, [number], shape: [])
  }

  /// A constant of numbers: one, or one for each channel of a value.
  mutating func floats(
    _ node: Graph.Node, _ what: String, _ numbers: [Double], rank: Int
  ) -> String {
    let name = unique("\(node.name)/\(what)")
    let shape =
      numbers.count == 1
      ? [] : [1, numbers.count] + [Int](repeating: 1, count: max(rank - 2, 0))
    draft.constant(name, floats: numbers, shape: shape)
    return name
  }

  /// Constant scales of an image's four dimensions.
  mutating func draftScales(_ name: String, _ ratio: Ratio) {
    draft.constant(name, floats: [1, 1, ratio.value, ratio.value], shape: [4])
  }

  /// A constant that is made when it is written.
  mutating func constant(_ name: String, shape: [Int], _ make: @escaping () throws -> Tensor) {
    draft.constant(name, shape: shape, make)
  }

  /// A constant that is one number over and over.
  mutating func filled(_ node: Graph.Node, _ what: String, _ number: Double, count: Int) -> String {
    let name = unique("\(node.name)/\(what)")
    draft.constant(name, floats: [Double](repeating: number, count: count), shape: [count])
    return name
  }

  /// The constant that a parameter is, with these steps taken.
  mutating func parameter(
    _ name: String, _ steps: [TensorStep] = []
  ) throws(InterchangeError) -> String {
    let variant = Variant(name: name, steps: steps)
    if let known = parameters[variant] { return known }
    var shape = try graph.requireParameter(name, in: weights)
    for step in steps {
      do {
        shape = try step.shape(of: shape)
      } catch {
        throw .weights(layer: name, expected: "a shape to be changed", found: "\(error)")
      }
    }
    let result = unique(name)
    parameters[variant] = result
    let weights = weights
    draft.constant(result, shape: shape) {
      guard let tensor = try weights.tensor(name) else {
        throw InterchangeError.weights(layer: name, expected: "a tensor", found: "none")
      }
      return try steps.applied(to: tensor.converted(to: .float32))
    }
    return result
  }

  /// A name that nothing else has, and the one asked for wherever it is free.
  mutating func unique(_ name: String) -> String {
    var (result, number) = (name, 1)
    while !used.insert(result).inserted {
      number += 1
      result = "\(name)_\(number)"
    }
    return result
  }

  /// Whether a value has other rows and columns for images of other sizes.
  func sidesDependOnSize(_ value: Int) -> Bool {
    let sides = shapes[value].suffix(2)
    return [48, 96, 240, 480, 960].contains { side in
      guard let others = try? graph.shapes(height: side, width: side) else { return false }
      return others[value].suffix(2) != sides
    }
  }

  /// An error that names a node.
  func refusal(_ node: Graph.Node, _ why: String) -> InterchangeError {
    .target(format: "ONNX", node: node.name, why: why)
  }
}

extension Padding {
  /// Whether it is another for images of other sizes.
  func dependsOnSize(kernel: Size, stride: Size, dilation: Size = 1) -> Bool {
    self == .same
      && Axis.allCases.contains { stride[$0] > 1 && (kernel[$0] - 1) * dilation[$0] > 1 }
  }
}

/// Windows, strides and padding, as all operators with windows state them.
extension ONNXWriter {
  func list(_ size: Size) -> [Int] { [size.height, size.width] }

  /// The padding: as numbers wherever it does not depend on the image's size.
  func padding(
    _ padding: Padding, kernel: Size, stride: Size, dilation: Size
  ) -> (String, ONNXModelBuilder.Attribute) {
    if padding.dependsOnSize(kernel: kernel, stride: stride, dilation: dilation) {
      return ("auto_pad", .text("SAME_UPPER"))
    }
    // At stride 1 any size tells the padding, and a window of one pixel has none. One of two pixels
    // has one at the end; where the size leaves it none, no window reaches it.
    let edges = padding.amounts(size: Size(1), kernel: kernel, stride: stride, dilation: dilation)
    return ("pads", .integers([edges.top, edges.left, edges.bottom, edges.right]))
  }
}

/// Networks of ours as ONNX models.
public enum ONNXExport {
  /// Writes a network with its weights: operators of version 17, float32, height, width and number
  /// of images free. The model computes the very same function, borders included.
  ///
  /// - Parameters:
  ///   - weights: the graph's parameters by name, in our layout; counters may be left out. They are
  ///     read one after the other as they are written.
  ///   - record: our record, as JSON, which the file carries; asked for once all weights are
  ///     written.
  ///   - path: the file, which appears whole or not at all.
  /// - Returns: what was done to the weights on the way, in words.
  /// - Throws: `InterchangeError.target` for an operation that ONNX does not have, `.weights` for
  ///   weights that are not there; `CheckpointError` for what goes wrong with the files, a model
  ///   beyond 2 GiB included.
  @discardableResult
  public static func write(
    graph: Graph, weights: TensorSource, record: @autoclosure () throws -> String? = nil,
    to path: String
  ) throws -> [String] {
    var writer = ONNXWriter(try graph.forExport(), weights)
    try writer.writeGraph()
    try writer.draft.write(to: path, record: try record(), producer: "1")
    return writer.notes
  }
}
