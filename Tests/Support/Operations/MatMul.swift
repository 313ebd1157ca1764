internal import AviaryGraph

extension OperationRow {
  package static let matmul: [OperationRow] = [
    .init(.matmul, "{}", [2, 3, 4, 5], [2, 3, 5, 6], gives: [2, 3, 4, 6]),
    .init(.matmul, "{}", [2, 1, 4, 5], [1, 3, 5, 6], gives: [2, 3, 4, 6]),
  ]
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
