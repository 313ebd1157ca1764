import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// Layers folded from the form in which they were trained compute what that form computes.
@Suite struct TensorFoldingTests {
  private func random(_ shape: [Int], seed: UInt64) throws -> Tensor {
    var generator = SplitMix64(seed: seed)
    let values = (0..<shape.reduce(1, *)).map { _ in
      Float(generator.next() >> 40) / Float(1 << 23) - 1
    }
    return try Tensor(shape: shape, values)
  }

  private func folded(_ tensors: [String: Tensor]) throws -> NamedTensors {
    let source = TensorSource(
      NamedTensors(tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    return try source.folded(WeightIndex(source).folded().layers).loaded()
  }

  @Test(arguments: [[3, 1, 1, 1], [1, 2, 1, 1], [1, 1, 1, 1]])
  func weightNormalisation(_ shape: [Int]) throws {
    let v = try random([3, 2, 3, 3], seed: 1), g = try random(shape, seed: 2)
    let weight = try #require(folded(["a.weight_g": g, "a.weight_v": v])["a.weight"])
    let dimension = shape.firstIndex { $0 != 1 }
    for o in 0..<3 {
      for i in 0..<2 {
        let place = dimension == 0 ? o : dimension == 1 ? i : 0
        var sum = 0.0
        for row in 0..<3 {
          for column in 0..<2 where dimension == nil || (dimension == 0 ? row == o : column == i) {
            for tap in 0..<9 {
              let value = Double(v.floats[(row * 2 + column) * 9 + tap])
              sum += value * value
            }
          }
        }
        let at = (o * 2 + i) * 9 + 4
        let expected = Double(v.floats[at]) * Double(g.floats[place]) / sum.squareRoot()
        #expect(abs(Double(weight.floats[at]) - expected) < 1e-6)
      }
    }
  }

  /// The largest singular value of a diagonal matrix is known.
  @Test func spectralNormalisation() throws {
    let weight = try Tensor(shape: [2, 2, 1, 1], [4, 0, 0, 1])
    let tensors = [
      "a.weight_orig": weight, "a.weight_u": try Tensor(shape: [2], [1, 0]),
      "a.weight_v": try Tensor(shape: [2], [1, 0]),
    ]
    #expect(try folded(tensors)["a.weight"]?.floats == [1, 0, 0, 0.25])
    var wrong = tensors
    wrong["a.weight_u"] = try Tensor(shape: [2], [0, 1])
    #expect(throws: CheckpointError.self) { try folded(wrong) }
  }

  /// Edges included: training pads the image with zeros before the first convolution.
  @Test func parallelBranches() throws {
    let shapes: [String: [Int]] = [
      "a.sk": [3, 2, 1, 1], "a.conv.0": [4, 2, 1, 1], "a.conv.1": [5, 4, 3, 3],
      "a.conv.2": [3, 5, 1, 1],
    ]
    var tensors: [String: Tensor] = [:]
    for (number, (layer, shape)) in shapes.sorted(by: { $0.key < $1.key }).enumerated() {
      tensors[layer + ".weight"] = try random(shape, seed: UInt64(2 * number))
      tensors[layer + ".bias"] = try random([shape[0]], seed: UInt64(2 * number + 1))
    }
    let trained = try Graph(channels: 2) { image in
      let padded = image.applying(.pad(Pad(PaddingAmounts(1))))
      return [
        padded.convolution("a.conv.0", 4, kernel: 1)
          .convolution("a.conv.1", 5, kernel: 3, padding: .valid)
          .convolution("a.conv.2", 3, kernel: 1) + image.convolution("a.sk", 3, kernel: 1)
      ]
    }
    let image = try random([1, 2, 5, 4], seed: 99)
    let expected = try #require(
      naive(trained, weights: tensors, inputs: ["image": image])["output"])
    // A result of an earlier step of the training lies beside, and is not believed.
    tensors["a.eval_conv.weight"] = try Tensor(zeros: [3, 2, 3, 3])
    tensors["a.eval_conv.bias"] = try Tensor(zeros: [3])
    let weights = try folded(tensors)
    #expect(weights.names == ["a.weight", "a.bias"])
    let single = try Graph(channels: 2) { [$0.convolution("a", 3, kernel: 3)] }
    let found = try #require(
      naive(
        single,
        weights: Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) }),
        inputs: ["image": image])["output"])
    let agreement = Agreement(found, expected: expected)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }
}
