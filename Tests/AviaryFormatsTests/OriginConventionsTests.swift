import AviaryFormats
import Aviary
import AviaryGraph
import Testing

/// Borders come from the framework that a file is of, unless the user states them.
@Suite struct OriginConventionsTests {
  @Test(arguments: [
    ("residual-cae", Origin.Framework.keras, "keras"), ("residual-cae", .pytorch, "pytorch"),
    ("plain-cae", .pytorch, "pytorch"), ("fusion-cae", .keras, "keras"),
    ("fsrcnn", .keras, "keras"),
  ]) func theFrameworkTells(name: String, framework: Origin.Framework, origin: String) throws {
    let weights = WeightIndex(try Registry.builtin[name].network().graph)
    let fit = try Registry.builtin.detect(weights)
    #expect(fit.assumed.contains("origin"))
    var notes: [String] = []
    let settled = try OriginConventions(framework).applied(
      to: fit, weights, .builtin, notes: &notes)
    #expect(settled.network.configuration["origin"]?.string == origin)
    #expect(!settled.assumed.contains("origin"))
    #expect(notes.count == 1)
  }

  @Test func bareArraysLeaveItAssumed() throws {
    let weights = WeightIndex(try Registry.builtin["residual-cae"].network().graph)
    let fit = try Registry.builtin.detect(weights)
    var notes: [String] = []
    let same = try OriginConventions(.arrays).applied(to: fit, weights, .builtin, notes: &notes)
    #expect(same.assumed == fit.assumed)
    #expect(notes.isEmpty)
  }
}
