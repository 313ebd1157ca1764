import AviaryGraph
import AviaryTestSupport
import Testing

/// Every operation of the table, whichever it is, gives what its naive formula gives.
@Suite struct OperationTableTests {
  @Test(arguments: OperationRow.all) func agreesWithTheFormula(_ row: OperationRow) throws {
    try expectEqual(row.graph(), row.images, of: row.values, row.description)
  }

  /// Group normalisation in every memory format around it, with rests behind full registers, and
  /// far from zero, where a variance by the mean of squares would cancel.
  @Test func groupNormalization() throws {
    for (shape, groups) in [([2, 16, 7, 9], 4), ([1, 6, 1, 1], 2), ([3, 32, 8, 8], 32)] {
      try expectEqualInEveryLayout(
        .groupNormalization(GroupNormalization(groups: groups)), shape)
    }
    let graph = try Graph(channels: 4) { x in
      [
        x.applying(.scale(Scale([0.01]))).applying(.offset(Offset([100])))
          .groupNormalization("norm", GroupNormalization(groups: 2))
      ]
    }
    // At 100 float32 is good to 4e-6, which is 4e-4 of a deviation of 0.01: so 1e-3. The mean of
    // squares would be off by 6e-4 where the variance is 1e-4.
    try expectEqual(graph, [[2, 4, 9, 11]], tolerance: 1e-3)
  }

  /// A kernel and a bias for each image.
  @Test(arguments: [1, 3]) func kernelOfEachImage(_ images: Int) throws {
    for convolution in [
      DynamicConvolution(groups: 2),
      DynamicConvolution(stride: 2, groups: 2, padding: .explicit(PaddingAmounts(1, 2, 0, 1))),
      DynamicConvolution(dilation: Size(2, 1), groups: 2, padding: .same),
    ] {
      try expectEqual(
        .kernelOfEachImage(convolution),
        [[images, 4, 7, 6], [images, 8, 3, 3], [images, 4, 1, 1]])
    }
  }

  /// An expansion gives what the operations that it is made of give.
  @Test func expansion() throws {
    for scaleShift in [true, false] {
      let graph = try Graph(channels: 3) { x in
        let a = x.convolution("a", 20, kernel: 3)
        return [a.instanceNormalization("norm", InstanceNormalization(affine: scaleShift)).relu()]
      }
      try expectEqual(graph, [[2, 3, 10, 9]])
    }
  }
}
