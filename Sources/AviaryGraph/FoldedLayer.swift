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
    /// A weighted sum of a 1x1 and a 3x3 convolution in a row, a 3x3 convolution, and `branches`
    /// (RTMoSR's RepConv).
    case parallel = "parallel convolutions"
    /// A weighted sum of what comes in and of depthwise convolutions of 1x1, 3x3 and 5x5 (RTMoSR's
    /// OmniShift).
    case depthwise = "parallel depthwise convolutions"
    /// A convolution to many channels and a 1x1 convolution to few (SESR's collapsible linear block).
    case collapsible = "collapsible linear block"
    /// The result of `branches`, `parallel` or `depthwise` alone, as a file for inference keeps it.
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

  /// What files call the result of folding, where they keep it.
  fileprivate static let fusedWords = ["eval_conv", "conv_3x3_rep", "conv5x5_reparam"]

  /// What a tensor is.
  package enum Source: Hashable, Sendable {
    case magnitude, direction
    case original, left, right
    /// Weight and bias of a convolution: 0 to 2 of the row, 3 beside it.
    case branchWeight(Int), branchBias(Int)
    /// Any other, by a name that the kind has for it.
    case part(String)
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
      if let layer = layer(".conv1.k0") { return parallel(layer) }
      if let layer = layer(".alpha4") { return depthwise(layer) }
      if let layer = layer(".conv_squeeze.weight") { return collapsible(layer) }
      for word in FoldedLayer.fusedWords {
        if let layer = layer(".\(word).weight") { return fusedBranches(layer, word) }
      }
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
    guard shapes[layer + ".weight"] == nil, let row = row(layer),
      // Else it is a part of a larger layer, which is folded whole.
      !layer.hasSuffix(".conv3") || parallel(String(layer.dropLast(6))) == nil
    else { return nil }
    return FoldedLayer(
      kind: .branches, layer: layer, sources: row.sources, superseded: former(layer, "eval_conv"),
      weight: row.weight, bias: row.hasBias ? row.weight[0] : nil)
  }

  /// The tensors of three convolutions in a row beside one, and the shape of the weight that they make.
  private func row(
    _ layer: String
  ) -> (sources: [FoldedLayer.Source: String], weight: [Int], hasBias: Bool)? {
    let names = (0...2).map { "\(layer).conv.\($0)" } + ["\(layer).sk"]
    let weights = names.compactMap { convolution($0) }
    guard weights.count == 4 else { return nil }
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
    return (sources, [last[0], first[1], 3, 3], hasBias)
  }

  /// What a layer keeps of an earlier folding, that may be stale.
  private func former(_ layer: String, _ word: String) -> [String] {
    ["weight", "bias"].map { "\(layer).\(word).\($0)" }.filter { shapes[$0] != nil }
  }

  /// A layer of which every part is there in its shape.
  private func layer(
    _ kind: FoldedLayer.Kind, _ layer: String, _ parts: [String: (name: String, shape: [Int])],
    with sources: [FoldedLayer.Source: String] = [:], superseded: [String], weight: [Int]
  ) -> FoldedLayer? {
    var sources = sources
    for (part, (name, shape)) in parts {
      guard shapes["\(layer).\(name)"] == shape else { return nil }
      sources[.part(part)] = "\(layer).\(name)"
    }
    return FoldedLayer(
      kind: kind, layer: layer, sources: sources, superseded: superseded, weight: weight,
      bias: weight[0])
  }

  private func parallel(_ name: String) -> FoldedLayer? {
    guard shapes[name + ".weight"] == nil, let row = row(name + ".conv3"), row.hasBias,
      let first = shapes["\(name).conv1.k0"], first.count == 4
    else { return nil }
    let (outputs, inputs, middle) = (row.weight[0], row.weight[1], first[0])
    return layer(
      .parallel, name,
      [
        "k0": ("conv1.k0", [middle, inputs, 1, 1]), "b0": ("conv1.b0", [middle]),
        "k1": ("conv1.k1", [outputs, middle, 3, 3]), "b1": ("conv1.b1", [outputs]),
        "weight": ("conv2.weight", row.weight), "bias": ("conv2.bias", [outputs]),
        "factors": ("alpha", [3]),
      ], with: row.sources,
      superseded: former(name, "conv_3x3_rep") + former(name, "conv3.eval_conv"),
      weight: row.weight)
  }

  private func depthwise(_ name: String) -> FoldedLayer? {
    guard shapes[name + ".weight"] == nil, let largest = convolution(name + ".conv5x5") else {
      return nil
    }
    let channels = largest[0]
    var parts: [String: (name: String, shape: [Int])] = [:]
    for (place, side) in [1, 3, 5].enumerated() {
      parts["w\(place)"] = ("conv\(side)x\(side).weight", [channels, 1, side, side])
      parts["b\(place)"] = ("conv\(side)x\(side).bias", [channels])
    }
    for factor in 1...4 { parts["f\(factor)"] = ("alpha\(factor)", [1, channels, 1, 1]) }
    return layer(
      .depthwise, name, parts, superseded: former(name, "conv5x5_reparam"),
      weight: [channels, 1, 5, 5])
  }

  private func collapsible(_ name: String) -> FoldedLayer? {
    guard shapes[name + ".weight"] == nil, let wide = convolution(name + ".conv_expand"),
      let narrow = convolution(name + ".conv_squeeze"), shapes[name + ".conv_expand.bias"] == nil
    else { return nil }
    return layer(
      .collapsible, name,
      [
        "wide": ("conv_expand.weight", wide),
        "narrow": ("conv_squeeze.weight", [narrow[0], wide[0], 1, 1]),
        "bias": ("conv_squeeze.bias", [narrow[0]]),
      ], superseded: [], weight: [narrow[0], wide[1], wide[2], wide[3]])
  }

  private func fusedBranches(_ layer: String, _ word: String) -> FoldedLayer? {
    let name = "\(layer).\(word)"
    guard shapes[layer + ".weight"] == nil, shapes[layer + ".sk.weight"] == nil,
      shapes[layer + ".conv1.k0"] == nil, shapes[layer + ".alpha4"] == nil,
      let weight = convolution(name)
    else { return nil }
    let bias = "\(name).bias"
    guard shapes[bias] == nil || shapes[bias] == [weight[0]] else { return nil }
    var sources: [FoldedLayer.Source: String] = [.branchWeight(0): name + ".weight"]
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
