import AviaryGraph
import AviaryTestSupport
import Testing

@testable import AviaryCompute

/// Inference in bfloat16: 8 bits of mantissa, of which sums of random terms keep about as much, so
/// that 2 % of the largest value is the most that may be lost.
@Suite(.enabled(if: Engine.hasBfloat16, "no bfloat16 on this processor"))
struct Bfloat16Tests {
  private static let options = PlanOptions(precision: .bfloat16)

  private func expectClose(_ graph: Graph, _ shape: [Int], _ what: String = "") throws {
    for threads in [1, 2] {
      let comparison = try Comparison(
        graph, [shape], options: Self.options, engine: Engine(threads: threads))
      #expect(comparison.largestError <= 0.02, "\(what) \(shape): \(comparison.steps)")
    }
  }

  /// Operations that take and give bfloat16, and some that do not, between convolutions: 6 channels
  /// are moved two by two, 16 by blocks, 5 cannot be.
  @Test(arguments: [5, 6, 16, 32])
  func operations(_ width: Int) throws {
    let ops: [(String, (Value) -> Value)] = [
      ("relu", { $0.relu() }), ("sigmoid", { $0.activation(.sigmoid) }),
      ("gelu", { $0.activation(.gelu(approximate: false)) }), ("prelu", { $0.prelu("p") }),
      ("pool", { $0.maxPool(2) }),
      ("pad", { $0.applying(.pad(Pad(PaddingAmounts(1, 2, 3, 0), .reflect))) }),
      (
        "mean",
        {
          $0.applying(
            .averagePool(AveragePool(Pool(kernel: 3, padding: .same), countsPadding: false)))
        }
      ),
      ("crop", { $0.applying(.crop(Crop(PaddingAmounts(1, 0, 2, 1)))) }),
      ("slice", { $0.applying(.slice(ChannelSlice(start: width / 2, count: width / 2))) }),
      ("concatenate", { .concatenate([$0, $0.relu(), $0.activation(.tanh)]) }),
      ("product", { $0 * $0.activation(.sigmoid) }), ("difference", { $0.relu() - $0 }),
      ("normalization", { $0.batchNormalization("n") * 0.5 }),
      ("transposed", { $0.transposedConvolution("t", width, kernel: 4, stride: 2).relu() }),
      ("depthwise", { $0.convolution("w", width, kernel: 3, groups: width) }),
    ]
    for (name, op) in ops {
      let graph = try Graph(channels: 3) { x in
        let before = x.convolution("a", width, kernel: 3)
        return [op(before).convolution("b", 7, kernel: 3), before.convolution("c", 2, kernel: 5)]
      }
      try expectClose(graph, [2, 3, 9, 12], "\(name) of \(width)")
    }
  }

  /// Kernels that reach beyond narrow images.
  @Test(arguments: [3, 7, 8, 9, 12])
  func dilated(_ width: Int) throws {
    let graph = try Graph(channels: 64) { x in
      [
        x.convolution("a", 64, kernel: 5, dilation: 2),
        x.convolution("b", 64, kernel: 3, dilation: 3),
      ]
    }
    try expectClose(graph, [2, 64, 16, width])
  }

  @Test(arguments: [3, 16, 32])
  func residuals(_ width: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let first = x.convolution("first", width, kernel: 3).relu()
      var y = first
      for i in 0..<3 {
        y =
          y
          + y.convolution("\(i).a", width, kernel: 3).relu()
          .convolution("\(i).b", width, kernel: 3)
        y = (y.convolution("\(i).c", width, kernel: 3) + y).relu() * 0.3
      }
      return [
        (y.convolution("last", width, kernel: 3) + first).convolution("end", 3, kernel: 3) + x
      ]
    }
    try expectClose(graph, [1, 3, 17, 14])
  }

  /// Values are used early and late, whole and in part: none may be taken for one of another width.
  @Test(arguments: 0..<40)
  func random(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let graph = try Graph(channels: 3) { x in
      randomNetwork(x, steps: 6 + seed % 20, &generator)
    }
    let comparison = try Comparison(
      graph, [[1 + seed % 2, 3, 9, 8]], options: Self.options, engine: Engine())
    #expect(comparison.largestError <= 0.05, "seed \(seed)")
  }

  /// Between convolutions nothing is copied: each writes what the next wants.
  @Test func chainsHaveNoCopies() throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", 64, kernel: 3).relu().convolution("b", 64, kernel: 3, stride: 2)
      let b = a.maxPool(2).transposedConvolution("c", 64, kernel: 4, stride: 2) + a
      return [b.convolution("d", 64, kernel: 1).relu().convolution("e", 48, kernel: 5)]
    }
    let weights = PackedWeights(randomWeights(for: graph, seed: 1))
    let plan = try Plan(
      graph, weights: weights, inputShapes: [[1, 3, 64, 64]],
      options: PlanOptions(exact: true, precision: .bfloat16), engine: Engine(threads: 1))
    let convolutions = plan.steps.filter { $0.operation == "convolution" }
    #expect(convolutions.allSatisfy { $0.implementation.contains("bf16") }, "\(plan.steps)")
    // The image's, and the result's.
    let copies = plan.steps.filter { $0.operation == "reorder" }
    #expect(copies.count <= 2, "\(plan.steps)")
  }
}
