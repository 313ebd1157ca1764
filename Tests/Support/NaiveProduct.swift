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

/// The product of matrices in the last two dimensions; in all others a dimension of 1 repeats.
func naiveProduct(_ a: NaiveArray, _ b: NaiveArray) -> NaiveArray {
  let outer = zip(a.shape.dropLast(2), b.shape.dropLast(2)).map(max)
  let rank = a.shape.count
  let (rows, inner, columns) = (a.shape[rank - 2], a.shape[rank - 1], b.shape[rank - 1])
  func matrix(_ array: NaiveArray, _ index: [Int]) -> Int {
    zip(zip(index, array.shape), array.strides).reduce(0) { sum, dimension in
      sum + (dimension.0.1 == 1 ? 0 : dimension.0.0 * dimension.1)
    }
  }
  var result: [Double] = []
  forEachIndex(of: outer) { index in
    let left = matrix(a, index), right = matrix(b, index)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = 0.0
        for i in 0..<inner {
          sum +=
            a.values[left + row * inner + i]
            * b.values[right + i * columns + column]
        }
        result.append(sum)
      }
    }
  }
  return NaiveArray(outer + [rows, columns], result)
}
