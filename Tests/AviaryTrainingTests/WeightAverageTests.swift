import AviaryGraph
import AviaryTensor
import AviaryTraining
import Testing

@Suite("averages of weights")
struct WeightAverageTests {
  private func graph() throws -> Graph {
    try Graph(
      inputs: [.init("x", channels: 1)],
      nodes: [
        .init(
          "conv", .convolution(Convolution(outChannels: 1, kernel: 1)), inputs: [0],
          parameters: ["conv.weight", "conv.bias"]),
        .init(
          "norm", .batchNormalization(BatchNormalization(scale: false, center: false)), inputs: [1],
          parameters: ["norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]),
      ],
      outputs: [.init("y", value: 2)], frozen: ["conv.bias"])
  }

  private func weights(_ value: Float) throws -> [String: Tensor] {
    [
      "conv.weight": try Tensor(shape: [1, 1, 1, 1], [value]),
      "conv.bias": try Tensor(shape: [1], [value]),
      "norm.running_mean": try Tensor(shape: [1], [value]),
      "norm.running_var": try Tensor(shape: [1], [value]),
      "norm.num_batches_tracked": try Tensor(shape: [], [value]).converted(to: .int64),
    ]
  }

  @Test("learned weights are averaged, the rest is what it was last")
  func average() throws {
    var average = WeightAverage(try weights(0), of: try graph(), decay: 0.5)
    var expected: Float = 0
    for step in 0..<12 {
      let value = Float(step * step)
      try average.update(try weights(value), step: step)
      let kept = min(0.5, Float(1 + step) / Float(10 + step))
      expected += (1 - kept) * (value - expected)
      let found = try #require(average.weights["conv.weight"]?.floats[0])
      #expect(abs(found - expected) <= 1e-6 * abs(expected))
      for name in average.weights.keys where name != "conv.weight" {
        #expect(average.weights[name] == (try weights(value))[name], "\(name)")
      }
    }
    #expect(average.weights.count == 5)
  }

  @Test("an average that goes on is the same bit by bit")
  func resuming() throws {
    var whole = WeightAverage(try weights(0), of: try graph(), decay: 0.999)
    for step in 0..<5 { try whole.update(try weights(Float(step).squareRoot()), step: step) }
    var resumed = WeightAverage(whole.weights, of: try graph(), decay: 0.999)
    for step in 5..<9 {
      try whole.update(try weights(Float(step).squareRoot()), step: step)
      try resumed.update(try weights(Float(step).squareRoot()), step: step)
    }
    #expect(whole.weights == resumed.weights)
  }

  @Test("a parameter that is missing or of another shape is named, and nothing changes")
  func refusals() throws {
    var average = WeightAverage(try weights(1), of: try graph(), decay: 0.9)
    var other = try weights(2)
    other["conv.weight"] = try Tensor(zeros: [2, 1, 1, 1])
    let shape = #expect(throws: TrainingError.self) { try average.update(other, step: 0) }
    #expect(
      shape?.description
        == "parameter conv.weight: expected shape [1, 1, 1, 1], found shape [2, 1, 1, 1]")
    other["conv.weight"] = nil
    let missing = #expect(throws: TrainingError.self) { try average.update(other, step: 0) }
    #expect(missing?.description == "parameter conv.weight: expected a tensor, found none")
    #expect(average.weights == (try weights(1)))
  }
}
