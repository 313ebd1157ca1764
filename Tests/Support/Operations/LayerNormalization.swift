internal import AviaryGraph

extension OperationRow {
  package static let layerNormalization: [OperationRow] = [
    .init(
      .layerNormalization(LayerNormalization(dimensions: 1, epsilon: 1e-5)), "{}", [2, 3, 4, 5],
      gives: [2, 3, 4, 5]),
    .init(
      .layerNormalization(LayerNormalization(dimensions: 3, epsilon: 1e-6)),
      #"{"dimensions":3,"epsilon":1e-06}"#,
      [2, 3, 4, 5], gives: [2, 3, 4, 5]),
  ]
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
