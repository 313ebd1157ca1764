import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

/// An ncnn network on its way to a graph: what was made of the layers so far.
struct NCNNImporter {
  /// What a blob is.
  enum Blob {
    case value(Int)
    /// Numbers that the file has.
    case constant(Tensor, layer: String)
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
  /// The shape of each value, on a large image where the size is open.
  private var shapes: [[Int]] = []
  private var names: Set<String> = []

  /// As the graph checks itself: divisible by all that networks divide by.
  private static let nominalSide = 7_680

  init(_ network: NCNNNetwork, _ tensors: TensorSource) {
    self.network = network
    self.tensors = tensors
  }

  // MARK: Values

  /// Adds an image that the network takes.
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
      throw layer.unsupported("expected one output, found \(layer.outputs.count)")
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
        throw layer.unsupported("a constant where an image is expected")
      }
      values.append(value)
    }
    guard !values.isEmpty, count == nil || values.count == count else {
      throw layer.unsupported("expected \(count ?? 1) inputs, found \(values.count)")
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

extension NCNNImporter {
  /// Adds what a layer computes.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation computes.
  mutating func add(_ layer: NCNNLayer) throws(InterchangeError) {
    switch layer.type {
    case "Input": try input(layer)
    case "Split", "Noop": try pass(try blobs(of: layer), to: layer)
    case "MemoryData": try constant(layer)
    default:
      guard let operation = ExchangedOperations.ncnn[layer.type] else {
        throw layer.unsupported("no operation computes it")
      }
      try operation.read(layer, with: &self)
    }
  }

  /// ncnn's files need not say how many channels an image has: the first layer that shows it does.
  mutating func input(_ layer: NCNNLayer) throws(InterchangeError) {
    let range = 0...GraphLimits.dimension
    let sides = [1, 0].map { layer.integer($0) ?? -1 }
    let channels = try layer.integer(2, in: 0...GraphLimits.channels)
    guard sides.allSatisfy(range.contains), layer.integer(11) == 0,
      channels > 0 || sides == [0, 0]
    else { throw layer.unsupported("expected an image") }
    let size = sides.allSatisfy { $0 > 0 } ? Size(sides[0], sides[1]) : nil
    if channels > 0 {
      try addInput(layer, channels: channels, size: size)
    } else if let blob = layer.outputs.first, let shown = shownChannels(of: blob) {
      try addInput(layer, channels: shown, size: size)
    } else {
      assumed.append("input \(layer.name): 3 channels")
      try addInput(layer, channels: 3, size: size)
    }
  }

  /// The channels of a blob, by the first layer behind it whose weights show them.
  private func shownChannels(of blob: String) -> Int? {
    var same: Set<String> = [blob]
    for layer in network.layers where !same.isDisjoint(with: layer.inputs) {
      let weight = tensors["\(layer.name).weight"]?.shape ?? []
      switch layer.type {
      case "Convolution" where weight.count == 4: return weight[1]
      case "Deconvolution", "DeconvolutionDepthWise": return weight.first
      case "ConvolutionDepthWise" where weight.count == 4:
        let groups = layer.integer(7, default: 1) ?? 1
        return groups <= GraphLimits.channels && weight[1] <= GraphLimits.channels
          ? groups * weight[1] : nil
      case "BatchNorm": return weight.first
      case "Scale" where !weight.isEmpty: return weight.first
      case "PReLU" where weight != [1]: return weight.first
      case "Split", "Noop", "Dropout", "Padding", "Interp", "Pooling", "BinaryOp", "Eltwise",
        "Clip",
        "PReLU", "ReLU", "Sigmoid", "TanH", "UnaryOp", "HardSwish", "Swish":
        same.formUnion(layer.outputs)
      default: break
      }
    }
    return nil
  }

  /// Gives a layer's inputs on as its outputs.
  mutating func pass(_ inputs: [Blob], to layer: NCNNLayer) throws(InterchangeError) {
    guard inputs.count == 1 || inputs.count == layer.outputs.count else {
      throw layer.unsupported("\(inputs.count) inputs for \(layer.outputs.count) outputs")
    }
    for (position, output) in layer.outputs.enumerated() {
      give(blob: output, inputs.count == 1 ? inputs[0] : inputs[position])
    }
  }

  mutating func constant(_ layer: NCNNLayer) throws(InterchangeError) {
    do throws(CheckpointError) {
      guard let tensor = try tensors.tensor("\(layer.name).data") else {
        throw .noTensors(path: layer.name, found: "nothing")
      }
      for output in layer.outputs { give(blob: output, .constant(tensor, layer: layer.name)) }
    } catch {
      throw .description(part: "layer \(layer.name)", problem: error.description)
    }
  }

  /// A constant of the file as a value of ours, of so many dimensions, the first that of the images.
  mutating func learnedConstant(
    _ tensor: Tensor, layer name: String, rank: Int, for layer: NCNNLayer
  ) throws(InterchangeError) -> Int {
    guard tensor.shape.count < rank else {
      throw layer.unsupported("a constant of shape \(tensor.shape)")
    }
    guard tensor.shape.count == rank - 1 || tensor.count == 1 else {
      // ncnn has rules of its own for these.
      throw layer.unsupported("a constant of shape \(tensor.shape) beside \(rank - 1) dimensions")
    }
    let shape = [Int](repeating: 1, count: rank - tensor.shape.count) + tensor.shape
    var source = layer
    source.name = name
    steps["\(name).data"] = [.reshaped(from: tensor.shape, to: shape)]
    return try add(
      .learnedConstant(LearnedConstant(shape)), source, [], parameters: ["data"])
  }
}

extension NCNNImporter {
  static let window = 1...GraphLimits.window
  static let edge = 0...GraphLimits.window

  func common(
    _ layer: NCNNLayer
  ) throws(InterchangeError) -> (outChannels: Int, groups: Int, bias: Bool) {
    for number in [19, 28] where !layer.type.hasPrefix("Deconvolution") || number == 28 {
      try layer.require(number, 0, default: 0, "weights from another layer")
    }
    let filters = try layer.integer(0, in: 1...GraphLimits.channels)
    let groups =
      layer.type.hasSuffix("DepthWise")
      ? try layer.integer(7, default: 1, in: 1...GraphLimits.channels) : 1
    guard filters.isMultiple(of: groups) else { throw layer.unsupported("\(groups) groups") }
    return (filters, groups, try layer.integer(5, in: 0...1) == 1)
  }

  mutating func finish(
    _ layer: NCNNLayer, _ op: Op, bias: Bool
  ) throws(InterchangeError) {
    let value = try add(
      op, layer, try values(of: layer), parameters: bias ? ["weight", "bias"] : ["weight"])
    try give(layer, .value(try fused(layer, value)))
  }

  /// Left, right, top and bottom, each that of an earlier one where it is not stated; -233 is
  /// TensorFlow's rule.
  func padding(_ layer: NCNNLayer) throws(InterchangeError) -> Padding {
    let range = -234...GraphLimits.window
    let left = try layer.integer(4, in: range)
    let right = try layer.integer(15, default: left, in: range)
    let top = try layer.integer(14, default: left, in: range)
    let bottom = try layer.integer(16, default: top, in: range)
    if [left, right, top, bottom].contains(-233) { return .same }
    guard [left, right, top, bottom].allSatisfy({ $0 >= 0 }) else {
      throw layer.unsupported("padding 'same' with the odd row at the top")
    }
    return .explicit(PaddingAmounts(top, left, bottom, right))
  }
}

extension NCNNLayer {
  /// The error for what no operation computes.
  func unsupported(_ why: String) -> InterchangeError {
    .layer(name, kind: type, place: "line \(line)", why: why)
  }

  /// An integer attribute within a range.
  func integer(
    _ number: Int, default absent: Int = 0, in range: ClosedRange<Int>
  ) throws(InterchangeError) -> Int {
    guard let value = integer(number, default: absent), range.contains(value) else {
      throw unsupported(
        "attribute \(number): expected \(range.lowerBound) to \(range.upperBound), "
          + "found \(self.number(number, default: Double(absent)))")
    }
    return value
  }

  /// Two attributes, of width and height, the height that of the width where it is not stated.
  func size(
    width: Int, height: Int, default absent: Int = 1, in range: ClosedRange<Int>
  ) throws(InterchangeError) -> Size {
    let columns = try integer(width, default: absent, in: range)
    return Size(try integer(height, default: columns, in: range), columns)
  }

  /// Refuses a layer that states another number than the only one that is computed.
  func require(
    _ number: Int, _ value: Double, default absent: Double, _ what: String
  ) throws(InterchangeError) {
    let found = self.number(number, default: absent)
    guard found == value else { throw unsupported("\(what) (attribute \(number) is \(found))") }
  }
}
