import AviaryGraph
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// Reductions and softmax as ONNX.
@Suite struct ReductionExchangeTests {
  @Test(arguments: Reduction.Kind.allCases.filter { $0 != .unbiasedVariance })
  func onnx(_ kind: Reduction.Kind) throws {
    for (dimensions, keeps) in [([1], true), ([2, 3], true), ([1, 3], false)] {
      let graph = try Graph(channels: 3) { x in
        let features = x.convolution("first", 6, kernel: 3)
        let reduction = Reduction(kind, dimensions: dimensions, keepsDimensions: keeps)
        let reduced = features.applying(.reduce(reduction))
        return keeps ? [features * reduced] : [features, reduced]
      }
      try ONNXRoundTrip.check(
        graph, "reduction.\(kind.rawValue).\(dimensions.count).\(keeps)",
        sizes: [(7, 5), (6, 9)])
    }
  }

  @Test(arguments: [1, 3], [true, false])
  func softmax(_ dimension: Int, _ logarithm: Bool) throws {
    let graph = try Graph(channels: 3) { x in
      [
        x.convolution("first", 6, kernel: 3).applying(
          .softmax(Softmax(dimension: dimension, logarithm: logarithm)))
      ]
    }
    try ONNXRoundTrip.check(
      graph, "softmax.\(dimension).\(logarithm)", sizes: [(7, 5), (6, 9)])
  }
}
