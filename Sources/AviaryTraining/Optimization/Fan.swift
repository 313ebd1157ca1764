import AviaryGraph

/// How many numbers enter each of a layer's, by the ways of counting that there are.
struct Fan {
  /// As PyTorch counts (`torch.nn.init`): the second dimension of the weight times the window, which
  /// of a transposed convolution is what leaves it.
  private(set) var pytorch = 1.0
  /// As Keras counts (`compute_fans`): of all groups together what leaves; of a transposed
  /// convolution in and out exchanged.
  private(set) var keras = (in: 1.0, out: 1.0)
  /// How many products are summed up for one element of the result, away from the borders. Of a
  /// transposed convolution's window only every stride-th row and column reaches a pixel.
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
      // A window smaller than the stride leaves pixels that nothing reaches; the others get one.
      effective = first / Double(c.groups) * max(area / stride, 1)
    }
  }
}
