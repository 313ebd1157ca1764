@testable import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

/// Networks put together at random, computed in tiles and whole.
@Suite struct RandomTilingTests {
  @Test(arguments: 0..<6) func tilesGiveTheWhole(_ part: Int) throws {
    var random = SplitMix64(seed: UInt64(1_000 + part))
    var compared = 0
    for round in 0..<45 {
      guard let graph = try? Graph(channels: 2, { [RandomTilingTests.network($0, &random)] }) else {
        continue
      }
      let height = Int.random(in: 20...45, using: &random)
      let width = Int.random(in: 20...45, using: &random)
      guard case .exact(let overlap, let multiple) = try? graph.tiling(height: height, width: width)
      else { continue }
      // Small tiles, so that there are inner ones; with the overlap they are no smaller than what
      // the padding of some layer mirrors.
      let tile = (Int.random(in: 8...16, using: &random) + multiple - 1) / multiple * multiple
      guard tile < height || tile < width else { continue }
      // What grows and grows takes the oracle long and shows nothing more.
      let shapes = try graph.shapes(height: height, width: width)
      guard shapes.allSatisfy({ $0.reduce(1, *) < 12_000 }) else { continue }
      let weights = randomWeights(for: graph, seed: UInt64(round))
      let input = randomTensor([1, 2, height, width], seed: UInt64(round))
      let whole = try naive(graph, weights: weights, inputs: ["image": input])
      let parts: [String: Tensor]
      do {
        parts = try naiveTiles(graph, weights: weights, input: input, tile: tile, whole: whole)
      } catch GraphError.shape {
        continue
      }
      compared += 1
      let agreement = Agreement(
        try #require(parts["output"]), expected: try #require(whole["output"]))
      #expect(
        agreement.relative <= 1e-6,
        "\(height)x\(width), tile \(tile), overlap \(overlap), multiple \(multiple): \(agreement), \(graph.json.text)"
      )
    }
    #expect(compared > 10)
  }

  /// Three to six layers of any kind, two channels between them.
  private static func network(_ x: Value, _ random: inout SplitMix64) -> Value {
    var x = x
    for layer in 0..<Int.random(in: 3...6, using: &random) {
      x = self.layer(x, "l\(layer)", &random)
    }
    return x
  }

  private static func layer(_ x: Value, _ name: String, _ random: inout SplitMix64) -> Value {
    func any(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func amounts(_ largest: Int) -> PaddingAmounts {
      PaddingAmounts(any(0...largest), any(0...largest), any(0...largest), any(0...largest))
    }
    func padding(_ kernel: Size) -> Padding {
      any(0...2) == 0 ? .same : .explicit(amounts(min(kernel.height, kernel.width) - 1))
    }
    let kernel = Size(any(1...5), any(1...5))
    // The same stride along both axes, or another scale along each would run whole.
    let stride = Size(any(1...3))
    switch any(0...15) {
    case 0, 1:
      return x.convolution(
        name, 2, kernel: kernel, stride: stride, dilation: Size(any(1...2), any(1...3)),
        padding: padding(kernel))
    case 2, 3:
      let padding = amounts(1)
      return x.transposedConvolution(name, 2, kernel: kernel, stride: stride, padding: padding)
    case 4:
      return x.maxPool(kernel, stride: stride, padding: padding(kernel))
    case 5:
      return x.applying(
        .averagePool(
          AveragePool(
            Pool(kernel: kernel, stride: stride, padding: padding(kernel)),
            countsPadding: Bool.random(using: &random))))
    case 6, 7:
      let kernels: [Resize.Kernel] = [
        .nearest, .linear, .cubic(a: -0.5), .lanczos(lobes: any(2...3)),
      ]
      let coordinates: [Resize.Coordinates] = [.halfPixel, .asymmetric]
      return x.applying(
        .resize(
          Resize(
            kernels[any(0...3)], to: .factor(Ratio(any(1...3), any(1...3))),
            coordinates: coordinates[any(0...1)], edge: any(0...1) == 0 ? .edge : .symmetric,
            antialias: Bool.random(using: &random))))
    case 8: return x.applying(.pad(Pad(amounts(3), PadMode.allCases[any(0...3)])))
    case 12:
      // What networks of windows do: padded to a multiple, and cropped back.
      let multiple = Size(any(2...4))
      let modes: [PadMode] = [.zero, .reflect, .edge, .symmetric]
      return x.padded(toMultiple: multiple, modes[any(0...3)])
        .convolution(name, 2, kernel: 3).cropped(toSizeOf: x)
    case 13:
      return x.applying(
        .stridedSlice(
          StridedSlice(
            dimension: any(2...3), start: any(0...2), end: any(0...1) == 0 ? nil : -1)))
    case 14:
      return x.applying(
        .maxPool(MaxPool(Pool(kernel: 3, stride: stride, padding: .explicit(1), roundsUp: true))))
    case 15:
      return x.applying(
        .padDimension(
          PadDimension(dimension: any(2...3), before: any(0...2), after: any(0...2), .symmetric)))
    case 9: return x.applying(.crop(Crop(amounts(2))))
    case 10:
      return x.convolution(name, 8, kernel: 1).pixelShuffle(2).leakyRelu(-0.5)
    default:
      // A path of its own, of the same size.
      return x + x.convolution(name, 2, kernel: 3).activation(.tanh)
    }
  }
}
