import AviaryGraph

/// The last layers of a network's residual branches, and of the network itself.
///
/// The sum of a skip connection and a branch starts near the identity if the branch starts small.
/// The residual branch is the operand used only by the addition and produced by a parameterised
/// layer through linear operations. A skip connection is also used elsewhere, or comes from an
/// input, an activation or another sum.
struct ResidualBranchOutputs {
  /// The parameters of the branches' last layers: those that set the strength of the branch.
  private(set) var ofBranches: Set<String> = []
  /// The same for the layers that give the network's outputs.
  private(set) var ofNetwork: Set<String> = []

  private let graph: Graph
  /// The number of nodes and outputs that use each value.
  private var uses: [Int]
  /// The length of the longest path to each value, in nodes.
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

  /// The operand of a sum or difference that is a branch; nil if there is none, or for other nodes.
  /// If both are, as when the skip connection is a projection, the one with the longer path.
  private func branch(of node: Graph.Node) -> Int? {
    let operands: [Int]
    switch node.op {
    case .binary(.add): operands = node.inputs
    // A network whose output is subtracted from its input, as in denoising.
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

  /// The weight of the layer that produces a value through operations that `passes` accepts; empty
  /// if there is no such layer, or if its values are also used elsewhere.
  private func end(of value: Int, through passes: (Op) -> Bool) -> [String] {
    var value = value
    while uses[value] == 1, let node = node(value) {
      switch node.op {
      case .convolution, .transposedConvolution, .linear: return Array(node.parameters.prefix(1))
      // The strength before a normalisation does not matter: the normalisation's own scale decides.
      case .batchNormalization(let normalization):
        return normalization.scale ? Array(node.parameters.prefix(1)) : []
      default:
        guard passes(node.op) else { return [] }
        value = node.inputs[0]
      }
    }
    return []
  }

  /// The last layers before an output: through a sum into its branch, and through activations.
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

  /// Operations with one input that move or scale values.
  private static func isLinear(_ op: Op) -> Bool {
    switch op {
    case .scale, .offset, .pixelShuffle, .pixelUnshuffle, .crop, .pad, .dropout, .slice, .reshape,
      .permute, .roll:
      true
    case .resize(let resize): resize.target != .sizeOfSecondInput
    default: false
    }
  }

  /// Activations behind which a layer of zeros can learn: behind a ReLU it would stay zero.
  /// Clamping is allowed, because what it clamps is the sum with a skip connection.
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
