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
    case .fusedBranches: try values(.branchWeight(0))
    }
  }

  /// The elements of the bias.
  func bias() throws(CheckpointError) -> [Double] {
    guard layer.kind == .branches else { return try values(.branchBias(0)) }
    let middle = try branch(1), last = try branch(2)
    // The first bias goes through all taps of the second convolution, and their sum through the third.
    let first = try values(.branchBias(0))
    var inner = try values(.branchBias(1))
    for row in 0..<middle.rows {
      for column in 0..<middle.columns {
        let taps = (row * middle.columns + column) * 9
        inner[row] += middle.values[taps..<taps + 9].reduce(0, +) * first[column]
      }
    }
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
    var values: [Double]
  }

  private func branch(_ number: Int) throws(CheckpointError) -> Branch {
    guard let name = layer.sources[.branchWeight(number)], let shape = tensors[name]?.shape else {
      throw .damaged(path: layer.layer, part: layer.kind.rawValue, reason: "a tensor is missing")
    }
    return Branch(rows: shape[0], columns: shape[1], values: try values(.branchWeight(number)))
  }

  /// The row's convolutions multiplied tap by tap; the one beside it belongs to the middle tap.
  private func joined() throws(CheckpointError) -> [Double] {
    let first = try branch(0), middle = try branch(1), last = try branch(2), side = try branch(3)
    let (rows, columns) = (last.rows, first.columns)
    var weight = [Double](repeating: 0, count: rows * columns * 9)
    var tap = [Double](repeating: 0, count: middle.rows * middle.columns)
    for place in 0..<9 {
      for i in tap.indices { tap[i] = middle.values[i * 9 + place] }
      let product = Self.product(
        Self.product(last.values, tap, rows, last.columns, middle.columns),
        first.values, rows, first.rows, columns)
      for i in product.indices { weight[i * 9 + place] = product[i] }
    }
    for i in side.values.indices { weight[i * 9 + 4] += side.values[i] }
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
