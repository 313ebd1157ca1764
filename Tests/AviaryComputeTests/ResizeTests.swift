import AviaryGraph
import Testing

@Suite struct ResizeTests {
  static let kernels: [Resize.Kernel] = [
    .nearest, .linear, .cubic(a: -0.5), .cubic(a: -0.75), .lanczos(lobes: 3),
  ]

  @Test(arguments: kernels, Resize.Coordinates.allCases)
  func factors(_ kernel: Resize.Kernel, _ coordinates: Resize.Coordinates) throws {
    for ratio in [Ratio(2), Ratio(3), Ratio(1, 2), Ratio(2, 3), Ratio(5, 2), Ratio(1, 3), Ratio(1)]
    {
      for edge in Resize.Edge.allCases {
        for antialias in [false, true] {
          let resize = Resize(
            kernel, to: .factor(ratio), coordinates: coordinates, edge: edge, antialias: antialias)
          for channels in [1, 3] {
            try expectEqual(.resize(resize), [2, channels, 7, 9])
          }
        }
      }
    }
  }

  @Test(arguments: kernels)
  func memoryFormats(_ kernel: Resize.Kernel) throws {
    for channels in [3, 16, 17, 32] {
      let resize = Resize(kernel, to: .factor(Ratio(3, 2)))
      try expectEqualInEveryLayout(.resize(resize), [2, channels, 6, 7])
    }
  }

  @Test(arguments: kernels)
  func toAnotherSize(_ kernel: Resize.Kernel) throws {
    for coordinates in Resize.Coordinates.allCases {
      for (height, width) in [(5, 8), (1, 1), (20, 3)] {
        let resize = Resize(kernel, to: .sizeOfSecondInput, coordinates: coordinates)
        try expectEqual(.resize(resize), [1, 3, 6, 7], others: [[1, 2, height, width]])
      }
    }
  }

  /// Mirrors of mirrors: images smaller than the kernel's reach.
  @Test func tinyImages() throws {
    for kernel in ResizeTests.kernels {
      for edge in Resize.Edge.allCases {
        let resize = Resize(kernel, to: .factor(Ratio(3)), edge: edge)
        try expectEqual(.resize(resize), [1, 3, 1, 1])
        try expectEqual(.resize(resize), [1, 3, 2, 1])
      }
    }
  }
}
