import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Convolutions of stride 2 and transposed ones of stride 2 by Winograd's algorithm: all counts of
/// channels, sizes that leave tiles half empty, padding and cropping, epilogues, memory formats,
/// threads.
@Suite struct WinogradPhaseTests {
  /// An operation by itself, done by Winograd's algorithm wherever there are enough channels, even
  /// where direct sums are faster.
  private func check(
    _ op: Op, _ channels: Int, _ shape: (pictures: Int, height: Int, width: Int), threads: Int = 2
  ) throws {
    let name = if case .convolution = op { "convolution" } else { "transposedConvolution" }
    let outChannels = try op.outputShape([[1, channels, shape.height, shape.width]])[1]
    let fillBlocks = channels % 16 == 0 && outChannels % 16 == 0
    for memoryFormat in fillBlocks ? ["nChw16c", "nhwc"] : ["nhwc"] {
      var options = PlanOptions()
      options.choices = [
        PlanChoice(
          layer: "node \(name)",
          candidate: "\(memoryFormat) float32>\(memoryFormat) float32 winograd")
      ]
      let comparison = try Comparison(
        Graph(of: op, channels: [channels]),
        [[shape.pictures, channels, shape.height, shape.width]], options: options,
        engine: Engine(threads: threads))
      #expect(
        comparison.largestError <= 1e-5, "\(op) of \(channels), \(shape), \(threads) threads")
      let isServed = comparison.steps.contains { $0.operation == "\(name) (winograd)" }
      #expect(isServed || channels < 16, "\(op) of \(channels), \(shape): \(comparison.steps)")
    }
  }

  private func halving(_ outChannels: Int, _ amounts: PaddingAmounts = 1) -> Op {
    .convolution(
      Convolution(outChannels: outChannels, kernel: 3, stride: 2, padding: .explicit(amounts)))
  }

  private func doubling(_ outChannels: Int, _ padding: PaddingAmounts) -> Op {
    .transposedConvolution(
      TransposedConvolution(outChannels: outChannels, kernel: 3, stride: 2, padding: padding))
  }

  @Test(arguments: [1, 15, 16, 17, 31, 32, 48, 64, 100, 128, 130])
  func channels(_ channels: Int) throws {
    for outChannels in [1, 3, 12, 16, 17, 32, 47, 64, 130] {
      for threads in [1, 2] {
        try check(halving(outChannels), channels, (1, 27, 34), threads: threads)
        try check(
          doubling(outChannels, PaddingAmounts(0, 0, 1, 1)), channels, (1, 13, 18), threads: threads
        )
      }
    }
  }

  @Test(arguments: 1...25)
  func sizes(_ height: Int) throws {
    for width in [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33] {
      try check(halving(32), 32, (1, height, width))
      try check(doubling(32, PaddingAmounts(0, 0, 1, 1)), 32, (1, height, width))
    }
    try check(halving(33), 48, (3, height, 41 - height))
    try check(doubling(33, 1), 48, (3, height, 41 - height), threads: 1)
  }

  @Test(arguments: 0...2, 0...2)
  func amounts(_ top: Int, _ left: Int) throws {
    for bottom in 0...2 {
      for right in 0...3 {
        try check(halving(32, PaddingAmounts(top, left, bottom, right)), 20, (2, 11, 14))
      }
    }
  }

  /// PyTorch's output padding among them: rows that no pixel reaches.
  @Test(arguments: 0...5, 0...3)
  func padding(_ top: Int, _ left: Int) throws {
    for bottom in -2...2 {
      for right in -1...3 {
        try check(doubling(32, PaddingAmounts(top, left, bottom, right)), 20, (2, 7, 10))
      }
    }
  }

  /// Activations before and after additions, of values that lie in place or elsewhere.
  @Test(arguments: [48, 64], [1, 2])
  func epilogues(_ width: Int, _ threads: Int) throws {
    // Bounds of about the sums' size: errors are told as parts of the largest value, and those of a
    // result cut down to less than one would be held against that.
    let activations: [Activation] = [
      .relu, .leakyRelu(slope: 0.2), .clamp(minimum: -5, maximum: 7),
    ]
    for activation in activations {
      let graph = try Graph(channels: width) { x in
        let a = x.convolution("a", width, kernel: 3, stride: 2).activation(activation)
        let b = (x.convolution("b", width, kernel: 3, stride: 2) + a).activation(activation)
        let c = x.convolution("c", width, kernel: 3, stride: 2).activation(activation) + b
        let d = doubled(x, "d").activation(activation)
        let e = (doubled(x, "e") + d).activation(activation)
        return [a, b, c, d, e, doubled(x, "f").prelu("slopes") + e]
      }
      let comparison = try Comparison(
        graph, [[2, width, 64, 62]], engine: Engine(threads: threads))
      #expect(comparison.largestError <= 1e-5, "\(activation)")
      for step in ["convolution (winograd)", "transposedConvolution (winograd)"] {
        #expect(comparison.steps.contains { $0.operation == step })
      }
    }
  }

  private func doubled(_ value: Value, _ name: String, _ outChannels: Int? = nil) -> Value {
    value.transposedConvolution(
      name, outChannels ?? value.channels, kernel: 3, stride: 2, padding: PaddingAmounts(0, 0, 1, 1)
    )
  }

  /// Between neighbours that want each of the memory formats; few filters are vectorised over
  /// pixels.
  @Test(arguments: [48, 64])
  func memoryFormats(_ width: Int) throws {
    let graph = try Graph(channels: width) { x in
      let a = x.convolution("a", width, kernel: 3, groups: width)
      let b = a.convolution("b", width, kernel: 3, stride: 2)
      let c = doubled(b, "c").convolution("d", width, kernel: 3, groups: width)
      let d = c.convolution("e", width, kernel: 1).convolution("f", 64, kernel: 3, stride: 2)
      return [doubled(d, "g").convolution("h", 48, kernel: 1), doubled(d, "i", 12)]
    }
    try expectEqual(graph, [[1, width, 44, 34]])
  }

  /// An image of many blocks, on one thread and on several.
  @Test(arguments: [1, 2, 3])
  func manyBlocks(_ threads: Int) throws {
    try check(halving(64), 48, (1, 130, 151), threads: threads)
    try check(halving(32), 256, (2, 65, 40), threads: threads)
    try check(doubling(64, 1), 48, (1, 67, 75), threads: threads)
    try check(doubling(32, 1), 256, (2, 33, 20), threads: threads)
  }

  /// Exact plans do not use it, nor is it used where it does not fit.
  @Test func otherOperations() throws {
    for (op, exact) in [
      (halving(64), true), (doubling(64, 1), true),
      (
        .convolution(
          Convolution(outChannels: 64, kernel: 3, stride: 2, dilation: 2, padding: .same)),
        false
      ),
      (
        .convolution(Convolution(outChannels: 64, kernel: 3, stride: Size(2, 1), padding: .same)),
        false
      ),
      (.transposedConvolution(TransposedConvolution(outChannels: 64, kernel: 4, stride: 2)), false),
      (.transposedConvolution(TransposedConvolution(outChannels: 64, kernel: 3, stride: 3)), false),
    ] {
      let comparison = try Comparison(
        Graph(of: op, channels: [64]), [[1, 64, 32, 32]], options: PlanOptions(exact: exact))
      #expect(comparison.largestError <= 1e-5, "\(op)")
      #expect(!comparison.steps.contains { $0.operation.contains("winograd") }, "\(op)")
    }
  }
}
