import AviaryCompute
import AviaryGraph
import Testing

@Suite struct ConvolutionTests {
  @Test(arguments: [1, 3, 8, 17], [1, 3, 8, 17])
  func channels(_ channels: Int, _ outChannels: Int) throws {
    for kernel in 1...5 {
      for bias in [true, false] {
        let c = Convolution(
          outChannels: outChannels, kernel: Size(kernel),
          padding: .explicit(PaddingAmounts(kernel / 2)), bias: bias)
        try expectEqual(.convolution(c), [1, channels, 9, 11])
      }
    }
  }

  @Test(arguments: [Size(1), Size(2), Size(3), Size(1, 2)], [Size(1), Size(2), Size(3, 1)])
  func strideAndDilation(_ stride: Size, _ dilation: Size) throws {
    for kernel in [Size(1), Size(2), Size(3), Size(5), Size(3, 1), Size(1, 4)] {
      for padding in [Padding.same, .explicit(PaddingAmounts(1, 2, 0, 1)), .explicit(2)] {
        for channels in [3, 16, 17] {
          let c = Convolution(
            outChannels: 16, kernel: kernel, stride: stride, dilation: dilation, padding: padding)
          try expectEqual(.convolution(c), [2, channels, 13, 15])
        }
      }
    }
  }

  @Test(arguments: [(4, 2), (6, 3), (8, 8), (17, 17), (32, 2), (32, 32), (48, 3), (8, 4)])
  func groups(_ channels: Int, _ groups: Int) throws {
    for outChannels in [groups, groups * 2, groups * 3] {
      for (kernel, stride) in [(1, 1), (3, 1), (3, 2), (5, 1)] {
        let c = Convolution(
          outChannels: outChannels, kernel: Size(kernel), stride: Size(stride), groups: groups,
          padding: .same)
        try expectEqual(.convolution(c), [1, channels, 10, 7])
      }
    }
  }

  /// Padding larger than the kernel's reach, kernels larger than the image, single pixels.
  @Test func extremes() throws {
    for channels in [1, 3, 16, 32] {
      for outChannels in [1, 16, 32] {
        for (kernel, padding, side) in [
          (1, 1, 4), (1, 3, 1), (3, 3, 2), (3, 5, 1), (5, 2, 1), (9, 4, 3), (11, 5, 2), (3, 1, 1),
          (7, 9, 2), (31, 15, 5),
        ] {
          let c = Convolution(
            outChannels: outChannels, kernel: Size(kernel),
            padding: .explicit(PaddingAmounts(padding)))
          try expectEqual(.convolution(c), [1, channels, side, side + 1])
        }
      }
    }
  }

  /// Few output channels go through a convolution of taps; every kernel, every count of lanes.
  @Test(arguments: 1...5)
  func fewFilters(_ outChannels: Int) throws {
    for kernel in [Size(2), Size(3), Size(5), Size(9), Size(1, 7), Size(4, 2)] {
      for channels in [16, 17, 64] {
        for dilation in 1...2 {
          let c = Convolution(
            outChannels: outChannels, kernel: kernel, dilation: Size(dilation), padding: .same)
          try expectEqual(.convolution(c), [2, channels, 12, 10])
        }
      }
    }
  }
}
