import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Networks that nobody would design: values used several times, early and late, whole and in part.
/// What one test of one operation cannot show is whether memory is reused too soon.
@Suite struct RandomNetworkTests {
  @Test(arguments: 0..<60)
  func random(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let pictures = seed % 4 == 3 ? 2 : 1
    let graph = try Graph(channels: 3) { x in
      network(x, steps: 6 + seed % 20, &generator)
    }
    try expectEqual(
      graph, [[pictures, 3, 9, 8]], options: PlanOptions(exact: seed % 5 == 0),
      "seed \(seed)")
  }

  private func network(
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
      switch Int.random(in: 0..<16, using: &generator) {
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
        values.append(x.applying(.slice(start: start, count: min(16, x.channels - start))))
      case 14:
        values.append(
          x.applying(.pad(Edges(1, 0, 2, 3), .reflect)).maxPool(3, stride: 1, border: .same)
            .applying(.crop(Edges(1, 0, 2, 3))))
      default:
        values.append(
          x.convolution("c\(i)", width * 4, kernel: 1).pixelShuffle(2).maxPool(2)
            * x.applying(.globalAveragePool).convolution("g\(i)", width, kernel: 1))
      }
    }
    return [values[values.count - 1], any(), any()]
  }
}
