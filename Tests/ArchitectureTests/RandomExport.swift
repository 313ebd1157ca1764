import AviaryGraph
import AviaryTestSupport

/// Networks that nobody would design, of operations that every framework has: values used several
/// times, borders of all kinds, strides, layers that share weights.
enum RandomExport {
  static func network(
    _ input: Value, steps: Int, _ generator: inout SplitMix64
  ) -> [Value] {
    // Of one size, so that any two of equal channels can be added.
    var values = [input]
    for i in 0..<steps {
      let x =
        Bool.random(using: &generator)
        ? values[values.count - 1] : values.randomElement(using: &generator) ?? input
      let twin = values.filter { $0.channels == x.channels }.randomElement(using: &generator) ?? x
      let width = [3, 4, 6, 8].randomElement(using: &generator) ?? 3
      let name = "block.\(i).layer"
      switch Int.random(in: 0..<18, using: &generator) {
      case 0: values.append(x.convolution(name, width, kernel: 3).relu())
      case 1:
        values.append(
          x.convolution(name, width, kernel: 4, padding: .explicit(PaddingAmounts(2, 1, 1, 2))))
      case 2:
        values.append(
          x.convolution(name, width, kernel: 5, dilation: 2, padding: .same, bias: false))
      case 3:
        values.append(x.convolution(name, x.channels, kernel: 3, groups: x.channels).prelu("p\(i)"))
      case 4: values.append(x + twin)
      case 5: values.append(x.activation(.sigmoid) * twin)
      case 6: values.append(x.batchNormalization("norm.\(i)"))
      case 7: values.append(x - twin.leakyRelu(0.1))
      case 8: values.append(Value.concatenate([x, values[values.count - 1]]))
      case 9:
        values.append(x.applying(.slice(ChannelSlice(start: 1, count: x.channels - 1))).relu())
      case 10: values.append(x.convolution(name, width * 4, kernel: 1).pixelShuffle(2).maxPool(2))
      case 11:
        values.append(
          x.convolution(name, width * 4, kernel: 3)
            .pixelShuffle(2, order: .tensorflow)
            .applying(.pixelUnshuffle(PixelUnshuffle(factor: 2, order: .pytorch))))
      case 12:
        let first = x.convolution(name, x.channels, kernel: 3)
        values.append(first + first.relu().convolution(name, x.channels, kernel: 3, shared: true))
      case 13:
        values.append(
          x
            * x.applying(.globalAveragePool).convolution(name, x.channels, kernel: 1)
            .activation(.sigmoid))
      case 14:
        values.append(
          x.applying(
            .averagePool(
              AveragePool(
                Pool(kernel: 3, stride: 1, padding: .same),
                countsPadding: Bool.random(using: &generator)))))
      case 15: values.append(x.maxPool(3, stride: 1, padding: .explicit(1)).activation(.tanh))
      case 16:
        values.append(
          x.resize(.linear, by: 2)
            .convolution(name, width, kernel: 2, stride: 2, padding: .valid))
      default:
        // Down and up again by an odd number of pixels, and cut to what it was.
        values.append(
          x.transposedConvolution(
            name, width, kernel: 5, stride: 2, padding: PaddingAmounts(2, 1, 1, 2)
          )
          .applying(.scale(Scale([0.5]))).maxPool(2))
      }
    }
    return [values[values.count - 1], values[values.count / 2]]
  }
}
