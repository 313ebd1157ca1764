internal import AviaryGraph

extension OperationRow {
  package static let batchNormalization: [OperationRow] = [
    .init(
      .batchNormalization(BatchNormalization()), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .batchNormalization(
        BatchNormalization(epsilon: 1e-3, momentum: 0.01, scale: false, center: false)),
      #"{"center":false,"epsilon":0.001,"momentum":0.01,"scale":false}"#, [1, 3, 4, 5],
      gives: [1, 3, 4, 5]),
  ]
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
