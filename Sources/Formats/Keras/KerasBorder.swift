import AviaryGraph

/// Where Keras's padding 'same' is just what a window does by explicit edges, along one axis.
struct KerasBorder {
  /// The size of the kernel, with what dilation puts between its elements.
  var reach: Int
  var stride: Int
  var before: Int
  var after: Int

  /// Whether 'same' starts the same windows at the same pixels, for a picture of every size.
  ///
  /// How many windows there are beyond the first, and what the rule pads, depends on the size's
  /// remainder by the stride only: one size of each remainder is tried.
  var isSame: Bool {
    let smallest = max(reach - before - after, 1)
    return (smallest..<smallest + stride).allSatisfy { size in
      let count = (size + stride - 1) / stride
      let total = max((count - 1) * stride + reach - size, 0)
      return (size + before + after - reach) / stride + 1 == count && total / 2 == before
    }
  }

  /// Strides beyond this are not looked into: it takes trying every number of zeros.
  private static let strideLimit = 64

  /// The fewest zeros before and behind the kernel with which 'same' computes the same: zeros in
  /// front move the kernel back, zeros behind make the rule pad more. Nil where none do.
  var kernelZeros: (front: Int, behind: Int)? {
    guard stride <= Self.strideLimit else { return nil }
    for total in 0...(2 * stride) {
      for front in 0...total {
        // Zeros reach over the edge like any other part of the kernel.
        let longer = KerasBorder(
          reach: reach + total, stride: stride, before: before + front,
          after: after + total - front)
        if longer.isSame { return (front, total - front) }
      }
    }
    return nil
  }

  /// The fewest zeros before and behind the kernel of a transposed convolution with which padding
  /// 'same' cuts `before` and `after` from the full output of the kernel as it is (formats: Keras
  /// cuts kernel - stride pixels, the odd one behind). Nil where the output is not `stride` times as
  /// large.
  static func transposedZeros(
    kernel: Int, stride: Int, before: Int, after: Int
  ) -> (front: Int, behind: Int)? {
    guard kernel - before - after == stride else { return nil }
    // Cut evenly, or one more behind.
    if before >= after { return (0, before - after) }
    return (after - before - 1, 0)
  }
}
