internal import AviaryGraph

extension OperationRow {
  package static let adaptivePool: [OperationRow] =
    AdaptivePool.Kind.allCases.flatMap { kind in
      [
        .init(
          .adaptivePool(AdaptivePool(kind, to: .size(Size(3, 4)))), #"{"size":[3,4]}"#,
          [2, 3, 7, 9], gives: [2, 3, 3, 4]),
        .init(
          .adaptivePool(AdaptivePool(kind, to: .size(1))), #"{"size":1}"#, [1, 3, 5, 6],
          gives: [1, 3, 1, 1]),
        .init(
          .adaptivePool(AdaptivePool(kind, to: .size(7))), #"{"size":7}"#, [1, 3, 4, 7],
          gives: [1, 3, 7, 7]),
        .init(
          .adaptivePool(AdaptivePool(kind, to: .factor(Ratio(1, 4)))), #"{"factor":[1,4]}"#,
          [1, 3, 11, 12], gives: [1, 3, 2, 3]),
      ]
    }
}

/// Every output pixel made of those input pixels that its own stretch touches.
func naiveAdaptivePool(_ x: NaiveArray, _ kind: AdaptivePool.Kind, to shape: [Int]) -> NaiveArray {
  let (height, width) = (x.shape[2], x.shape[3])
  // Pixel i of n covers the stretch from i / n to (i + 1) / n of the whole.
  func touched(_ i: Int, _ count: Int, _ size: Int) -> [Int] {
    (0..<size).filter { ($0 + 1) * count > i * size && $0 * count < (i + 1) * size }
  }
  var values: [Double] = []
  for plane in 0..<shape[0] * shape[1] {
    for row in 0..<shape[2] {
      for column in 0..<shape[3] {
        var window: [Double] = []
        for y in touched(row, shape[2], height) {
          for x_ in touched(column, shape[3], width) {
            window.append(x.values[(plane * height + y) * width + x_])
          }
        }
        values.append(
          kind == .mean
            ? window.reduce(0, +) / Double(window.count) : window.max() ?? -.infinity)
      }
    }
  }
  return NaiveArray(shape, values)
}
