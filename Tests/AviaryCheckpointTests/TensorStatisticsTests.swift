import AviaryCheckpoint
import AviaryTensor
import Testing

@Suite struct TensorStatisticsTests {
  @Test func valuesAreThoseOfTheDefinition() throws {
    let statistics = TensorStatistics(of: try Tensor(shape: [2, 2], [1, 2, 3, 6]))
    #expect(statistics.minimum == 1)
    #expect(statistics.maximum == 6)
    #expect(statistics.mean == 3)
    #expect(abs(statistics.deviation - 3.5.squareRoot()) < 1e-12)
    #expect(statistics.isFinite)
    #expect(statistics.zeroChannelCount == 0)
  }

  @Test func whatIsNotFiniteIsCountedApart() throws {
    let values: [Float] = [.nan, .infinity, -.infinity, 4, 4, -.nan]
    let statistics = TensorStatistics(of: try Tensor(shape: [6], values))
    #expect(statistics.nanCount == 2)
    #expect(statistics.infinityCount == 2)
    #expect(statistics.mean == 4)
    #expect(statistics.deviation == 0)
    #expect(!statistics.isFinite)
  }

  @Test func deadChannelsAreCounted() throws {
    let values: [Float] = [0, 0, 1, 0, 0, -0.0, .nan, 0]
    let statistics = TensorStatistics(of: try Tensor(shape: [4, 2, 1, 1], values))
    #expect(statistics.zeroChannelCount == 2)
    #expect(TensorStatistics(of: try Tensor(shape: [3], [0, 0, 0])).zeroChannelCount == 0)
  }

  /// A large mean with a small spread, where a sum of squares alone loses everything.
  @Test func deviationSurvivesALargeMean() throws {
    let values = (0..<1000).map { Float(16_777_216 - ($0 % 2) * 2) }
    let statistics = TensorStatistics(of: try Tensor(shape: [1000], values))
    #expect(statistics.deviation == 1)
    #expect(statistics.mean == 16_777_215)
  }

  @Test func emptyAndHalfPrecision() throws {
    #expect(TensorStatistics(of: try Tensor(zeros: [0, 3])).mean == 0)
    let half = try Tensor(shape: [2], [-1, 3]).converted(to: .float16)
    #expect(TensorStatistics(of: half).minimum == -1)
    #expect(TensorStatistics(of: half).mean == 1)
  }
}
