/// A layer that a file holds in the form in which it was trained, and that is folded on import into
/// the weight, and perhaps the bias, of one convolution or linear layer.
public struct FoldedLayer: Hashable, Sendable {
  /// How the layer was trained.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// weight = g · v / ‖v‖ (Salimans and Kingma, 2016), of PyTorch's `weight_norm`.
    case weightNormalization = "weight normalisation"
    /// weight / σ, σ = uᵀ · weight · v (Miyato et al., 2018), of PyTorch's `spectral_norm`.
    case spectralNormalization = "spectral normalisation"
    /// A 1x1, a 3x3 and a 1x1 convolution in a row beside a 1x1 convolution (SPAN's Conv3XC).
    case branches = "parallel branches"
    /// The result of `branches` alone, as a file for inference keeps it.
    case fusedBranches = "fused branches"
  }

  /// How it was trained.
  public let kind: Kind
  /// The layer's name.
  public let layer: String
  /// The tensors that are read, by what they are to the kind.
  package let sources: [Source: String]
  /// Tensors that are superseded, and not read.
  package let superseded: [String]
  /// The shape of the weight.
  package let weight: [Int]
  /// The length of the bias where folding makes one; nil where the layer's own stays, or none is.
  package let bias: Int?

  /// What a tensor is.
  package enum Source: Hashable, Sendable {
    case magnitude, direction
    case original, left, right
    /// Weight and bias of a convolution: 0 to 2 of the row, 3 beside it.
    case branchWeight(Int), branchBias(Int)
  }
}

extension WeightIndex {
  /// The index with every layer folded that the file holds in the form in which it was trained, and
  /// those layers.
  package func folded() -> (index: WeightIndex, layers: [FoldedLayer]) {
    let layers = foldedLayers
    guard !layers.isEmpty else { return (self, []) }
    var shapes = shapes
    for layer in layers {
      for name in layer.sources.values + layer.superseded { shapes[name] = nil }
    }
    for layer in layers {
      shapes[layer.layer + ".weight"] = layer.weight
      if let bias = layer.bias { shapes[layer.layer + ".bias"] = [bias] }
    }
    return (WeightIndex(shapes, values: values), layers)
  }

  private var foldedLayers: [FoldedLayer] {
    shapes.keys.sorted().compactMap { name in
      func layer(_ suffix: String) -> String? {
        name.hasSuffix(suffix) && name.utf8.count > suffix.utf8.count
          ? String(name.dropLast(suffix.count)) : nil
      }
      if let layer = layer(".weight_g") {
        return normalised(layer, name, layer + ".weight_v")
      }
      if let layer = layer(".parametrizations.weight.original0") {
        return normalised(layer, name, layer + ".parametrizations.weight.original1")
      }
      if let layer = layer(".weight_orig") {
        return spectral(layer, name, layer + ".weight_u", layer + ".weight_v")
      }
      if let layer = layer(".parametrizations.weight.original") {
        let stem = layer + ".parametrizations.weight.0."
        return spectral(layer, name, stem + "_u", stem + "_v")
      }
      if let layer = layer(".sk.weight") { return branches(layer) }
      if let layer = layer(".eval_conv.weight") { return fusedBranches(layer, name) }
      return nil
    }
  }

  private func normalised(
    _ layer: String, _ magnitude: String, _ direction: String
  ) -> FoldedLayer? {
    guard shapes[layer + ".weight"] == nil, let g = shapes[magnitude], let v = shapes[direction],
      // One magnitude for each element of one dimension, or for all.
      g.allSatisfy({ $0 == 1 })
        || g.count == v.count && zip(g, v).allSatisfy({ $0 == 1 || $0 == $1 })
          && g.count(where: { $0 != 1 }) == 1
    else { return nil }
    return FoldedLayer(
      kind: .weightNormalization, layer: layer,
      sources: [.magnitude: magnitude, .direction: direction], superseded: [], weight: v, bias: nil)
  }

  private func spectral(
    _ layer: String, _ original: String, _ left: String, _ right: String
  ) -> FoldedLayer? {
    guard shapes[layer + ".weight"] == nil, let weight = shapes[original], weight.count >= 2,
      weight.allSatisfy((1...GraphLimits.channels).contains),
      let u = shapes[left], let v = shapes[right], u.count == 1, v.count == 1,
      // The dimension that is compared with the product of the others: the first, or the second of
      // a transposed convolution.
      weight.prefix(2).contains(u[0]), Self.product(weight) == u[0].multiplied(by: v[0])
    else { return nil }
    return FoldedLayer(
      kind: .spectralNormalization, layer: layer,
      sources: [.original: original, .left: left, .right: right], superseded: [], weight: weight,
      bias: nil)
  }

  private func branches(_ layer: String) -> FoldedLayer? {
    let names = (0...2).map { "\(layer).conv.\($0)" } + ["\(layer).sk"]
    let weights = names.compactMap { convolution($0) }
    guard shapes[layer + ".weight"] == nil, weights.count == 4 else { return nil }
    let (first, middle, last, side) = (weights[0], weights[1], weights[2], weights[3])
    guard first[2...] == [1, 1], middle[2...] == [3, 3], last[2...] == [1, 1],
      side[2...] == [1, 1],
      first[1] == side[1], middle[1] == first[0], last[1] == middle[0], last[0] == side[0]
    else { return nil }
    let biases = names.map { shapes[$0 + ".bias"] }
    let hasBias = biases.allSatisfy { $0 != nil }
    guard
      hasBias
        ? zip(biases, weights).allSatisfy({ $0 == [$1[0]] }) : biases.allSatisfy({ $0 == nil })
    else { return nil }
    var sources: [FoldedLayer.Source: String] = [:]
    for (branch, name) in names.enumerated() {
      sources[.branchWeight(branch)] = name + ".weight"
      if hasBias { sources[.branchBias(branch)] = name + ".bias" }
    }
    let former = ["weight", "bias"].map { "\(layer).eval_conv.\($0)" }
    return FoldedLayer(
      kind: .branches, layer: layer, sources: sources,
      superseded: former.filter { shapes[$0] != nil }, weight: [last[0], first[1], 3, 3],
      bias: hasBias ? last[0] : nil)
  }

  private func fusedBranches(_ layer: String, _ name: String) -> FoldedLayer? {
    guard shapes[layer + ".weight"] == nil, shapes[layer + ".sk.weight"] == nil,
      let weight = shapes[name], weight.count == 4
    else { return nil }
    let bias = "\(layer).eval_conv.bias"
    guard shapes[bias] == nil || shapes[bias] == [weight[0]] else { return nil }
    var sources: [FoldedLayer.Source: String] = [.branchWeight(0): name]
    if shapes[bias] != nil { sources[.branchBias(0)] = bias }
    return FoldedLayer(
      kind: .fusedBranches, layer: layer, sources: sources, superseded: [], weight: weight,
      bias: shapes[bias].map { $0[0] })
  }

  /// The product of a shape; nil where it overflows.
  private static func product(_ shape: [Int]) -> Int? {
    shape.reduce(1 as Int?) { product, size in product.flatMap { $0.multiplied(by: size) } }
  }
}

extension Int {
  /// The product; nil where it overflows.
  fileprivate func multiplied(by other: Int) -> Int? {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? nil : product
  }
}
