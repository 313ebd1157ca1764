import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension TensorSource {
  /// The tensors with layers folded from the form in which they were trained: computed in double
  /// precision when they are read, and rounded once to float32.
  func folded(_ layers: [FoldedLayer]) -> TensorSource {
    guard !layers.isEmpty else { return self }
    let gone = Set(layers.flatMap { Array($0.sources.values) + $0.superseded })
    // What a layer becomes stands where its first tensor stood.
    let owners = Dictionary(
      layers.flatMap { layer in layer.sources.values.map { ($0, layer) } }
    ) { first, _ in first }
    var descriptions: [TensorDescription] = []
    var origins: [Origin] = []
    var done: Set<FoldedLayer> = []
    for (position, description) in enumerated() {
      guard gone.contains(description.name) else {
        var description = description
        if let alias = description.alias, gone.contains(alias) { description.alias = nil }
        descriptions.append(description)
        origins.append(.stored(position))
        continue
      }
      guard let layer = owners[description.name], done.insert(layer).inserted else { continue }
      for (isBias, shape) in [(false, layer.weight)] + (layer.bias.map { [(true, [$0])] } ?? []) {
        descriptions.append(
          TensorDescription(
            name: "\(layer.layer).\(isBias ? "bias" : "weight")", shape: shape,
            elementType: .float32))
        origins.append(.folded(layer, isBias: isBias))
      }
    }
    return TensorSource(descriptions) { [origins] (position) throws(CheckpointError) in
      switch origins[position] {
      case .stored(let place): return try self.tensor(at: place)
      case .folded(let layer, let isBias):
        let folding = LayerFolding(layer, self)
        let values = try isBias ? folding.bias() : folding.weight()
        do throws(TensorError) {
          return try Tensor(
            shape: isBias ? [values.count] : layer.weight, values.map { Float($0) })
        } catch {
          throw .damaged(path: layer.layer, part: "the folded layer", reason: error.description)
        }
      }
    }
  }

  private enum Origin: Sendable {
    case stored(Int)
    case folded(FoldedLayer, isBias: Bool)
  }
}

/// The arithmetic of folding one layer.
private struct LayerFolding {
  let layer: FoldedLayer
  let tensors: TensorSource

  init(_ layer: FoldedLayer, _ tensors: TensorSource) {
    (self.layer, self.tensors) = (layer, tensors)
  }

  /// The elements of the weight.
  func weight() throws(CheckpointError) -> [Double] {
    switch layer.kind {
    case .weightNormalization: try normalised()
    case .spectralNormalization: try spectral()
    case .branches: try joined()
    case .parallel: try added()
    case .depthwise: try spread()
    case .collapsible:
      try Self.tapwise(branch(.part("wide"))) { [narrow = try branch(.part("narrow"))] tap, wide in
        Self.product(narrow.values, tap, narrow.rows, wide.rows, wide.columns)
      }
    case .fusedBranches: try values(.branchWeight(0))
    }
  }

  /// The elements of the bias.
  func bias() throws(CheckpointError) -> [Double] {
    switch layer.kind {
    case .branches: return try joinedBias()
    case .parallel:
      let factors = try values(.part("factors"))
      let row = try Self.through(
        branch(.part("k1")), values(.part("b0")), plus: values(.part("b1")))
      let (plain, joined) = (try values(.part("bias")), try joinedBias())
      return row.indices.map {
        factors[0] * row[$0] + factors[1] * plain[$0] + factors[2] * joined[$0]
      }
    case .depthwise:
      var bias = [Double](repeating: 0, count: layer.weight[0])
      for place in 0..<3 {
        let (part, factors) = (try values(.part("b\(place)")), try values(.part("f\(place + 2)")))
        for i in bias.indices { bias[i] += factors[i] * part[i] }
      }
      return bias
    case .collapsible: return try values(.part("bias"))
    case .fusedBranches, .weightNormalization, .spectralNormalization:
      return try values(.branchBias(0))
    }
  }

  private func joinedBias() throws(CheckpointError) -> [Double] {
    let last = try branch(.branchWeight(2))
    let inner = try Self.through(
      branch(.branchWeight(1)), values(.branchBias(0)), plus: values(.branchBias(1)))
    let side = try values(.branchBias(3))
    var bias = try values(.branchBias(2))
    for row in bias.indices {
      bias[row] += side[row]
      for column in inner.indices {
        bias[row] += last.values[row * last.columns + column] * inner[column]
      }
    }
    return bias
  }

  /// What a convolution makes of the same value at every tap, plus its own bias.
  private static func through(
    _ convolution: Branch, _ value: [Double], plus bias: [Double]
  ) -> [Double] {
    var result = bias
    for row in 0..<convolution.rows {
      for column in 0..<convolution.columns {
        let taps = (row * convolution.columns + column) * convolution.taps
        result[row] +=
          convolution.values[taps..<taps + convolution.taps].reduce(0, +) * value[column]
      }
    }
    return result
  }

  private func values(_ source: FoldedLayer.Source) throws(CheckpointError) -> [Double] {
    guard let name = layer.sources[source], let tensor = try tensors.tensor(name) else {
      throw .damaged(path: layer.layer, part: layer.kind.rawValue, reason: "a tensor is missing")
    }
    return tensor.converted(to: .float32).floats.map(Double.init)
  }

