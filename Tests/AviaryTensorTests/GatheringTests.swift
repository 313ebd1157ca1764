import AviaryTensor
import Testing

/// Permuting tensors that are larger than a block, and memory that was used before.
@Suite struct GatheringTests {
  /// Element by element, by the definition.
  private func permuted(_ tensor: Tensor, _ order: [Int]) -> [Float] {
    let shape = tensor.shape
    var strides = [Int](repeating: 1, count: shape.count)
    for d in shape.indices.dropLast().reversed() { strides[d] = strides[d + 1] * shape[d + 1] }
    let target = order.map { shape[$0] }
    let values = tensor.floats
    return (0..<tensor.count).map { position in
      var (rest, from) = (position, 0)
      for d in target.indices.reversed() {
        from += rest % target[d] * strides[order[d]]
        rest /= target[d]
      }
      return values[from]
    }
  }

  @Test(arguments: [
    ([300, 257, 3, 3], [2, 3, 1, 0]), ([3, 3, 257, 300], [3, 2, 0, 1]), ([600, 513], [1, 0]),
    ([1, 70_001, 2], [2, 1, 0]), ([64, 1, 64, 33], [3, 0, 1, 2]), ([5], [0]), ([], []),
  ])
  func everyElementFindsItsPlace(_ shape: [Int], _ order: [Int]) throws {
    let count = shape.reduce(1, *)
    let tensor = try Tensor(shape: shape, (0..<count).map(Float.init))
    let result = try tensor.permuted(order)
    #expect(result.shape == order.map { shape[$0] })
    #expect(result.floats == permuted(tensor, order))
  }

  @Test(arguments: [1 << 18, 1 << 19, 3 << 20]) func aNewTensorIsZeroWhateverWasThere(_ count: Int)
    throws
  {
    for _ in 0..<3 {
      let zeros = try Tensor(zeros: [count])
      #expect(zeros.floats.allSatisfy { $0 == 0 })
      var ones = zeros
      unsafe ones.withMutableFloats { unsafe $0.update(repeating: 1) }
      #expect(zeros.floats.allSatisfy { $0 == 0 })
    }
  }
}
