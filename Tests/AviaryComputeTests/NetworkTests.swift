import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Whole networks in small.
@Suite struct NetworkTests {
  /// The second seed's network; widths at which Winograd and blocks come into play.
  static func residualCAE(_ features: [Int], channels: Int = 3) throws -> Graph {
    func block(_ x: Value, _ name: String) -> Value {
      x
        + x.convolution("\(name).conv1", x.channels, kernel: 3).relu()
        .convolution("\(name).conv2", x.channels, kernel: 3)
    }
    return try Graph(channels: channels) { x in
      let a = block(x.convolution("encoder.0", features[0], kernel: 3).relu(), "encoder.2")
      let b = block(
        a.convolution("encoder.3", features[1], kernel: 3, stride: 2).relu(), "encoder.5")
      let c = block(
        b.transposedConvolution("decoder.0", features[0], kernel: 3, stride: 2).relu(),
        "decoder.2")
      return [c.transposedConvolution("decoder.3", channels, kernel: 3)]
    }
  }

  @Test(arguments: [[8, 12], [16, 32], [32, 48]], [false, true])
  func residualCAE(_ features: [Int], _ exact: Bool) throws {
    for channels in [1, 3] {
      let graph = try NetworkTests.residualCAE(features, channels: channels)
      for side in [16, 21] {
        try expectEqual(
          graph, [[1, channels, side, side + 2]], options: PlanOptions(exact: exact))
      }
    }
  }

  @Test func plainCAE() throws {
    let graph = try Graph(channels: 1) { x in
      let encoded = x.convolution("a", 32, kernel: 3).relu().maxPool(2)
        .convolution("b", 64, kernel: 3).relu().maxPool(2).convolution("c", 128, kernel: 3).relu()
      return [
        encoded.transposedConvolution("d", 64, kernel: 3, stride: 2).relu()
          .transposedConvolution("e", 32, kernel: 3, stride: 2).relu()
          .transposedConvolution("f", 1, kernel: 3).activation(.sigmoid)
      ]
    }
    try expectEqual(graph, [[2, 1, 16, 12]])
  }

  @Test(arguments: [2, 3, 4])
  func smallToLarge(_ scale: Int) throws {
    let fsrcnn = try Graph(channels: 1) { x in
      var y = x.convolution("a", 56, kernel: 5).prelu("a.slopes")
        .convolution("b", 12, kernel: 1).prelu("b.slopes")
      for i in 0..<4 {
        y = y.convolution("c.\(i)", 12, kernel: 3).prelu("c.\(i).slopes")
      }
      y = y.convolution("d", 56, kernel: 1).prelu("d.slopes")
      return [
        y.transposedConvolution(
          "e", 1, kernel: 9, stride: Size(scale),
          padding: .pytorch(padding: 4, outputPadding: scale - 1))
      ]
    }
    try expectEqual(fsrcnn, [[1, 1, 11, 9]])
    let espcn = try Graph(channels: 1) { x in
      [
        x.convolution("a", 64, kernel: 5).activation(.tanh)
          .convolution("b", 32, kernel: 3).activation(.tanh)
          .convolution("c", scale * scale, kernel: 3).pixelShuffle(scale)
      ]
    }
    try expectEqual(espcn, [[1, 1, 11, 9]])
  }

  /// Features of several levels, concatenated; information split off and kept; channels weighed.
  @Test(arguments: [false, true])
  func distillation(_ exact: Bool) throws {
    let graph = try Graph(channels: 3) { x in
      let first = x.convolution("first", 64, kernel: 3)
      var y = first, kept: [Value] = []
      for i in 0..<3 {
        let whole = y.convolution("\(i)", 64, kernel: 3).leakyRelu(0.05)
        kept.append(whole.applying(.slice(ChannelSlice(start: 0, count: 16))))
        y = whole.applying(.slice(ChannelSlice(start: 16, count: 48)))
      }
      let fused = Value.concatenate(kept + [y]).convolution("fuse", 64, kernel: 1)
      let weights = fused.applying(.globalAveragePool).convolution("down", 4, kernel: 1).relu()
        .convolution("up", 64, kernel: 1).activation(.sigmoid)
      let up = (fused * weights + first).convolution("last", 12, kernel: 3).pixelShuffle(2)
      return [up + x.resize(.cubic(a: -0.5), by: 2)]
    }
    try expectEqual(graph, [[1, 3, 12, 10]], options: PlanOptions(exact: exact))
    try expectEqual(graph, [[2, 3, 7, 9]], options: PlanOptions(exact: exact))
  }

  /// VDSR's depth: where errors of Winograd's algorithm would add up.
  @Test func depth() throws {
    let graph = try Graph(channels: 1) { x in
      var y = x.convolution("first", 32, kernel: 3, bias: false).relu()
      for i in 0..<18 { y = y.convolution("\(i)", 32, kernel: 3, bias: false).relu() }
      return [y.convolution("last", 1, kernel: 3, bias: false) + x]
    }
    try expectEqual(graph, [[1, 1, 24, 24]])
    try expectEqual(graph, [[1, 1, 24, 24]], options: PlanOptions(exact: true))
  }
}
