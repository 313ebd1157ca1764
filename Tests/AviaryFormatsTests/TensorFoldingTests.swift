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

  /// What a layer folded from tensors gives for an image, held against the form in which it is trained.
  ///
  /// - Parameters:
  ///   - file: the tensors as a file has them.
  ///   - trained: the network of them, under names of its own.
  ///   - single: the network of the folded layer.
  private func compare(
    _ file: [String: Tensor], channels: Int, trained: (Graph, [String: Tensor]), single: Graph
  ) throws {
    let image = try random([1, channels, 6, 5], seed: 99)
    let expected = try #require(
      naive(trained.0, weights: trained.1, inputs: ["image": image])["output"])
    let weights = try folded(file)
    #expect(weights.names == ["a.weight", "a.bias"])
    let found = try #require(
      naive(
        single, weights: Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) }),
        inputs: ["image": image])["output"])
    let agreement = Agreement(found, expected: expected)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  /// Each part has a factor of its own; what lies beyond the edges is zero before the first convolution.
  @Test func parallelConvolutions() throws {
    let shapes: KeyValuePairs<String, [Int]> = [
      "a.conv3.sk": [3, 2, 1, 1], "a.conv3.conv.0": [4, 2, 1, 1], "a.conv3.conv.1": [5, 4, 3, 3],
      "a.conv3.conv.2": [3, 5, 1, 1], "a.conv2": [3, 2, 3, 3], "a.k0": [6, 2, 1, 1],
      "a.k1": [3, 6, 3, 3],
    ]
    var tensors: [String: Tensor] = [:]
    for (number, (layer, shape)) in shapes.enumerated() {
      tensors[layer + ".weight"] = try random(shape, seed: UInt64(2 * number))
      tensors[layer + ".bias"] = try random([shape[0]], seed: UInt64(2 * number + 1))
    }
    let trained = try Graph(channels: 2) { image in
      let padded = image.applying(.pad(Pad(PaddingAmounts(1))))
      let branches =
        padded.convolution("a.conv3.conv.0", 4, kernel: 1)
        .convolution("a.conv3.conv.1", 5, kernel: 3, padding: .valid)
        .convolution("a.conv3.conv.2", 3, kernel: 1) + image.convolution("a.conv3.sk", 3, kernel: 1)
      let row = padded.convolution("a.k0", 6, kernel: 1)
        .convolution("a.k1", 3, kernel: 3, padding: .valid)
      return [row * 0.5 + image.convolution("a.conv2", 3, kernel: 3) * -1.5 + branches * 2]
    }
    var file = tensors.filter { !$0.key.hasPrefix("a.k") }
    for (number, layer) in ["k0", "k1"].enumerated() {
      file["a.conv1.\(layer)"] = tensors["a.\(layer).weight"]
      file["a.conv1.b\(number)"] = tensors["a.\(layer).bias"]
    }
    file["a.alpha"] = try Tensor(shape: [3], [0.5, -1.5, 2])
    file["a.conv_3x3_rep.weight"] = try Tensor(zeros: [3, 2, 3, 3])
    file["a.conv_3x3_rep.bias"] = try Tensor(zeros: [3])
    try compare(
      file, channels: 2, trained: (trained, tensors),
      single: Graph(channels: 2) { [$0.convolution("a", 3, kernel: 3)] })
  }

  @Test func depthwiseConvolutions() throws {
    var tensors: [String: Tensor] = [:], file: [String: Tensor] = [:]
    for (number, side) in [1, 3, 5].enumerated() {
      let name = "a.conv\(side)x\(side)"
      tensors[name + ".weight"] = try random([2, 1, side, side], seed: UInt64(2 * number))
      tensors[name + ".bias"] = try random([2], seed: UInt64(2 * number + 1))
    }
    file = tensors
    for factor in 1...4 {
      file["a.alpha\(factor)"] = try random([1, 2, 1, 1], seed: UInt64(20 + factor))
      tensors["alpha\(factor)"] = file["a.alpha\(factor)"]
    }
    let trained = try Graph(channels: 2) { image in
      var sum = image * image.learnedConstant("alpha1", [1, 2, 1, 1])
      for (number, side) in [1, 3, 5].enumerated() {
        let part = image.convolution("a.conv\(side)x\(side)", 2, kernel: Size(side), groups: 2)
        sum = sum + part * image.learnedConstant("alpha\(number + 2)", [1, 2, 1, 1])
      }
      return [sum]
    }
    try compare(
      file, channels: 2, trained: (trained, tensors),
      single: Graph(channels: 2) { [$0.convolution("a", 2, kernel: 5, groups: 2)] })
  }

  @Test func collapsibleBlocks() throws {
    let tensors = [
      "a.conv_expand.weight": try random([7, 2, 5, 5], seed: 1),
      "a.conv_squeeze.weight": try random([3, 7, 1, 1], seed: 2),
      "a.conv_squeeze.bias": try random([3], seed: 3),
    ]
    let trained = try Graph(channels: 2) {
      [
        $0.convolution("a.conv_expand", 7, kernel: 5, bias: false)
          .convolution("a.conv_squeeze", 3, kernel: 1)
      ]
    }
    try compare(
      tensors, channels: 2, trained: (trained, tensors),
      single: Graph(channels: 2) { [$0.convolution("a", 3, kernel: 5)] })
  }
}
