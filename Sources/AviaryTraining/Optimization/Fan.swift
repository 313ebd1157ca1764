import AviaryGraph

/// A layer's fan: how many numbers contribute to each of its values, in the three usual ways of
/// counting.
struct Fan {
  /// As PyTorch counts (`torch.nn.init`): the second dimension of the weight times the window,
  /// which for a transposed convolution is the fan out.
  private(set) var pytorch = 1.0
  /// As Keras counts (`compute_fans`): the fan out is over all groups together; for a transposed
  /// convolution, in and out are swapped.
  private(set) var keras = (in: 1.0, out: 1.0)
  /// How many products are summed for one element of the result, away from the edges. In a
  /// transposed convolution, only every stride-th row and column of the window reaches a pixel.
  private(set) var effective = 1.0

  /// - Parameter weight: the shape of the layer's weight.
  init(_ op: Op, weight: [Int]) {
    guard weight.count >= 2 else { return }
    let area = weight.dropFirst(2).reduce(1.0) { $0 * Double($1) }
    let (first, second) = (Double(weight[0]), Double(weight[1]))
    pytorch = second * area
    keras = (in: second * area, out: first * area)
    effective = second * area
    if case .transposedConvolution(let c) = op {
      let stride = Double(c.stride.height) * Double(c.stride.width)
      // A window smaller than the stride leaves pixels that nothing reaches; the others receive one
      // product.
      effective = first / Double(c.groups) * max(area / stride, 1)
    }
  }
}
