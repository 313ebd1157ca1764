public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// The distance between the features that a network computes from results and from targets: for
/// each layer the mean squared (or absolute) difference of its values, times the layer's weight,
/// summed.
///
/// Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution
/// (2016). The feature network is not trained.
public struct PerceptualLoss: Loss {
  /// `perceptual`
  public let name = "perceptual"
  private let network: FeatureNetwork
  private let space: ImageSpace
  private let isSquared: Bool
  private let weights: PackedWeights
  private let engine: Engine
  private var plans: Plans?

  /// Plans for one batch shape. A class, because plans cannot be copied, and losses can.
  private final class Plans {
    let shape: [Int]
    /// Forward only, for targets.
    var targets: Plan
    /// Forward, and backward to the images, for results.
    var results: TrainingPlan

    init(_ network: FeatureNetwork, shape: [Int], _ weights: PackedWeights, _ engine: Engine)
      throws(ComputeError)
    {
      let targets = try Plan(
        network.graph, weights: weights, inputShapes: [shape], engine: engine)
      results = try TrainingPlan(
        network.graph, inputShapes: [shape], gradientsOf: .inputs, engine: engine)
      self.targets = targets
      self.shape = shape
    }
  }

  /// A loss on a network's features.
  ///
  /// - Parameters:
  ///   - image: the image description of results and targets; they are converted to the feature
  ///     network's, with one channel of gray or luma repeated if it takes three.
  ///   - isSquared: squared differences rather than absolute ones.
  ///   - engine: the engine for the feature network.
  /// - Throws: `TrainingError.training` for images that the feature network cannot take.
  public init(
    _ network: FeatureNetwork, picture: ImageSpec, isSquared: Bool = true, engine: Engine
  ) throws(TrainingError) {
    space = try ImageSpace(name, from: picture, to: network.picture)
    (self.network, self.isSquared, self.engine) = (network, isSquared, engine)
    weights = PackedWeights(network.parameters)
  }

  /// Plans the feature network.
  public mutating func prepare(for shape: [Int]) throws {
    let own = [shape[0], space.sources.count] + shape.dropFirst(2)
    do throws(ComputeError) { _ = try plans(for: own) } catch {
      throw error.ofPatch(results: shape, part: "the feature network of the loss \(name)")
    }
  }

  /// The loss and its gradient. The first batch of a size takes longer, because plans are made for
  /// it.
  ///
  /// - Throws: `TrainingError.training` for tensors that are not images of the same shape,
  ///   `ComputeError` for images too small for the feature network or too large for memory.
  public mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.check(name, result, target)
    guard result.shape.count == 4, result.shape[1] == space.channels else {
      throw TrainingError.training(
        "\(name): result", expected: "N x \(space.channels) x height x width",
        found: "\(result.shape)")
    }
    let images = try space.apply(result)
    let plans = try plans(for: images.shape)
    let input = network.graph.inputs[0].name
    let wanted = try plans.targets.run([input: space.apply(target)])
    let found = try plans.results.forward([input: images], parameters: network.parameters).outputs
    var value = 0.0
    var gradients: [String: Tensor] = [:]
    for (layer, weight) in network.layers.sorted(by: { $0.key < $1.key }) {
      guard let found = found[layer], let wanted = wanted[layer] else { continue }
      let distance =
        try isSquared ? L2Loss().evaluate(found, wanted) : L1Loss().evaluate(found, wanted)
      value += weight * distance.value
      gradients[layer] = distance.gradient.multiplied(by: weight)
    }
    guard let gradient = try plans.results.backward(gradients).inputs[input] else {
      throw TrainingError.training(name, expected: "a gradient of \(input)", found: "none")
    }
    return LossValue(value, gradient: try space.applyBackward(gradient, shape: result.shape))
  }

  private mutating func plans(for shape: [Int]) throws(ComputeError) -> Plans {
    if let plans, plans.shape == shape { return plans }
    // Release the old plans first: both may not fit into memory.
    plans = nil
    let made = try Plans(network, shape: shape, weights, engine)
    plans = made
    return made
  }
}

/// A network whose features are compared, with its weights: the part that leads to the requested
/// nodes, in inference mode.
///
/// Batch normalisation becomes a factor and an offset per channel, from its running statistics, and
/// dropout is removed: a training loss must not depend on what else is in the batch.
public struct FeatureNetwork: Sendable {
  /// The part of the network that is needed; its outputs are the requested nodes, by name.
  public let graph: Graph
  /// The weights of that part, float32.
  public let parameters: [String: Tensor]
  /// The image description.
  public let picture: ImageSpec
  /// The nodes whose values are compared, with their weights.
  public let layers: [String: Double]

