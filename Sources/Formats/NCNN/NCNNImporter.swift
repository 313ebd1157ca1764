import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// An ncnn network on its way to a graph: what was made of the layers so far.
struct NCNNImporter {
  /// What a blob is.
  enum Blob {
    case value(Int)
    /// Numbers that the file has.
    case constant(Tensor)
  }

  let network: NCNNNetwork
  let tensors: TensorSource
  /// What tensors go through besides what their description says.
  var steps: [String: [TensorStep]] = [:]
  var assumed: [String] = []
  var notes: [String] = []
  private(set) var inputs: [Graph.Input] = []
  private(set) var blobs: [String: Blob] = [:]
  private var nodes: [Graph.Node] = []
  /// The shape of each value, on a large picture where the size is open.
  private var shapes: [[Int]] = []
  private var names: Set<String> = []

  /// As the graph checks itself: divisible by all that networks divide by.
  private static let nominalSide = 7_680

  init(_ network: NCNNNetwork, _ tensors: TensorSource) {
    self.network = network
    self.tensors = tensors
  }

  // MARK: Values

  /// Adds a picture that the network takes.
  mutating func addInput(
    _ layer: NCNNLayer, channels: Int, size: Size?
  ) throws(InterchangeError) {
    // Values are numbered inputs first; ncnn's files have them first too.
    guard nodes.isEmpty else {
      throw layer.unsupported("an input behind other layers")
    }
    inputs.append(Graph.Input(unique(layer.name), channels: channels, size: size))
    let sides = size ?? Size(Self.nominalSide)
    shapes.append([1, channels, sides.height, sides.width])
    try give(layer, .value(shapes.count - 1))
  }

  /// Adds an operation whose attributes are known to be within `GraphLimits`, and gives its value.
  ///
  /// - Parameter suffixes: the last parts of its parameters' names, which follow the layer's.
  mutating func add(
    _ op: Op, _ layer: NCNNLayer, _ values: [Int], parameters suffixes: [String] = []
  ) throws(InterchangeError) -> Int {
    let name = unique(layer.name)
    do throws(ShapeProblem) {
      shapes.append(try op.outputShape(values.map { shapes[$0] }))
    } catch {
      throw layer.unsupported("\(error)")
    }
    nodes.append(
      Graph.Node(
        name, op, inputs: values, parameters: suffixes.map { "\(layer.name).\($0)" }))
    guard nodes.count <= GraphLimits.nodes else {
      throw .graph(.limit("nodes", value: nodes.count, limit: GraphLimits.nodes))
    }
    return shapes.count - 1
  }

  /// The shape of a value.
  func shape(_ value: Int) -> [Int] { shapes[value] }

  /// Makes the layer's first output known.
  mutating func give(_ layer: NCNNLayer, _ blob: Blob) throws(InterchangeError) {
    guard layer.outputs.count == 1 else {
      throw layer.unsupported("one output expected, \(layer.outputs.count) found")
    }
    blobs[layer.outputs[0]] = blob
  }

  mutating func give(blob: String, _ value: Blob) { blobs[blob] = value }

  /// What the layer's inputs are.
  func blobs(of layer: NCNNLayer) throws(InterchangeError) -> [Blob] {
    var result: [Blob] = []
    for name in layer.inputs {
      guard let blob = blobs[name] else { throw layer.unsupported("blob \(name) is not there") }
      result.append(blob)
    }
    return result
  }

  /// The values that the layer takes, none of them a constant.
  func values(of layer: NCNNLayer, count: Int? = 1) throws(InterchangeError) -> [Int] {
    var values: [Int] = []
    for blob in try blobs(of: layer) {
      guard case .value(let value) = blob else {
        throw layer.unsupported("a constant where a picture is expected")
      }
      values.append(value)
    }
    guard !values.isEmpty, count == nil || values.count == count else {
      throw layer.unsupported("\(count ?? 1) inputs expected, \(values.count) found")
    }
    return values
  }

  /// The layer's name, numbered where it is taken already.
  private mutating func unique(_ name: String) -> String {
    if names.insert(name).inserted { return name }
    // Layers have different names; only what one layer becomes is numbered here.
    var number = 2
    while !names.insert("\(name)_\(number)").inserted { number += 1 }
    return "\(name)_\(number)"
  }

  // MARK: The graph

  /// The finished graph, of any size where it is sound for any.
  func graph() throws(InterchangeError) -> (graph: Graph, notes: [String]) {
    let taken = Set(network.layers.flatMap(\.inputs))
    var outputs: [Graph.Output] = []
    for layer in network.layers {
      for blob in layer.outputs where !taken.contains(blob) {
        guard case .value(let value)? = blobs[blob] else { continue }
        outputs.append(Graph.Output(blob, value: value))
      }
    }
    var free = inputs
    for i in free.indices { free[i].size = nil }
    let sized = inputs.filter { $0.size != nil }
    do throws(GraphError) {
      if !sized.isEmpty, let graph = try? Graph(inputs: free, nodes: nodes, outputs: outputs),
        graph.parameters.allSatisfy({ parameter in
          guard let tensor = tensors[parameter.name] else { return true }
          return tensor.count == parameter.shape.reduce(1, *)
        })
      {
        let notes = sized.map { input in
          let size = input.size ?? Size(0)
          return "input \(input.name): the size of \(size.height)x\(size.width) was let go"
        }
        return (graph, notes)
      }
      return (try Graph(inputs: inputs, nodes: nodes, outputs: outputs), [])
    } catch {
      throw .graph(error)
    }
  }
}
