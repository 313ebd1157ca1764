import AviaryGraph
import Testing

@Suite struct TransposedConvolutionTests {
  @Test(arguments: [1, 3, 8, 17, 16, 32], [1, 3, 5, 16, 17])
  func channels(_ channels: Int, _ outChannels: Int) throws {
    for (kernel, stride) in [(3, 2), (2, 2), (4, 2), (3, 1), (9, 3), (5, 4)] {
      for bias in [true, false] {
        let c = TransposedConvolution(
          outChannels: outChannels, kernel: Size(kernel), stride: Size(stride), bias: bias)
        try expectEqual(.transposedConvolution(c), [1, channels, 5, 6])
      }
    }
  }

  /// All that PyTorch and Keras can state, and kernels smaller than the stride, of which some
  /// outputs hold the bias alone.
  @Test(arguments: [3, 16])
  func padding(_ outChannels: Int) throws {
    for kernel in 1...5 {
      for stride in 1...4 {
        for padding in [
          PaddingAmounts.none, .keras(kernel: kernel, stride: stride),
          .pytorch(padding: kernel / 2, outputPadding: stride - 1),
          .pytorch(padding: 0, outputPadding: stride - 1), PaddingAmounts(0, 1, 2, 0),
          PaddingAmounts(2, 0, -1, -2),
        ] {
          let c = TransposedConvolution(
            outChannels: outChannels, kernel: Size(kernel), stride: Size(stride), padding: padding)
          guard (try? Op.transposedConvolution(c).outputShape([[1, 16, 4, 5]])) != nil else {
            continue
          }
          try expectEqual(.transposedConvolution(c), [1, 16, 4, 5])
        }
      }
    }
  }

  @Test(arguments: [(4, 2), (8, 8), (32, 2)])
  func groups(_ channels: Int, _ groups: Int) throws {
    for outChannels in [groups, groups * 3] {
      for (kernel, stride) in [(3, 1), (3, 2), (4, 2), (2, 3)] {
        let c = TransposedConvolution(
          outChannels: outChannels, kernel: Size(kernel), stride: Size(stride), groups: groups)
        try expectEqual(.transposedConvolution(c), [2, channels, 5, 4])
      }
    }
  }

  @Test func unequalAxes() throws {
    for outChannels in [1, 16] {
      let c = TransposedConvolution(
        outChannels: outChannels, kernel: Size(3, 5), stride: Size(2, 3),
        padding: PaddingAmounts(1, 0, 0, 2))
      try expectEqual(.transposedConvolution(c), [1, 17, 5, 4])
    }
  }
}
