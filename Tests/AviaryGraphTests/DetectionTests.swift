@testable import AviaryGraph
import Testing

/// Recognition of weights by names and shapes.
@Suite struct DetectionTests {
  private let toy = AnyArchitecture(Toy.self)

  private func registry(_ architectures: AnyArchitecture...) throws -> Registry {
    var registry = Registry()
    for architecture in architectures { try registry.register(architecture) }
    return registry
  }

  private func weights(_ configuration: JSON = [:]) throws -> [String: [Int]] {
    WeightIndex(try toy.network(configuration).graph).shapes
  }

  private func problem(
    _ registry: Registry, _ weights: [String: [Int]], as name: String? = nil,
    _ overrides: JSON = [:]
  ) -> String {
    do {
      return try registry.detect(WeightIndex(weights), as: name, overrides: overrides).network.label
    } catch {
      return "\(error)"
    }
  }

  @Test func configurationIsFound() throws {
    let configuration: JSON = [
      "channels": 3, "scale": 4, "features": 6, "blocks": [2, 1, 3],
      "tail": ["kernel": 5, "bias": false],
    ]
    let fit = try registry(toy).detect(WeightIndex(try weights(configuration)))
    #expect(fit.network == (try toy.network(configuration)))
    #expect(fit.assumed == ["slope", "activation", "skip"])
    #expect(fit.names == nil)
    #expect(fit.canonical("head.weight") == "head.weight")
  }

  @Test func whatTheUserStatesIsNotAssumed() throws {
    let fit = try registry(toy).detect(
      WeightIndex(try weights()), overrides: ["activation": "tanh", "skip": true])
    #expect(fit.assumed == ["slope"])
    #expect(fit.network.configuration["activation"] == "tanh")
    #expect(fit.network.configuration["skip"] == true)
    #expect(fit.network.graph == (try toy.network(["activation": "tanh", "skip": true]).graph))
  }

  @Test func publishedNames() throws {
    let map = Toy.publishedNames[0]
    let external = Dictionary(
      uniqueKeysWithValues: try weights().map { (map.external($0.key), $0.value) })
    #expect(external["conv_first.weight"] != nil && external["body.1.conv2.bias"] != nil)
    let fit = try registry(toy).detect(WeightIndex(external))
    #expect(fit.network == (try toy.network()))
    #expect(fit.names == map)
    #expect(fit.canonical("body.1.conv2.bias") == "body.1.1.bias")
  }

  @Test func missingUnexpectedAndMismatched() throws {
    let registry = try registry(toy)
    var shapes = try weights()
    shapes["body.0.0.bias"] = nil
    shapes["tail.extra"] = [1]
    shapes["body.1.0.weight"] = [8, 8, 5, 5]
    let label = try toy.network().label
    let message =
      "no architecture has exactly these 10 tensors; nearest: \(label) (missing body.0.0.bias; "
      + "unexpected tail.extra; mismatched body.1.0.weight: expected shape [8, 8, 3, 3], "
      + "found [8, 8, 5, 5] "
      + "(kernel height: deduced 3, found 5; kernel width: deduced 3, found 5))"
    #expect(problem(registry, shapes) == message)
    #expect(problem(registry, shapes, as: "toy") == message)
    // Nothing is proposed; only for a stated architecture there is something to compare with.
    #expect(problem(registry, [:]) == "no architecture has exactly these 0 tensors")
    #expect(
      problem(registry, ["a": [1]], as: "toy").hasPrefix(
        "no architecture has exactly these 1 tensors; nearest: toy {"))
  }

  @Test func severalFit() throws {
    let registry = try registry(toy, .toy("copy"))
    let shapes = try weights()
    let configuration = try toy.network().configuration.text
    #expect(
      problem(registry, shapes)
        == "the weights fit several architectures: copy \(configuration); toy \(configuration); "
        + "say which with --as and --config")
    #expect(problem(registry, shapes, as: "copy") == "copy \(configuration)")
  }

  @Test func unknownArchitecture() throws {
    #expect(
      problem(try registry(toy), try weights(), as: "toi")
        == "toi: no such architecture; did you mean toy?")
  }

  @Test func overridesThatAreWrong() throws {
    let registry = try registry(toy, .toy("copy"))
    let shapes = try weights()
    let known = "(it has activation, blocks, channels, features, scale, skip, slope, tail)"
    #expect(
      problem(registry, shapes, as: "toy", ["activatoin": "tanh"])
        == "toy: no option 'activatoin' \(known)")
    #expect(
      problem(registry, shapes, as: "toy", ["activation": "swish"])
        == #"toy.activation: expected one of the known values, found "swish""#)
    // Without a name too: what would fit but for the overrides says what it has against them.
    let one = try self.registry(toy)
    #expect(
      problem(one, shapes, ["activatoin": "tanh"]) == "toy: no option 'activatoin' \(known)")
    #expect(
      problem(one, shapes, []) == "configuration: expected an object, found an array")
    #expect(
      problem(one, shapes, as: "toy", "tanh") == "configuration: expected an object, found a string"
    )
    // An override against the weights: they decide.
    #expect(
      problem(one, shapes, ["features": 9]).hasPrefix(
        "no architecture has exactly these 10 tensors; nearest: toy "))
  }

  /// Dimensions as a hostile file may have them never reach what architectures calculate.
  @Test func hostileShapes() throws {
    let registry = try registry(toy)
    let numbers = [Int.max, .min, -1, 0, 1 << 62, 1 << 32]
    for number in numbers {
      for position in 0..<4 {
        for layer in ["head.weight", "tail.weight", "body.0.0.weight"] {
          var shapes = try weights()
          shapes[layer]?[position] = number
          #expect(
            problem(registry, shapes).hasPrefix("no architecture has exactly these 10 tensors"))
          #expect(
            problem(registry, shapes, as: "toy").hasPrefix(
              "no architecture has exactly these 10 tensors"))
        }
      }
    }
    #expect(
      problem(registry, ["head.weight": [], "tail.weight": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])
        .hasPrefix("no architecture has exactly these 2 tensors; nearest: toy {"))
  }

  /// Proposals that are no configurations are passed over.
  @Test func nonsenseIsPassedOver() throws {
    let toy = toy
    let nonsense = AnyArchitecture(
      info: ArchitectureInfo("nonsense", summary: ""), presets: toy.presets, publishedNames: [],
      build: { configuration in
        let network = try toy.network(configuration)
        return (network.graph, network.picture, network.unused)
      },
      propose: { _ in [Proposal("none"), Proposal(["scale": -1]), Proposal(["members": 1])] })
    let fit = try registry(nonsense, toy).detect(WeightIndex(try weights()))
    #expect(fit.network.architecture == "toy")
  }
}
