import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Testing

/// Networks that nobody would design: values used several times, early and late, whole and in part.
/// What one test of one operation cannot show is whether memory is reused too soon.
@Suite struct RandomNetworkTests {
  @Test(arguments: 0..<60)
  func random(_ seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let pictures = seed % 4 == 3 ? 2 : 1
    let graph = try Graph(channels: 3) { x in
      randomNetwork(x, steps: 6 + seed % 20, &generator)
    }
    try expectEqual(
      graph, [[pictures, 3, 9, 8]], options: PlanOptions(exact: seed % 5 == 0),
      "seed \(seed)")
  }
}
