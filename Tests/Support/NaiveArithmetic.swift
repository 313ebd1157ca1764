internal import AviaryGraph

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// An operation on two arrays of one rank, in which a dimension of 1 repeats.
func naiveBroadcast(
  _ a: NaiveArray, _ b: NaiveArray, _ combine: (Double, Double) -> Double
) -> NaiveArray {
  let shape = zip(a.shape, b.shape).map(max)
  func repeated(_ array: NaiveArray) -> [Double] {
    array.gathering(shape) { index in
      for dimension in shape.indices where array.shape[dimension] == 1 { index[dimension] = 0 }
    }.values
  }
  return NaiveArray(
    shape, zip(repeated(a), repeated(b)).map(combine))
}

/// (x - mean) / sqrt(variance + epsilon) · weight + bias, per channel.
func naiveBatchNormalization(
  _ x: NaiveArray, _ parameters: some Sequence<NaiveArray>, _ b: BatchNormalization
) -> NaiveArray {
  var rest = parameters.map(\.values)[...]
  let weight = b.scale ? rest.removeFirst() : nil
  let bias = b.center ? rest.removeFirst() : nil
  let mean = rest.removeFirst(), variance = rest.removeFirst()
  return x.mapByChannel { value, channel in
    let normal =
      (value - mean[channel]) / (variance[channel] + b.epsilon).squareRoot()
    return normal * (weight?[channel] ?? 1) + (bias?[channel] ?? 0)
  }
}

/// As `naiveBatchNormalization`, by the mean and the variance of the batch itself.
func naiveTrainedBatchNormalization(
  _ x: NaiveArray, _ parameters: [NaiveArray], _ b: BatchNormalization
) -> NaiveArray {
  let others = x.shape.indices.filter { $0 != 1 }
  let mean = naiveReduction(x, Reduction(.mean, dimensions: others))
  let centred = naiveBroadcast(x, mean, -)
  let variance = naiveReduction(
    centred.map { $0 * $0 }, Reduction(.mean, dimensions: others))
  let learned = parameters.prefix((b.scale ? 1 : 0) + (b.center ? 1 : 0))
  return naiveBatchNormalization(x, learned + [mean, variance], b)
}

/// Normalisation over the last dimensions, by the variance of all their elements (not one less).
func naiveLayerNormalization(
  _ x: NaiveArray, _ parameters: [NaiveArray], _ dimensions: Int, _ epsilon: Double
) -> NaiveArray {
  let count = x.count(from: x.shape.count - dimensions)
  var result = x
  for start in stride(from: 0, to: x.values.count, by: count) {
    let values = x.values[start..<start + count]
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    for (i, value) in values.enumerated() {
      let normal = (value - mean) / (variance + epsilon).squareRoot()
      result.values[start + i] =
        normal * parameters[0].values[i] + parameters[1].values[i]
    }
  }
  return result
}

/// Normalisation of each group of channels of each picture, by the variance of all its elements.
func naiveGroupNormalization(
  _ x: NaiveArray, _ parameters: [NaiveArray], _ normalization: GroupNormalization
) -> NaiveArray {
  let weight = normalization.scale ? parameters.first?.values : nil
  let bias = normalization.center ? parameters.last?.values : nil
  let channels = x.shape[1], pixels = x.count(from: 2)
  let count = channels / normalization.groups * pixels
  var result = x
  for start in stride(from: 0, to: x.values.count, by: count) {
    let values = x.values[start..<start + count]
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    for (i, value) in values.enumerated() {
      let channel = (start + i) / pixels % channels
      result.values[start + i] =
        (value - mean) / (variance + normalization.epsilon).squareRoot() * (weight?[channel] ?? 1)
        + (bias?[channel] ?? 0)
    }
  }
  return result
}

/// exp(x) / Σ exp(x) along a dimension; the largest is subtracted first, so that nothing overflows.
func naiveSoftmax(_ x: NaiveArray, _ dimension: Int) -> NaiveArray {
  let size = x.shape[dimension], step = x.strides[dimension]
  var result = x
  for first in x.values.indices where first / step % size == 0 {
    let positions = (0..<size).map { first + $0 * step }
    let largest = positions.map { x.values[$0] }.max() ?? 0
    let powers = positions.map { exp(x.values[$0] - largest) }
    let sum = powers.reduce(0, +)
    for (position, power) in zip(positions, powers) { result.values[position] = power / sum }
  }
  return result
}

/// A mean, sum or maximum over some dimensions.
func naiveReduction(_ x: NaiveArray, _ reduction: Reduction) -> NaiveArray {
  let kept = x.shape.enumerated().map { reduction.dimensions.contains($0) ? 1 : $1 }
  let strides = NaiveArray(kept, []).strides
  var groups = [[Double]](repeating: [], count: kept.reduce(1, *))
  var next = 0
  forEachIndex(of: x.shape) { index in
    var group = 0
    for dimension in index.indices where kept[dimension] != 1 {
      group += index[dimension] * strides[dimension]
    }
    groups[group].append(x.values[next])
    next += 1
  }
  let values = groups.map { group in
    switch reduction.kind {
    case .sum: group.reduce(0, +)
    case .mean: group.reduce(0, +) / Double(group.count)
    case .maximum: group.max() ?? -.infinity
    }
  }
  let shape = kept.enumerated()
    .filter { reduction.keepsDimensions || !reduction.dimensions.contains($0.offset) }
    .map(\.element)
  return NaiveArray(shape, values)
}
