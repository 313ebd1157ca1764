internal import AviaryTensor

/// Numbers with a shape, in row-major order: what the oracle calculates with.
struct NaiveArray {
  var shape: [Int]
  var values: [Double]

  init(_ shape: [Int], _ values: [Double]) { (self.shape, self.values) = (shape, values) }

  init(_ tensor: Tensor) { self.init(tensor.shape, tensor.floats.map(Double.init)) }

  /// The same numbers as they are in float32.
  var rounded: NaiveArray { map { Double(Float($0)) } }

  var tensor: Tensor { get throws { try Tensor(shape: shape, values.map(Float.init)) } }

  /// How far apart neighbours along each dimension lie.
  var strides: [Int] {
    var strides = shape.map { _ in 1 }
    for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
    return strides
  }

  /// The product of the dimensions from `first` on.
  func count(from first: Int) -> Int { shape.dropFirst(first).reduce(1, *) }

  func map(_ function: (Double) -> Double) -> NaiveArray {
    NaiveArray(shape, values.map(function))
  }

  /// Every element by a function that also knows its channel: its index along dimension 1.
  func mapByChannel(_ function: (Double, Int) -> Double) -> NaiveArray {
    let area = count(from: 2), channels = shape[1]
    return NaiveArray(
      shape,
      values.indices.map { i in function(values[i], i / area % channels) })
  }

  /// An array of another shape, each element of which is one of this array's: `source` turns the
  /// index of the one into the index of the other.
  func gathering(_ shape: [Int], source: (inout [Int]) -> Void) -> NaiveArray {
    let strides = strides
    var result: [Double] = []
    result.reserveCapacity(shape.reduce(1, *))
    forEachIndex(of: shape) { index in
      var index = index
      source(&index)
      result.append(values[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }])
    }
    return NaiveArray(shape, result)
  }
}

/// Calls `body` with every index of an array of this shape, in row-major order.
func forEachIndex(of shape: [Int], _ body: ([Int]) -> Void) {
  var index = shape.map { _ in 0 }
  for _ in 0..<shape.reduce(1, *) {
    body(index)
    for dimension in shape.indices.reversed() {
      index[dimension] += 1
      if index[dimension] < shape[dimension] { break }
      index[dimension] = 0
    }
  }
}
