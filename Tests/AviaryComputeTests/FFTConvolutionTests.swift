import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Convolutions by the fast Fourier transform: kernels, channels that fill no register, sizes that
/// leave tiles half empty, padding, epilogues, one thread and two.
@Suite struct FFTConvolutionTests {
  /// A convolution by itself; whether it was done by transforms is given back.
  private func check(
    _ channels: Int, _ outChannels: Int, kernel: Size,
    _ shape: (images: Int, height: Int, width: Int),
    padding: Padding = .same, threads: Int = 2
  ) throws -> Bool {
    let c = Convolution(outChannels: outChannels, kernel: kernel, padding: padding)
    return try isDone(
      c, [shape.images, channels, shape.height, shape.width], by: "fft", threads: threads)
  }

  @Test(arguments: [
    Size(5, 5), Size(7, 7), Size(9, 9), Size(13, 13), Size(17, 17), Size(25, 25), Size(5, 9),
    Size(15, 3), Size(2, 25), Size(16, 12),
  ])
  func kernels(_ kernel: Size) throws {
    var served = 0
    for threads in [1, 2] {
      for (height, width) in [(32, 32), (31, 47), (70, 21), (5, 64)] {
        if try check(16, 16, kernel: kernel, (1, height, width), threads: threads) { served += 1 }
      }
    }
    #expect(served > 0)
  }

  @Test(arguments: [8, 9, 15, 16, 17, 24, 31, 32])
  func channels(_ channels: Int) throws {
    var served = 0
    for outChannels in [8, 12, 16, 23, 32] {
      if try check(channels, outChannels, kernel: 13, (2, 33, 45)) { served += 1 }
    }
    #expect(served > 0)
  }

  @Test(arguments: [1, 2, 5, 15, 16, 17, 31, 32, 33, 40])
  func sizes(_ height: Int) throws {
    for width in [1, 2, 7, 15, 16, 17, 32, 33, 48, 49] {
      _ = try check(16, 16, kernel: 17, (1, height, width))
    }
    #expect(try check(16, 16, kernel: 17, (3, height + 24, 73 - height)))
  }

  @Test(arguments: 0...3)
  func amounts(_ top: Int) throws {
    for left in [0, 1, 8] {
      for bottom in [0, 2, 11] {
        let amounts = PaddingAmounts(top, left, bottom, 3)
        #expect(try check(16, 16, kernel: 11, (2, 40, 37), padding: .explicit(amounts)))
      }
    }
  }

  /// Activations before and after additions, of values that lie in place or elsewhere, a PReLU,
  /// whole registers and not.
  @Test(arguments: [12, 16], [1, 2])
  func epilogues(_ width: Int, _ threads: Int) throws {
    let activations: [Activation] = [
      .relu, .leakyRelu(slope: 0.2), .clamp(minimum: -0.5, maximum: 0.7), .tanh,
    ]
    for activation in activations {
      let graph = try Graph(channels: width) { x in
        let a = x.convolution("a", width, kernel: 9).activation(activation)
        let b = (a.convolution("b", width, kernel: 9) + a).activation(activation)
        let c = a.convolution("c", width, kernel: 9).prelu("c.slopes") + b
        return [a, (c.convolution("d", width, kernel: 9).activation(activation) + x)]
      }
      let comparison = try Comparison(
        graph, [[2, width, 39, 43]], engine: Engine(threads: threads))
      #expect(comparison.largestError <= 1e-5, "\(activation)")
      #expect(comparison.steps.contains { $0.operation == "convolution (fft)" })
    }
  }

  /// A kernel that a transposed convolution of stride 1 turns round.
  @Test func transposed() throws {
    let graph = try Graph(channels: 16) { x in
      [x.transposedConvolution("a", 16, kernel: 9, stride: 1, padding: 4)]
    }
    let comparison = try Comparison(graph, [[1, 16, 50, 40]], engine: Engine(threads: 2))
    #expect(comparison.largestError <= 1e-5)
    #expect(comparison.steps.contains { $0.operation == "convolution (fft)" })
  }

  /// Exact plans do not use it, and spectra of many channels would take too much memory.
  @Test(arguments: [(16, true), (64, false)])
  func doesWithout(_ width: Int, _ isExact: Bool) throws {
    let c = Convolution(outChannels: width, kernel: 17, padding: .same)
    let graph = try Graph(of: .convolution(c), channels: [width])
    let plan = try Plan(
      graph, weights: PackedWeights(randomWeights(for: graph, seed: 1)),
      inputShapes: [[1, width, 32, 32]], options: PlanOptions(exact: isExact), engine: Engine())
    #expect(!plan.steps.contains { $0.operation.contains("fft") })
  }
}
