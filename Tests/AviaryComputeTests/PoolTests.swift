import AviaryGraph
import Testing

@Suite struct PoolTests {
  @Test(arguments: [Size(1), Size(2), Size(3), Size(5), Size(2, 3)])
  func windows(_ kernel: Size) throws {
    for stride in [Size(1), Size(2), Size(3), Size(1, 2)] {
      for padding in [
        Padding.valid, .same, .explicit(PaddingAmounts(kernel.height / 2, 0, 0, kernel.width / 2)),
      ] {
        for channels in [1, 3, 16, 17] {
          let pool = Pool(kernel: kernel, stride: stride, padding: padding)
          let shape = [2, channels, 9, 11]
          try expectEqual(.maxPool(MaxPool(pool)), shape)
          try expectEqual(.averagePool(AveragePool(pool, countsPadding: true)), shape)
          try expectEqual(.averagePool(AveragePool(pool, countsPadding: false)), shape)
        }
      }
    }
  }

  @Test(arguments: [1, 3, 16, 17, 32])
  func memoryFormats(_ channels: Int) throws {
    let pool = Pool(kernel: 3, stride: 2, padding: .same)
    let shape = [2, channels, 9, 12]
    try expectEqualInEveryLayout(.maxPool(MaxPool(pool)), shape)
    try expectEqualInEveryLayout(.averagePool(AveragePool(pool, countsPadding: true)), shape)
    try expectEqualInEveryLayout(.averagePool(AveragePool(pool, countsPadding: false)), shape)
    try expectEqualInEveryLayout(.globalAveragePool, shape)
  }
}
