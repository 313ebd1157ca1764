import AviaryCheckpoint
import AviaryTensor
import Testing

/// The steps between layouts, against elements picked by hand.
@Suite struct TensorStepTests {
  @Test func permutationMovesElements() throws {
    let tensor = try Tensor(shape: [2, 3], [0, 1, 2, 3, 4, 5])
    let turned = try TensorStep.permuted([1, 0]).applied(to: tensor)
    #expect(turned.shape == [3, 2])
    #expect(turned.floats == [0, 3, 1, 4, 2, 5])
  }

  @Test func reversalTurnsKernelsRound() throws {
    let tensor = try Tensor(shape: [1, 2, 2], [0, 1, 2, 3])
    #expect(try TensorStep.reversed([1, 2]).applied(to: tensor).floats == [3, 2, 1, 0])
  }

  @Test func reorderingPicksSlices() throws {
    let tensor = try Tensor(shape: [3, 2], [0, 1, 2, 3, 4, 5])
    let step = TensorStep.reordered(dimension: 0, indices: [2, 0, 1])
    #expect(try step.applied(to: tensor).floats == [4, 5, 0, 1, 2, 3])
  }

  @Test func paddingIsZeros() throws {
    let tensor = try Tensor(shape: [1, 1, 1, 2], [1, 2])
    let padded = try TensorStep.padded([1, 0, 0, 1]).applied(to: tensor)
    #expect(padded.shape == [1, 1, 2, 3])
    #expect(padded.floats == [0, 0, 0, 1, 2, 0])
  }

  @Test func aShapeThatDoesNotFitIsAnError() throws {
    let error = #expect(throws: TensorError.self) {
      try TensorStep.permuted([0, 0]).shape(of: [2, 3])
    }
    #expect(
      error?.description == "shape [2, 3]: cannot be transposed by (0, 0)")
  }
}

extension TensorStepTests {
  @Test(
    arguments: [
      .permuted([2, 0, 3, 1]), .reversed([2, 3]), .reshaped(from: [2, 3, 2, 2], to: [6, 1, 4]),
      .reordered(dimension: 1, indices: [2, 0, 1]), .padded([1, 0, 2, 3]),
      .converted(from: .float32, to: .float64),
    ] as [TensorStep])
  func whatWasDoneIsUndone(_ step: TensorStep) throws {
    let tensor = try Tensor(shape: [2, 3, 2, 2], (0..<24).map(Float.init))
    let steps = [step, .permuted([1, 2, 0] + (step.keepsRank ? [3] : []))]
    let there = try steps.applied(to: tensor)
    #expect(try steps.inverse.applied(to: there) == tensor)
  }

  @Test func croppingCutsEdges() throws {
    let tensor = try Tensor(shape: [1, 3, 3], (0..<9).map(Float.init))
    #expect(try TensorStep.cropped([1, 0, 0, 1]).applied(to: tensor).floats == [3, 4, 6, 7])
    let error = #expect(throws: TensorError.self) {
      try TensorStep.cropped([2, 0, 2, 0]).shape(of: [3, 3])
    }
    #expect(error?.description == "shape [3, 3]: cannot be cropped by (2, 0, 2, 0)")
  }
}

extension TensorStep {
  fileprivate var keepsRank: Bool { if case .reshaped = self { false } else { true } }
}
