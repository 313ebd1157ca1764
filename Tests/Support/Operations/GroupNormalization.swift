internal import AviaryGraph

extension OperationRow {
  package static let groupNormalization: [OperationRow] = [
    .init(
      .groupNormalization(GroupNormalization(groups: 3)), #"{"groups":3}"#, [2, 6, 4, 5],
      gives: [2, 6, 4, 5]),
    .init(
      .groupNormalization(
        GroupNormalization(groups: 1, epsilon: 1e-3, scale: false, center: false)),
      #"{"center":false,"epsilon":0.001,"groups":1,"scale":false}"#, [1, 6, 4, 5],
      gives: [1, 6, 4, 5]),
  ]
}

/// Normalisation of each group of channels of each image, by the variance of all its elements.
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