  /// Extracts the part of a network that leads to the requested nodes.
  ///
  /// - Parameters:
  ///   - graph: the whole network, with one input.
  ///   - image: its image description.
  ///   - layers: the nodes whose values are compared, with their weights. If empty, the graph's
  ///     first output.
  ///   - parameter: gives a parameter's value, in its shape; called for those that are needed.
  /// - Throws: `TrainingError.recipe` for a node that does not exist, with the nearest; for weights
  ///   that are not above 0; for tensors of the wrong shape and networks with several inputs;
  ///   errors from `parameter`.
  public init(
    _ graph: Graph, picture: ImageSpec, layers: [String: Double] = [:],
    parameter: (Parameter) throws -> Tensor
  ) throws {
    guard graph.inputs.count == 1, picture.colour.channels == graph.inputs[0].channels else {
      throw TrainingError.recipe(
        field: "perceptual.checkpoint",
        expected: "a network of one \(picture.colour.rawValue) image",
        found: "inputs of \(graph.inputs.map(\.channels)) channels")
    }
    let wanted = try Self.nodes(layers, of: graph)
    self.layers = Dictionary(
      uniqueKeysWithValues: wanted.map { (graph.nodes[$0.node].name, $0.weight) })
    let needed = Self.ancestors(of: wanted.map(\.node), in: graph)
    let used = Set(needed.flatMap { graph.nodes[$0].parameters })
    var tensors: [String: Tensor] = [:]
    for wanted in graph.parameters where used.contains(wanted.name) && wanted.role != .nonPersistent
    {
      let tensor = try parameter(wanted).converted(to: .float32)
      guard tensor.shape == wanted.shape else {
        throw TrainingError.recipe(
          field: "perceptual.checkpoint", expected: "\(wanted.name) of shape \(wanted.shape)",
          found: "shape \(tensor.shape)")
      }
      tensors[wanted.name] = tensor
    }
    self.graph = try Self.inference(graph, needed, outputs: self.layers.keys.sorted(), tensors)
    let left = Set(self.graph.parameters.map(\.name))
    parameters = tensors.filter { left.contains($0.key) }
    self.picture = picture
  }

  /// The positions of the requested nodes.
  private static func nodes(
    _ layers: [String: Double], of graph: Graph
  ) throws(TrainingError) -> [(node: Int, weight: Double)] {
    let layers =
      layers.isEmpty
      ? [graph.name(ofValue: graph.outputs[0].value): 1]
      : layers
    let names = graph.nodes.map(\.name)
    let positions = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    var nodes: [(node: Int, weight: Double)] = []
    for (name, weight) in layers.sorted(by: { $0.key < $1.key }) {
      guard let position = positions[name] else {
        throw .unknownField("perceptual.layers.\(name)", nearest: name.nearest(in: names))
      }
      guard weight > 0, weight.isFinite else {
        throw .recipe(
          field: "perceptual.layers.\(name)", expected: "a number above 0", found: "\(weight)")
      }
      nodes.append((position, weight))
    }
    return nodes
  }

  /// The given nodes and all nodes that they depend on, in order of execution.
  private static func ancestors(of nodes: [Int], in graph: Graph) -> [Int] {
    var needed = Set(nodes)
    for node in graph.nodes.indices.reversed() where needed.contains(node) {
      for value in graph.nodes[node].inputs where value >= graph.inputs.count {
        needed.insert(value - graph.inputs.count)
      }
    }
    return needed.sorted()
  }

  /// A graph of some of the nodes, without those that only training needs.
  private static func inference(
    _ graph: Graph, _ kept: [Int], outputs: [String], _ tensors: [String: Tensor]
  ) throws -> Graph {
    var nodes: [Graph.Node] = []
    // Maps values of the old graph to values of the new one.
    var places = Array(graph.inputs.indices)
    places += Array(repeating: 0, count: graph.nodes.count)
    for position in kept {
      var node = graph.nodes[position]
      node.inputs = node.inputs.map { places[$0] }
      if case .batchNormalization(let normalization) = node.op {
        let (factors, offsets) = affine(normalization, node.parameters, tensors)
        nodes.append(
          Graph.Node("\(node.name).factors", .scale(Scale(factors)), inputs: node.inputs))
        let value = graph.inputs.count + nodes.count - 1
        node = Graph.Node(node.name, .offset(Offset(offsets)), inputs: [value])
      } else if case .dropout = node.op {
        node = Graph.Node(node.name, .scale(Scale([1])), inputs: node.inputs)
      }
      nodes.append(node)
      places[graph.inputs.count + position] = graph.inputs.count + nodes.count - 1
    }
    let values = Dictionary(
      uniqueKeysWithValues: nodes.enumerated().map { ($1.name, graph.inputs.count + $0) })
    return try Graph(
      inputs: graph.inputs, nodes: nodes,
      outputs: outputs.compactMap { name in values[name].map { Graph.Output(name, value: $0) } })
  }

  /// Batch normalisation in inference mode: value · factor + offset, per channel.
  private static func affine(
    _ normalization: BatchNormalization, _ names: [String], _ tensors: [String: Tensor]
  ) -> (factors: [Double], offsets: [Double]) {
    // In the order of the operation's parameters, without the counter.
    var values = names.compactMap { tensors[$0]?.floats.map(Double.init) }[...]
    let count = values.last?.count ?? 0
    let weights =
      normalization.scale ? values.removeFirst() : Array(repeating: 1, count: count)
    let biases =
      normalization.center ? values.removeFirst() : Array(repeating: 0, count: count)
    let means = values.removeFirst(), variances = values.removeFirst()
    let factors = zip(weights, variances).map { $0 / ($1 + normalization.epsilon).squareRoot() }
    let offsets = zip(biases, zip(means, factors)).map { $0 - $1.0 * $1.1 }
    return (factors, offsets)
  }
}