  /// g · v / ‖v‖, by the dimension along which there is more than one magnitude.
  private func normalised() throws(CheckpointError) -> [Double] {
    let magnitudes = try values(.magnitude)
    var weight = try values(.direction)
    guard let name = layer.sources[.magnitude], let shape = tensors[name]?.shape else { return [] }
    let dimension = shape.firstIndex { $0 != 1 }
    let count = dimension.map { shape[$0] } ?? 1
    // How many elements follow each other at one place of the dimension.
    let stride = dimension.map { layer.weight[($0 + 1)...].reduce(1, *) } ?? weight.count
    var squares = [Double](repeating: 0, count: count)
    for i in weight.indices { squares[i / max(stride, 1) % count] += weight[i] * weight[i] }
    for i in weight.indices {
      let place = i / max(stride, 1) % count
      weight[i] *= magnitudes[place] / squares[place].squareRoot()
    }
    return weight
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }

  /// weight / (uᵀ · weight · v).
  private func spectral() throws(CheckpointError) -> [Double] {
    let weight = try values(.original), left = try values(.left), right = try values(.right)
    /// weight · v, seen along one dimension.
    func product(_ dimension: Int) -> [Double] {
      let stride = layer.weight[(dimension + 1)...].reduce(1, *)
      let count = layer.weight[dimension]
      var product = [Double](repeating: 0, count: count)
      for i in weight.indices {
        let place = i / stride % count
        let column = i / (stride * count) * stride + i % stride
        product[place] += weight[i] * right[column]
      }
      return product
    }
    // u is nearly parallel to weight · v, which tells the dimension where two have one size.
    let fits = [0, 1].filter { layer.weight[$0] == left.count }.compactMap {
      dimension -> (alignment: Double, norm: Double)? in
      let product = product(dimension)
      let norm = Self.dot(product, left)
      let length = (Self.dot(product, product) * Self.dot(left, left)).squareRoot()
      return length > 0 ? (norm / length, norm) : nil
    }
    guard let best = fits.max(by: { $0.alignment < $1.alignment }), best.alignment > 0.9 else {
      throw .damaged(
        path: layer.layer, part: layer.kind.rawValue,
        reason: "u and v are no singular vectors of the weight")
    }
    return weight.map { $0 / best.norm }
  }

  private struct Branch {
    var rows: Int
    var columns: Int
    var taps: Int
    var values: [Double]
  }

  private func branch(_ source: FoldedLayer.Source) throws(CheckpointError) -> Branch {
    guard let name = layer.sources[source], let shape = tensors[name]?.shape else {
      throw .damaged(path: layer.layer, part: layer.kind.rawValue, reason: "a tensor is missing")
    }
    return Branch(
      rows: shape[0], columns: shape[1], taps: shape[2...].reduce(1, *),
      values: try values(source))
  }

  /// A convolution's weight with the matrix of each tap made another.
  private static func tapwise(
    _ convolution: Branch, _ change: ([Double], Branch) -> [Double]
  ) -> [Double] {
    let taps = convolution.taps
    var tap = [Double](repeating: 0, count: convolution.rows * convolution.columns)
    var weight: [Double] = []
    for place in 0..<taps {
      for i in tap.indices { tap[i] = convolution.values[i * taps + place] }
      let changed = change(tap, convolution)
      if weight.isEmpty { weight = [Double](repeating: 0, count: changed.count * taps) }
      for i in changed.indices { weight[i * taps + place] = changed[i] }
    }
    return weight
  }

  /// The row's convolutions multiplied tap by tap; the one beside it belongs to the middle tap.
  private func joined() throws(CheckpointError) -> [Double] {
    let first = try branch(.branchWeight(0)), last = try branch(.branchWeight(2))
    let side = try branch(.branchWeight(3))
    var weight = Self.tapwise(try branch(.branchWeight(1))) { tap, middle in
      Self.product(
        Self.product(last.values, tap, last.rows, last.columns, middle.columns),
        first.values, last.rows, first.rows, first.columns)
    }
    for i in side.values.indices { weight[i * 9 + 4] += side.values[i] }
    return weight
  }

  /// The weighted sum of two convolutions in a row, one alone, and `joined`.
  private func added() throws(CheckpointError) -> [Double] {
    let factors = try values(.part("factors"))
    let first = try branch(.part("k0"))
    let row = Self.tapwise(try branch(.part("k1"))) { tap, second in
      Self.product(tap, first.values, second.rows, second.columns, first.columns)
    }
    let (plain, joined) = (try values(.part("weight")), try joined())
    return row.indices.map {
      factors[0] * row[$0] + factors[1] * plain[$0] + factors[2] * joined[$0]
    }
  }

  /// The weighted sum of the input and of depthwise convolutions, as one of 5x5.
  private func spread() throws(CheckpointError) -> [Double] {
    var weight = [Double](repeating: 0, count: layer.weight[0] * 25)
    for (channel, factor) in try values(.part("f1")).enumerated() {
      weight[channel * 25 + 12] = factor
    }
    for place in 0..<3 {
      let (part, factors) = (try values(.part("w\(place)")), try values(.part("f\(place + 2)")))
      let side = 2 * place + 1
      for i in part.indices {
        let (channel, tap) = (i / (side * side), i % (side * side))
        let (row, column) = (tap / side + 2 - place, tap % side + 2 - place)
        weight[channel * 25 + row * 5 + column] += factors[channel] * part[i]
      }
    }
    return weight
  }

  /// The product of a matrix of `rows` x `inner` and one of `inner` x `columns`.
  private static func product(
    _ a: [Double], _ b: [Double], _ rows: Int, _ inner: Int, _ columns: Int
  ) -> [Double] {
    var result = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for k in 0..<inner {
        let factor = a[row * inner + k]
        for column in 0..<columns {
          result[row * columns + column] += factor * b[k * columns + column]
        }
      }
    }
    return result
  }
}
