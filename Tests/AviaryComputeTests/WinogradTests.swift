import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Convolutions by Winograd's algorithm: every count of channels, sizes that leave tiles half
/// empty, padding, epilogues, memory formats, one thread and two.
@Suite struct WinogradTests {
  /// A 3x3 convolution by itself; the number of steps by Winograd's algorithm is given back.
  private func check(
    _ channels: Int, _ outChannels: Int, _ shape: (images: Int, height: Int, width: Int),
    amounts: PaddingAmounts = 1, threads: Int = 2
  ) throws -> Bool {
    let c = Convolution(outChannels: outChannels, kernel: 3, padding: .explicit(amounts))
    return try isDone(
      c, [shape.images, channels, shape.height, shape.width], by: "winograd", threads: threads)
  }

  @Test(arguments: [1, 15, 16, 17, 31, 32, 33, 48, 64, 100, 128, 130])
  func channels(_ channels: Int) throws {
    var served = 0
    for outChannels in [1, 3, 9, 12, 16, 17, 32, 47, 64, 130] {
      for threads in [1, 2] {
        if try check(channels, outChannels, (1, 13, 18), threads: threads) { served += 1 }
      }
    }
    #expect(served > 0 || channels < 32)
  }

  @Test(arguments: 1...40)
  func sizes(_ height: Int) throws {
    for width in [1, 2, 3, 4, 5, 7, 8, 9, 15, 33, 40] {
      // Narrow images leave most of a tile empty, so that direct sums may be faster.
      let isServed = try check(32, 32, (1, height, width))
      #expect(isServed || min(height, width) < 8)
    }
    _ = try check(32, 16, (3, height, 41 - height))
    _ = try check(48, 33, (2, 41 - height, height), threads: 1)
  }

  @Test(arguments: 0...2, 0...2)
  func amounts(_ top: Int, _ left: Int) throws {
    for bottom in 0...2 {
      for right in 0...3 {
        let amounts = PaddingAmounts(top, left, bottom, right)
        #expect(try check(32, 32, (2, 9, 14), amounts: amounts))
        _ = try check(20, 40, (1, 12, 7), amounts: amounts)
      }
    }
  }

  /// Activations before and after additions, of values that lie in place or elsewhere.
  @Test(arguments: [16, 24, 32, 64], [1, 2])
  func epilogues(_ width: Int, _ threads: Int) throws {
    let activations: [Activation] = [
      .relu, .leakyRelu(slope: 0.2), .clamp(minimum: -0.5, maximum: 0.7), .tanh,
    ]
    for activation in activations {
      let graph = try Graph(channels: width) { x in
        let a = x.convolution("a", width, kernel: 3).activation(activation)
        let b = (a.convolution("b", width, kernel: 3) + a).activation(activation)
        let c = a.convolution("c", width, kernel: 3).activation(activation) + b
        let d = (c.convolution("d", width, kernel: 3).activation(activation) + x)
          .activation(activation)
        return [a, d, (d.convolution("e", 3, kernel: 3) + b.convolution("f", 3, kernel: 3)).relu()]
      }
      let comparison = try Comparison(
        graph, [[2, width, 19, 23]], engine: Engine(threads: threads))
      #expect(comparison.largestError <= 1e-5, "\(activation)")
      #expect(comparison.steps.contains { $0.operation == "convolution (winograd)" })
    }
  }

  /// Between neighbours that want each of the memory formats.
  @Test(arguments: [16, 24, 48])
  func memoryFormats(_ width: Int) throws {
    let graph = try Graph(channels: width) { x in
      let a = x.convolution("a", width, kernel: 3, groups: width).convolution("b", 48, kernel: 3)
      let b = a.convolution("c", 48, kernel: 1).convolution("d", width, kernel: 3)
      return [b, b.convolution("e", 12, kernel: 3)]
    }
    try expectEqual(graph, [[1, width, 22, 17]])
  }

  /// An image of many blocks, on one thread and on several.
  @Test(arguments: [1, 2, 3])
  func manyBlocks(_ threads: Int) throws {
    #expect(try check(32, 48, (1, 130, 121), threads: threads))
    #expect(try check(256, 32, (1, 24, 40), threads: threads))
  }

  /// Exact plans do not use it.
  @Test func exactPlansDoWithout() throws {
    let c = Convolution(outChannels: 64, kernel: 3, padding: .same)
    let graph = try Graph(of: .convolution(c), channels: [64])
    let plan = try Plan(
      graph, weights: PackedWeights(randomWeights(for: graph, seed: 1)),
      inputShapes: [[1, 64, 32, 32]], options: PlanOptions(exact: true), engine: Engine())
    #expect(!plan.steps.contains { $0.operation.contains("winograd") })
  }
}
