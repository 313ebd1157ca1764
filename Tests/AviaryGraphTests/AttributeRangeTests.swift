@testable import AviaryGraph
import Testing

/// Attributes out of range, each with its message.
@Suite struct AttributeRangeTests {
  private func problem(_ op: Op) -> String {
    do throws(GraphError) {
      try op.checkAttributes(node: "n")
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func windows() {
    func convolution(_ change: (inout Convolution) -> Void) -> String {
      var c = Convolution(outChannels: 4, kernel: 3)
      change(&c)
      return problem(.convolution(c))
    }
    #expect(convolution { _ in } == "none")
    #expect(convolution { $0.outChannels = 0 } == "n: outChannels: 1 to 1048576 expected, 0 found")
    #expect(
      convolution { $0.outChannels = 1 << 21 }
        == "n: outChannels: 1 to 1048576 expected, 2097152 found"
    )
    #expect(convolution { $0.groups = 0 } == "n: groups: 1 to 1048576 expected, 0 found")
    #expect(convolution { $0.groups = -2 } == "n: groups: 1 to 1048576 expected, -2 found")
    #expect(
      convolution { $0.groups = 3 } == "n: outChannels: a multiple of 3 groups expected, 4 found")
    #expect(
      convolution { $0.kernel = Size(3, 0) } == "n: kernel: 1 to 4096 expected, 0 found")
    #expect(convolution { $0.stride = 4097 } == "n: stride: 1 to 4096 expected, 4097 found")
    #expect(
      convolution { $0.dilation = Size(.max, 1) }
        == "n: dilation: 1 to 4096 expected, 9223372036854775807 found")
    #expect(
      convolution { $0.padding = .explicit(PaddingAmounts(0, 0, -1, 0)) }
        == "n: padding: 0 to 4096 expected, -1 found")
    #expect(
      problem(
        .transposedConvolution(
          TransposedConvolution(outChannels: 4, kernel: 3, padding: PaddingAmounts(0, -1, 0, 0))))
        == "n: padding: 0 to 4096 expected, -1 found")
    #expect(
      problem(
        .transposedConvolution(
          TransposedConvolution(outChannels: 4, kernel: 3, padding: PaddingAmounts(0, 0, -5000, 0)))
      )
        == "n: padding: -4096 to 4096 expected, -5000 found")
    #expect(
      problem(.maxPool(MaxPool(Pool(kernel: 2, padding: .explicit(2)))))
        == "n: padding: 0 to 1 expected, 2 found")
    #expect(
      problem(
        .averagePool(
          AveragePool(
            Pool(kernel: Size(3, 2), padding: .explicit(PaddingAmounts(2, 0, 0, 2))),
            countsPadding: true)))
        == "n: padding: 0 to 1 expected, 2 found")
  }

  @Test func numbers() {
    #expect(
      problem(.batchNormalization(BatchNormalization(epsilon: 0)))
        == "n: epsilon: a number above 0 expected, 0.0 found")
    #expect(
      problem(.batchNormalization(BatchNormalization(momentum: .nan)))
        == "n: momentum: a finite number expected, nan found")
    #expect(
      problem(.activation(.leakyRelu(slope: .infinity)))
        == "n: slope: a finite number expected, inf found")
    #expect(
      problem(.activation(.elu(alpha: -.infinity)))
        == "n: alpha: a finite number expected, -inf found")
    #expect(
      problem(.activation(.clamp(minimum: 1, maximum: 0)))
        == "n: maximum: at least 1.0 expected, 0.0 found")
    #expect(problem(.activation(.clamp(minimum: 1, maximum: 1))) == "none")
    #expect(problem(.scale(Scale([]))) == "n: values: 1 to 1048576 expected, 0 found")
    #expect(
      problem(.offset(Offset([1, .nan]))) == "n: values: a finite number expected, nan found")
    #expect(problem(.dropout(Dropout(rate: 1))) == "n: rate: 0 to below 1 expected, 1.0 found")
    #expect(problem(.dropout(Dropout(rate: .nan))) == "n: rate: 0 to below 1 expected, nan found")
    #expect(
      problem(.layerNormalization(LayerNormalization(dimensions: 1, epsilon: -1)))
        == "n: epsilon: a number above 0 expected, -1.0 found")
  }

  @Test func shapes() {
    #expect(
      problem(.linear(Linear(outFeatures: 0, bias: true)))
        == "n: outFeatures: 1 to 1048576 expected, 0 found")
    #expect(
      problem(.slice(ChannelSlice(start: -1, count: 1)))
        == "n: start: 0 to 1048576 expected, -1 found")
    #expect(
      problem(.slice(ChannelSlice(start: 0, count: 0)))
        == "n: count: 1 to 1048576 expected, 0 found")
    #expect(
      problem(.pixelShuffle(PixelShuffle(factor: 65, order: .pytorch)))
        == "n: factor: 1 to 64 expected, 65 found"
    )
    #expect(
      problem(.pixelUnshuffle(PixelUnshuffle(factor: 0, order: .pytorch)))
        == "n: factor: 1 to 64 expected, 0 found"
    )
    #expect(
      problem(.resize(Resize(.cubic(a: .nan), to: .factor(Ratio(1)))))
        == "n: a: a finite number expected, nan found")
    #expect(
      problem(.resize(Resize(.lanczos(lobes: 17), to: .factor(Ratio(1)))))
        == "n: lobes: 1 to 16 expected, 17 found")
    #expect(
      problem(.resize(Resize(.linear, to: .factor(Ratio(1, 5000)))))
        == "n: factor: 1 to 4096 expected, 5000 found")
    #expect(
      problem(.pad(Pad(PaddingAmounts(0, 0, 0, -1), .zero)))
        == "n: padding: 0 to 4096 expected, -1 found")
    #expect(problem(.crop(Crop(5000))) == "n: cropping: 0 to 4096 expected, 5000 found")
    #expect(
      problem(.reduce(Reduction(.sum, dimensions: [])))
        == "n: dimensions: different dimensions expected, [] found")
    #expect(
      problem(.reduce(Reduction(.sum, dimensions: [2, 2])))
        == "n: dimensions: different dimensions expected, [2, 2] found")
    #expect(
      problem(.reduce(Reduction(.sum, dimensions: [-1])))
        == "n: dimensions: 0 to 7 expected, -1 found")
    #expect(problem(.softmax(Softmax(dimension: 8))) == "n: dimension: 0 to 7 expected, 8 found")
    #expect(
      problem(.layerNormalization(LayerNormalization(dimensions: 0, epsilon: 1)))
        == "n: dimensions: 1 to 8 expected, 0 found")
    #expect(problem(.reshape(Reshape([]))) == "n: shape: 1 to 8 expected, 0 found")
    #expect(problem(.reshape(Reshape([-2]))) == "n: shape: -1 to 2147483647 expected, -2 found")
    #expect(
      problem(.reshape(Reshape([-1, -1]))) == "n: shape: at most one -1 expected, [-1, -1] found")
    #expect(
      problem(.permute(Permute([0, 2]))) == "n: order: each of 0 to 1 once expected, [0, 2] found")
    #expect(problem(.permute(Permute([]))) == "n: order: 1 to 8 expected, 0 found")
    #expect(
      problem(.roll(Roll(shifts: [1], dimensions: [2, 3])))
        == "n: shifts: one for each of 2 dimensions expected, [1] found")
    #expect(
      problem(.roll(Roll(shifts: [.min], dimensions: [2])))
        == "n: shifts: -2147483647 to 2147483647 expected, -9223372036854775808 found")
  }
}
