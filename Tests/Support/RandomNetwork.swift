package import AviaryGraph

/// A network that nobody would design: values used several times, early and late, whole and in
/// part.
///
/// - Returns: three of its values, the last one among them.
package func randomNetwork(
  _ input: Value, steps: Int, _ generator: inout SplitMix64
) -> [Value] {
  let widths = [3, 16, 17, 32, 32, 48]
  var values = [input]
  func any() -> Value { values.randomElement(using: &generator) ?? input }
  for i in 0..<steps {
    // Late values are likelier, so that networks become deep.
    let x = Bool.random(using: &generator) ? values[values.count - 1] : any()
    let width = widths.randomElement(using: &generator) ?? 3
    let twin = values.filter { $0.channels == x.channels }.randomElement(using: &generator) ?? x
    switch Int.random(in: 0..<20, using: &generator) {
    case 0...3: values.append(x.convolution("c\(i)", width, kernel: 3))
    case 4: values.append(x.convolution("c\(i)", width, kernel: 1).relu())
    case 5: values.append(x.transposedConvolution("c\(i)", width, kernel: 3))
    case 6: values.append(x.convolution("c\(i)", x.channels, kernel: 3) + twin)
    case 7: values.append((x.convolution("c\(i)", x.channels, kernel: 3).relu() + twin).relu())
    case 8: values.append(x + twin)
    case 9: values.append(x.activation(.sigmoid) * twin)
    case 10: values.append(x.batchNormalization("n\(i)"))
    case 11: values.append(x.prelu("p\(i)"))
    case 12: values.append(Value.concatenate([x, any()]))
    case 13:
      let start = Int.random(in: 0..<x.channels, using: &generator) / 16 * 16
      values.append(
        x.applying(.slice(ChannelSlice(start: start, count: min(16, x.channels - start)))))
    case 16:
      values.append(
        x.padded(toMultiple: 4, .edge).convolution("c\(i)", width, kernel: 3)
          .cropped(toSizeOf: x))
    case 17:
      values.append(x.applying(.stridedSlice(.flip(Int.random(in: 1...3, using: &generator)))))
    case 18:
      values.append(
        x.adaptivePool(.mean, to: .size(Size(2, 1)))
          .applying(.globalAveragePool)
          .applying(.expand(Expand(to: .shapeOfSecondInput)), x) * x)
    case 19:
      let half = Value.concatenate([x, twin], dimension: 3)
      values.append(
        half.applying(.cropToSize(CropToSize(axes: [.horizontal])), x))
    case 14:
      values.append(
        x.applying(.pad(Pad(PaddingAmounts(1, 0, 2, 3), .reflect))).maxPool(
          3, stride: 1, padding: .same
        )
        .applying(.crop(Crop(PaddingAmounts(1, 0, 2, 3)))))
    default:
      values.append(
        x.convolution("c\(i)", width * 4, kernel: 1).pixelShuffle(2).maxPool(2)
          * x.applying(.globalAveragePool).convolution("g\(i)", width, kernel: 1))
    }
  }
  return [values[values.count - 1], any(), any()]
}
