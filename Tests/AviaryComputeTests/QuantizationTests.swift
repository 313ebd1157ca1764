import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryCompute

/// Convolutions of integers, against the oracle: the naive executor on the rounded input and the
/// rounded weights gives, but for the rounding of float32, what they give.
@Suite struct QuantizationTests {
  /// What a number becomes in integers of a scale, and back.
  private static func rounded(_ value: Float, _ step: Float, _ range: ClosedRange<Float>) -> Float {
    min(max((value / step).rounded(.toNearestOrEven), range.lowerBound), range.upperBound) * step
  }

  private static func range(_ isSigned: Bool) -> ClosedRange<Float> {
    isSigned ? -127...127 : 0...255
  }

  /// The steps of a weight's output channels.
  private static func steps(_ weight: Tensor, outChannels: Int, isTransposed: Bool) -> [Float] {
    let values = weight.floats
    let kernel = weight.shape[2] * weight.shape[3], other = values.count / kernel / outChannels
    return (0..<outChannels).map { filter in
      var largest: Float = 0
      for channel in 0..<other {
        let pair = isTransposed ? channel * outChannels + filter : filter * other + channel
        for i in pair * kernel..<(pair + 1) * kernel { largest = max(largest, values[i].magnitude) }
      }
      return largest / 127
    }
  }

  private static func roundedWeight(
    _ weight: Tensor, _ steps: [Float], isTransposed: Bool
  ) throws -> Tensor {
    let kernel = weight.shape[2] * weight.shape[3], outChannels = steps.count
    let other = weight.floats.count / kernel / outChannels
    return try Tensor(
      shape: weight.shape,
      weight.floats.enumerated().map { i, value in
        let pair = i / kernel
        let filter = isTransposed ? pair % outChannels : pair / other
        return rounded(value, steps[filter], -127...127)
      })
  }

  /// One convolution, with an epilogue or none, on inputs of either sign.
  @Test(
    .enabled(if: Engine.sumsProductsWhole, "weights of 7 bits on this processor"),
    arguments: [false, true], [(16, 16), (32, 48), (17, 20), (64, 64)])
  func single(_ isSigned: Bool, _ size: (channels: Int, outChannels: Int)) throws {
    let ops: [(Op, Bool)] = [
      (.convolution(Convolution(outChannels: size.outChannels, kernel: 3, padding: .same)), false),
      (.convolution(Convolution(outChannels: size.outChannels, kernel: 1)), false),
      (
        .convolution(
          Convolution(outChannels: size.outChannels, kernel: 3, stride: 2, padding: .same)), false
      ),
      (
        .convolution(Convolution(outChannels: size.outChannels, kernel: 5, padding: .same)),
        false
      ),
      (
        .transposedConvolution(
          TransposedConvolution(
            outChannels: size.outChannels, kernel: 4, stride: 2, padding: PaddingAmounts(1))), true
      ),
    ]
    for (op, isTransposed) in ops {
      for activation in [
        nil, Activation.relu, .leakyRelu(slope: 0.2), .clamp(minimum: -0.3, maximum: 0.4),
      ] {
        let graph = try Graph(
          of: [op] + (activation.map { [.activation($0)] } ?? []), channels: size.channels)
        for shape in [[1, size.channels, 9, 11], [2, size.channels, 16, 7]] {
          try expectRounded(graph, shape, isSigned, isTransposed: isTransposed)
        }
      }
    }
  }

  private func expectRounded(
    _ graph: Graph, _ shape: [Int], _ isSigned: Bool, isTransposed: Bool
  ) throws {
    var weights = randomWeights(for: graph, seed: 3)
    var generator = SplitMix64(seed: 4)
    let raw = generator.tensor(shape)
    let inputScale: Float = 1.7 / (isSigned ? 127 : 255)
    let name = graph.nodes[0].name
    let weight = try #require(weights["\(name).weight"])
    let outChannels = try #require(graph.parameters.first { $0.name == "\(name).bias" }?.shape[0])
    let steps = Self.steps(weight, outChannels: outChannels, isTransposed: isTransposed)
    let layer = Quantization.Layer(inputScale: inputScale, isSigned: isSigned, weightScales: steps)
    var found: [[Float]] = []
    for threads in [1, 2] {
      var plan = try Plan(
        graph, weights: PackedWeights(weights), inputShapes: [shape],
        options: PlanOptions(quantization: Quantization([name: layer])),
        engine: Engine(threads: threads))
      #expect(plan.steps.allSatisfy { !$0.implementation.hasPrefix("ref") }, "\(plan.steps)")
      let output = try plan.run([graph.inputs[0].name: raw])
      found.append(try #require(output["output"]).floats)
    }
    weights["\(name).weight"] = try Self.roundedWeight(weight, steps, isTransposed: isTransposed)
    let input = try Tensor(
      shape: shape, raw.floats.map { Self.rounded($0, inputScale, Self.range(isSigned)) })
    let expected = try #require(
      naive(graph, weights: weights, inputs: [graph.inputs[0].name: input])["output"])
    for values in found {
      let tensor = try Tensor(shape: expected.shape, values)
      let error = Agreement(tensor, expected: expected).relative
      #expect(error <= 1e-5, "\(graph.nodes.map(\.op)) \(shape) signed \(isSigned)")
    }
  }

