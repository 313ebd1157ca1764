internal import AviaryGraph

extension OperationRow {
  package static let layerNormalization: [OperationRow] =
    [
      .init(
        .layerNormalization(LayerNormalization(dimensions: 1, epsilon: 1e-5)), "{}", [2, 3, 4, 5],
        gives: [2, 3, 4, 5]),
      .init(
        .layerNormalization(LayerNormalization(dimensions: 3, epsilon: 1e-6)),
        #"{"dimensions":3,"epsilon":1e-06}"#,
        [2, 3, 4, 5], gives: [2, 3, 4, 5]),
      .init(
        .layerNormalization(LayerNormalization(first: 1, scale: true, center: false)),
        #"{"center":false,"dimension":1}"#, [2, 7, 5, 4], gives: [2, 7, 5, 4]),
      .init(
        .layerNormalization(LayerNormalization(dimensions: 2, first: 1, scale: false)),
        #"{"dimension":1,"dimensions":2,"scale":false}"#, [2, 3, 4, 19], gives: [2, 3, 4, 19]),
      .init(
        .layerNormalization(LayerNormalization(.biasFree, first: 1)), #"{"dimension":1}"#,
        [2, 6, 4, 5], gives: [2, 6, 4, 5]),
      .init(
        .layerNormalization(LayerNormalization(.rms, dimensions: 2, center: true)),
        #"{"center":true,"dimensions":2}"#, [2, 3, 4, 5], gives: [2, 3, 4, 5]),
      .init(
        .layerNormalization(LayerNormalization(.rms, first: 1, addsEpsilonToRoot: true)),
        #"{"addsEpsilonToRoot":true,"dimension":1}"#, [1, 9, 4, 5], gives: [1, 9, 4, 5]),
      .init(
        .layerNormalization(LayerNormalization(.l2, first: 1)), #"{"dimension":1}"#, [2, 6, 4, 5],
        gives: [2, 6, 4, 5]),
      .init(
        .layerNormalization(LayerNormalization(.l2, epsilon: 2.5, scale: true)),
        #"{"epsilon":2.5,"scale":true}"#, [2, 3, 4, 17], gives: [2, 3, 4, 17]),
    ]
}

/// Normalisation over neighbouring dimensions, by the spread of all their elements.
func naiveLayerNormalization(
  _ x: NaiveArray, _ parameters: [NaiveArray], _ normalization: LayerNormalization
) -> NaiveArray {
  let range = normalization.range(rank: x.shape.count)
  let width = x.shape[range].reduce(1, *), step = x.count(from: range.upperBound)
  let epsilon = normalization.epsilon
  let weight = normalization.scale ? parameters.first?.values : nil
  let bias = normalization.center ? parameters.last?.values : nil
  var result = x
  for first in x.values.indices where first / step % width == 0 {
    let positions = (0..<width).map { first + $0 * step }
    let values = positions.map { x.values[$0] }
    let mean = values.reduce(0, +) / Double(width)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
    let squares = values.reduce(0) { $0 + $1 * $1 }
    let root = (squares / Double(width)).squareRoot()
    let divisor =
      switch normalization.kind {
      case .layer, .biasFree: (variance + epsilon).squareRoot()
      case .rms where normalization.addsEpsilonToRoot: root + epsilon
      case .rms: (squares / Double(width) + epsilon).squareRoot()
      case .l2: max(squares.squareRoot(), epsilon)
      }
    for (i, position) in positions.enumerated() {
      let centred = values[i] - (normalization.kind == .layer ? mean : 0)
      result.values[position] = centred / divisor * (weight?[i] ?? 1) + (bias?[i] ?? 0)
    }
  }
  return result
}
