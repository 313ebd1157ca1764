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
    #expect(convolution { $0.outChannels = 0 } == "n: outChannels: expected 1 to 1048576, found 0")
    #expect(
      convolution { $0.outChannels = 1 << 21 }
        == "n: outChannels: expected 1 to 1048576, found 2097152"
    )
    #expect(convolution { $0.groups = 0 } == "n: groups: expected 1 to 1048576, found 0")
    #expect(convolution { $0.groups = -2 } == "n: groups: expected 1 to 1048576, found -2")
    #expect(
      convolution { $0.groups = 3 } == "n: outChannels: expected a multiple of 3 groups, found 4")
    #expect(
      convolution { $0.kernel = Size(3, 0) } == "n: kernel: expected 1 to 4096, found 0")
    #expect(convolution { $0.stride = 4097 } == "n: stride: expected 1 to 4096, found 4097")
    #expect(
      convolution { $0.dilation = Size(.max, 1) }
        == "n: dilation: expected 1 to 4096, found 9223372036854775807")
    #expect(
      convolution { $0.padding = .explicit(PaddingAmounts(0, 0, -1, 0)) }
        == "n: padding: expected 0 to 4096, found -1")
    #expect(
      problem(
        .transposedConvolution(
          TransposedConvolution(outChannels: 4, kernel: 3, padding: PaddingAmounts(0, -1, 0, 0))))
        == "n: padding: expected 0 to 4096, found -1")
    #expect(
      problem(
        .transposedConvolution(
          TransposedConvolution(outChannels: 4, kernel: 3, padding: PaddingAmounts(0, 0, -5000, 0)))
      )
        == "n: padding: expected -4096 to 4096, found -5000")
    #expect(
      problem(.maxPool(MaxPool(Pool(kernel: 2, padding: .explicit(2)))))
        == "n: padding: expected 0 to 1, found 2")
    #expect(
      problem(
        .averagePool(
          AveragePool(
            Pool(kernel: Size(3, 2), padding: .explicit(PaddingAmounts(2, 0, 0, 2))),
            countsPadding: true)))
        == "n: padding: expected 0 to 1, found 2")
  }

  @Test func numbers() {
    #expect(
      problem(.batchNormalization(BatchNormalization(epsilon: 0)))
        == "n: epsilon: expected a number above 0, found 0.0")
    #expect(
      problem(.batchNormalization(BatchNormalization(momentum: .nan)))
        == "n: momentum: expected a finite number, found nan")
    #expect(
      problem(.activation(.leakyRelu(slope: .infinity)))
        == "n: slope: expected a finite number, found inf")
    #expect(
      problem(.activation(.elu(alpha: -.infinity)))
        == "n: alpha: expected a finite number, found -inf")
    #expect(
      problem(.activation(.clamp(minimum: 1, maximum: 0)))
        == "n: maximum: expected at least 1.0, found 0.0")
    #expect(problem(.activation(.clamp(minimum: 1, maximum: 1))) == "none")
    #expect(problem(.scale(Scale([]))) == "n: values: expected 1 to 1048576, found 0")
    #expect(
      problem(.offset(Offset([1, .nan]))) == "n: values: expected a finite number, found nan")
    #expect(problem(.dropout(Dropout(rate: 1))) == "n: rate: expected 0 to below 1, found 1.0")
    #expect(problem(.dropout(Dropout(rate: .nan))) == "n: rate: expected 0 to below 1, found nan")
    #expect(
      problem(.layerNormalization(LayerNormalization(dimensions: 1, epsilon: -1)))
        == "n: epsilon: expected a number above 0, found -1.0")
  }

  @Test func shapes() {
    #expect(
      problem(.linear(Linear(outFeatures: 0, bias: true)))
        == "n: outFeatures: expected 1 to 1048576, found 0")
    #expect(
      problem(.slice(ChannelSlice(start: -1, count: 1)))
        == "n: start: expected 0 to 1048576, found -1")
    #expect(
      problem(.slice(ChannelSlice(start: 0, count: 0)))
        == "n: count: expected 1 to 1048576, found 0")
    #expect(
      problem(.pixelShuffle(PixelShuffle(factor: 65, order: .pytorch)))
        == "n: factor: expected 1 to 64, found 65"
    )
    #expect(
      problem(.pixelUnshuffle(PixelUnshuffle(factor: 0, order: .pytorch)))
        == "n: factor: expected 1 to 64, found 0"
    )
    #expect(
      problem(.resize(Resize(.cubic(a: .nan), to: .factor(Ratio(1)))))
        == "n: a: expected a finite number, found nan")
    #expect(
      problem(.resize(Resize(.lanczos(lobes: 17), to: .factor(Ratio(1)))))
        == "n: lobes: expected 1 to 16, found 17")
    #expect(
      problem(.resize(Resize(.linear, to: .factor(Ratio(1, 5000)))))
        == "n: factor: expected 1 to 4096, found 5000")
    #expect(
      problem(.pad(Pad(PaddingAmounts(0, 0, 0, -1), .zero)))
        == "n: padding: expected 0 to 4096, found -1")
    #expect(problem(.crop(Crop(5000))) == "n: cropping: expected 0 to 4096, found 5000")
    #expect(
      problem(.reduce(Reduction(.sum, dimensions: [])))
        == "n: dimensions: expected different dimensions, found []")
    #expect(
      problem(.reduce(Reduction(.sum, dimensions: [2, 2])))
        == "n: dimensions: expected different dimensions, found [2, 2]")
    #expect(
      problem(.reduce(Reduction(.sum, dimensions: [-1])))
        == "n: dimensions: expected 0 to 7, found -1")
    #expect(problem(.softmax(Softmax(dimension: 8))) == "n: dimension: expected 0 to 7, found 8")
    #expect(
      problem(.layerNormalization(LayerNormalization(dimensions: 0, epsilon: 1)))
        == "n: dimensions: expected 1 to 8, found 0")
    #expect(problem(.reshape(Reshape([]))) == "n: shape: expected 1 to 8, found 0")
    #expect(problem(.reshape(Reshape([-2]))) == "n: shape: expected -1 to 2147483647, found -2")
    #expect(
      problem(.reshape(Reshape([-1, -1]))) == "n: shape: expected at most one -1, found [-1,-1]")
    #expect(
      problem(.permute(Permute([0, 2]))) == "n: order: expected each of 0 to 1 once, found [0, 2]")
    #expect(problem(.permute(Permute([]))) == "n: order: expected 1 to 8, found 0")
    #expect(
      problem(.roll(Roll(shifts: [1], dimensions: [2, 3])))
        == "n: shifts: expected one for each of 2 dimensions, found [1]")
    #expect(
      problem(.roll(Roll(shifts: [.min], dimensions: [2])))
        == "n: shifts: expected -2147483647 to 2147483647, found -9223372036854775808")
  }
}
