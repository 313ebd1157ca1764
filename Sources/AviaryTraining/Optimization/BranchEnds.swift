import AviaryGraph

/// The layers with which branches of a network end, and with which the network itself does.
///
/// A sum of a skip connection and a branch begins near the identity where the branch begins small.
/// Which operand is the branch, the graph tells: what nothing but the sum uses, and has a layer with
/// parameters behind it, with nothing between that is not linear. A skip connection is used elsewhere
/// too, or comes from an input, an activation or another sum.
struct BranchEnds {
  /// The parameters of the last layers of branches: those that carry the branch's strength.
  private(set) var ofBranches: Set<String> = []
  /// The same of the layers that give the network's outputs.
  private(set) var ofNetwork: Set<String> = []

  private let graph: Graph
  /// How many nodes and outputs use each value.
  private var uses: [Int]
  /// The nodes on the longest way to each value.
  private var depths: [Int]

  init(_ graph: Graph) {
    self.graph = graph
    uses = [Int](repeating: 0, count: graph.valueCount)
    depths = [Int](repeating: 0, count: graph.inputs.count)
    for node in graph.nodes {
      for value in Set(node.inputs) { uses[value] += 1 }
      depths.append(1 + (node.inputs.map { depths[$0] }.max() ?? 0))
    }
    for output in graph.outputs { uses[output.value] += 1 }
    for node in graph.nodes {
      guard let branch = branch(of: node) else { continue }
      ofBranches.formUnion(end(of: branch, through: Self.isLinear))
    }
    for output in graph.outputs { ofNetwork.formUnion(lastLayers(output.value)) }
  }

  /// The operand of a sum or difference that is a branch; nil where none is, and in other nodes. Of
  /// two, as where the skip connection is a projection, the one that more was done to.
  private func branch(of node: Graph.Node) -> Int? {
    let operands: [Int]
    switch node.op {
    case .binary(.add): operands = node.inputs
    // A network that is taken away from its input, as in denoising.
    case .binary(.subtract): operands = Array(node.inputs.dropFirst())
    default: return nil
    }
    let candidates = operands.filter {
      uses[$0] == 1 && !end(of: $0, through: Self.isLinear).isEmpty
    }
    return candidates.max { depths[$0] < depths[$1] }
  }

  private func node(_ value: Int) -> Graph.Node? {
    value < graph.inputs.count ? nil : graph.nodes[value - graph.inputs.count]
  }

  /// The weight of the layer that a value comes from, by way of operations that a test lets pass;
  /// none where there is no such layer, or its values are used by others too.
  private func end(of value: Int, through passes: (Op) -> Bool) -> [String] {
    var value = value
    while uses[value] == 1, let node = node(value) {
      switch node.op {
      case .convolution, .transposedConvolution, .linear: return Array(node.parameters.prefix(1))
      // What stands before a normalisation may have any strength: its own scale decides.
      case .batchNormalization(let normalization):
        return normalization.scale ? Array(node.parameters.prefix(1)) : []
      default:
        guard passes(node.op) else { return [] }
        value = node.inputs[0]
      }
    }
    return []
  }

  /// The last layers before an output: through a sum to the branch of it, and through activations.
  private func lastLayers(_ value: Int) -> [String] {
    var value = value
    while let node = node(value) {
      if let branch = branch(of: node) {
        value = branch
        continue
      }
      let found = end(of: value) { _ in false }
      if !found.isEmpty { return found }
      guard uses[value] == 1, Self.isLinear(node.op) || Self.passesGradients(node.op) else {
        return []
      }
      value = node.inputs[0]
    }
    return []
  }

  /// Operations of one input that move or scale values.
  private static func isLinear(_ op: Op) -> Bool {
    switch op {
    case .scale, .offset, .pixelShuffle, .pixelUnshuffle, .crop, .pad, .dropout, .slice, .reshape,
      .permute, .roll:
      true
    case .resize(let resize): resize.target != .sizeOfSecondInput
    default: false
    }
  }

  /// Activations that a layer of zeros can learn behind: behind a ReLU it would stay one. Bounds serve
  /// too, as what they bound is the sum with a skip connection.
  private static func passesGradients(_ op: Op) -> Bool {
    switch op {
    case .activation(.sigmoid), .activation(.tanh), .activation(.silu), .activation(.gelu),
      .activation(.elu), .activation(.leakyRelu), .prelu:
      true
    case .activation(.clamp(let minimum, let maximum)): minimum <= 0 && maximum >= 0
    default: false
    }
  }
}
