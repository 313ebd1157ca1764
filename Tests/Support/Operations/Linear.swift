internal import AviaryGraph

extension OperationRow {
  package static let linear: [OperationRow] = [
    .init(
      .linear(Linear(outFeatures: 7, bias: true)), #"{"outFeatures":7}"#, [2, 3, 4, 5],
      gives: [2, 3, 4, 7]),
    .init(
      .linear(Linear(outFeatures: 1, bias: false)),
      #"{"bias":false,"#
        + #""outFeatures":1}"#, [2, 3, 4, 5],
      gives: [2, 3, 4, 1]),
  ]
}

/// x W^T + b over the last dimension; weight (out, in).
func naiveLinear(_ x: NaiveArray, _ parameters: [NaiveArray]) -> NaiveArray {
  let weight = parameters[0], bias = parameters.count > 1 ? parameters[1].values : nil
  let (outputs, inputs) = (weight.shape[0], weight.shape[1])
  var result: [Double] = []
  for start in stride(from: 0, to: x.values.count, by: inputs) {
    for output in 0..<outputs {
      var sum = bias?[output] ?? 0
      for i in 0..<inputs {
        sum += x.values[start + i] * weight.values[output * inputs + i]
      }
      result.append(sum)
    }
  }
  return NaiveArray(x.shape.dropLast() + [outputs], result)
}