  /// Whole networks, every convolution that can be quantised: values between convolutions, pools
  /// and concatenations stay whole, sums do not. What is lost is small; what is wrong would be
  /// large.
  @Test(arguments: 0..<24)
  func networks(_ seed: Int) throws {
    let width = [16, 32, 48][seed % 3]
    let graph = try Graph(channels: 3) { x in
      let first = x.convolution("first", width, kernel: 3).relu()
      let a = first.convolution("a", width, kernel: 3).leakyRelu(0.1)
      let sum = a.convolution("b", width, kernel: 3).batchNormalization("n") + first
      let small = sum.maxPool(2).convolution("c", 32, kernel: 3).relu()
      let large = small.transposedConvolution("d", width, kernel: 4, stride: 2).relu()
      let joined = Value.concatenate([large, a.relu(), first])
      let e = joined.convolution("e", width, kernel: 1).applying(.pad(Pad(1, .reflect)))
      let f = e.convolution("f", width, kernel: 3, padding: .valid).relu()
      return [f.convolution("g", 24, kernel: 3), (sum + f).convolution("h", 3, kernel: 3)]
    }
    let shape = [1 + seed % 2, 3, 12, 10 + 2 * (seed % 4)]
    let weights = randomWeights(for: graph, seed: UInt64(seed))
    let input = randomTensor(shape, seed: UInt64(seed))
    let inputs = [graph.inputs[0].name: input]
    let prepared = PackedWeights(weights)
    let values = try naiveValues(graph, weights: weights, inputs: inputs)
    var layers: [String: Quantization.Layer] = [:]
    for candidate in try Quantization.candidates(
      in: graph, weights: prepared, inputShapes: [shape])
    {
      let floats = try #require(values[graph.name(ofValue: candidate.input)]).floats
      let isSigned = floats.contains { $0 < 0 }
      let largest = floats.reduce(0) { max($0, $1.magnitude) }
      layers[candidate.name] = Quantization.Layer(
        inputScale: largest / (isSigned ? 127 : 255), isSigned: isSigned,
        weightScales: candidate.weightScales)
    }
    #expect(layers.keys.sorted() == ["a", "b", "c", "d", "e", "f", "g"])
    let expected = try naive(graph, weights: weights, inputs: inputs)
    for precision in Precision.allCases where precision == .float32 || Engine.hasBfloat16 {
      var plan = try Plan(
        graph, weights: prepared, inputShapes: [shape],
        options: PlanOptions(precision: precision, quantization: Quantization(layers)),
        engine: Engine(threads: 1 + seed % 2))
      #expect(plan.steps.allSatisfy { !$0.implementation.hasPrefix("ref") }, "\(plan.steps)")
      let found = try plan.run(inputs)
      for (name, tensor) in expected {
        let error = Agreement(try #require(found[name]), expected: tensor).relative
        #expect(error <= 0.03, "\(name) \(precision): \(plan.steps)")
      }
    }
  }

  /// A convolution writes what the next one multiplies, and pools in between do, too.
  @Test func chainsHaveNoCopies() throws {
    let graph = try Graph(channels: 32) { x in
      [
        x.convolution("a", 32, kernel: 3).relu().maxPool(2).convolution("b", 64, kernel: 3).relu()
          .convolution("c", 16, kernel: 1)
      ]
    }
    let weights = PackedWeights(randomWeights(for: graph, seed: 1))
    var layers: [String: Quantization.Layer] = [:]
    for (name, outChannels) in [("a", 32), ("b", 64), ("c", 16)] {
      layers[name] = Quantization.Layer(
        inputScale: 0.01, isSigned: false, weightScales: Array(repeating: 0.01, count: outChannels))
    }
    let plan = try Plan(
      graph, weights: weights, inputShapes: [[1, 32, 32, 32]],
      options: PlanOptions(quantization: Quantization(layers)), engine: Engine(threads: 1))
    #expect(plan.steps.filter { $0.operation == "reorder" }.count == 2, "\(plan.steps)")
    // A dilated one stays as it is.
    let dilated = try Graph(channels: 32) { x in
      [x.convolution("a", 32, kernel: 3, dilation: 2)]
    }
    let own = try Plan(
      dilated, weights: PackedWeights(randomWeights(for: dilated, seed: 1)),
      inputShapes: [[1, 32, 9, 9]],
      options: PlanOptions(quantization: Quantization(layers)), engine: Engine(threads: 1))
    #expect(own.steps.allSatisfy { !$0.implementation.contains("vnni") }, "\(own.steps)")
    layers["b"]?.weightScales = [1]
    #expect(
      throws: ComputeError.quantization(node: "b", outChannels: 64, found: 1)
    ) {
      _ = try Plan(
        graph, weights: weights, inputShapes: [[1, 32, 32, 32]],
        options: PlanOptions(quantization: Quantization(layers)), engine: Engine(threads: 1))
    }
    let error = ComputeError.quantization(node: "b", outChannels: 64, found: 1)
    #expect(error.description == "b: expected 64 weight scales, found 1")
  }
}
