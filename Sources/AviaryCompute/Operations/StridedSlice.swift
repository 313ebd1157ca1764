import AviaryGraph

extension StridedSlice: GatheringOperation {
  func dimensions(_ input: [Int], _ output: [Int]) -> [Int] { [dimension] }

  func table(_ dimension: Int, from size: Int, to count: Int) -> [Int] {
    let first = places(size).first
    return (0..<count).map { first + $0 * step }
  }
}

extension StridedSlice {
  /// Where in the input's memory, row-major, the result lies as it is, in elements; nil where it
  /// does not.
  func view(_ input: [Int]) -> Int? {
    guard step == 1, input[..<dimension].allSatisfy({ $0 == 1 }) else { return nil }
    return places(input[dimension]).first * input[(dimension + 1)...].reduce(1, *)
  }
}
