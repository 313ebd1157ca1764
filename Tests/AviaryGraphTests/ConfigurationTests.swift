@testable import AviaryGraph
import Testing

/// Configurations from outside.
@Suite struct ConfigurationTests {
  private let toy = AnyArchitecture(Toy.self)

  private func problem(_ text: String) -> String {
    do {
      return try "scale \(toy.network(JSON(parsing: text)).configuration["scale"]?.text ?? "none")"
    } catch {
      return "\(error)"
    }
  }

  @Test func membersLeftOutHaveTheDefaultPresetsValue() throws {
    let network = try toy.network(["features": 4, "tail": ["kernel": 5, "bias": false]])
    #expect(network.architecture == "toy")
    #expect(
      network.configuration.text
        == #"{"activation":"relu","blocks":[1,2],"channels":1,"features":4,"scale":2,"skip":false,"#
        + #""slope":0.1,"tail":{"bias":false,"kernel":5}}"#)
    #expect(network.graph.parameters.first?.shape == [4, 1, 3, 3])
    #expect(try toy.network() == toy.network(toy.preset("default")))
    #expect(network.picture == ImageSpec(.luma))
    #expect(try toy.network(["channels": 3]).picture == ImageSpec(.rgb))
  }

  @Test func anIntegerIsANumber() throws {
    let network = try toy.network(["slope": 1])
    #expect(network.graph.nodes[1].op == .activation(.leakyRelu(slope: 1)))
  }

  @Test func whatIsRefused() {
    #expect(problem("[]") == "toy: configuration: an object expected, an array found")
    #expect(problem("3") == "toy: configuration: an object expected, an integer found")
    #expect(
      problem(#"{"colour":1,"chanels":3,"x":2}"#)
        == "toy: no option 'chanels' (it has activation, blocks, channels, features, scale, skip, "
        + "slope, tail)")
    #expect(problem(#"{"scale":"2"}"#) == #"toy.scale: an integer expected, "2" found"#)
    #expect(problem(#"{"scale":2.5}"#) == "toy.scale: an integer expected, 2.5 found")
    #expect(
      problem(#"{"slope":0.5,"blocks":[1,0.5],"scale":2}"#)
        == "toy.blocks.1: an integer expected, 0.5 found")
    #expect(
      problem(#"{"slope":0.5,"tail":{"kernel":0.25,"bias":true}}"#)
        == "toy.tail.kernel: an integer expected, 0.25 found")
    #expect(problem(#"{"scale":null}"#) == "toy.scale: an integer expected, null found")
    #expect(problem(#"{"scale":true}"#) == "toy.scale: an integer expected, true found")
    #expect(problem(#"{"slope":"steep"}"#) == #"toy.slope: a number expected, "steep" found"#)
    #expect(problem(#"{"skip":1}"#) == "toy.skip: true or false expected, 1 found")
    #expect(problem(#"{"blocks":3}"#) == "toy.blocks: an array expected, 3 found")
    #expect(problem(#"{"blocks":[1,"2"]}"#) == #"toy.blocks.1: an integer expected, "2" found"#)
    #expect(
      problem(#"{"activation":"gelu"}"#)
        == #"toy.activation: one of the known values expected, "gelu" found"#)
    #expect(
      problem(#"{"activation":2}"#) == "toy.activation: a string expected, 2 found")
    #expect(problem(#"{"tail":{"kernel":3}}"#) == "toy.tail.bias: a value expected, null found")
    #expect(problem(#"{"tail":[]}"#) == "toy.tail: an object expected, [] found")
    #expect(problem(#"{"blocks":[]}"#) == "toy: blocks: at least one expected, none found")
  }

  @Test func numbersOutOfRange() {
    for number in ["-1", "65537", "9223372036854775807", "-9223372036854775808"] {
      #expect(
        problem(#"{"features":\#(number)}"#)
          == "toy: features: an integer from 0 to 65536 expected, \(number) found")
      #expect(
        problem(#"{"blocks":[\#(number)]}"#)
          == "toy: blocks: an integer from 0 to 65536 expected, \(number) found")
      #expect(
        problem(#"{"tail":{"kernel":\#(number),"bias":true}}"#)
          == "toy: tail.kernel: an integer from 0 to 65536 expected, \(number) found")
    }
    #expect(
      problem(#"{"features":1e300}"#) == "toy: features: a number below 2^53 expected, 1e+300 found"
    )
    let many = [String](repeating: "1", count: 4_097).joined(separator: ",")
    #expect(
      problem(#"{"blocks":[\#(many)]}"#)
        == "toy: blocks: at most 4096 elements expected, 4097 found")
    // Within the range, and no network all the same.
    #expect(problem(#"{"features":0}"#) == "head: outChannels: 1 to 1048576 expected, 0 found")
    #expect(problem(#"{"channels":0}"#) == "image: channels: 1 to 1048576 expected, 0 found")
    #expect(
      problem(#"{"scale":65536,"channels":65536}"#)
        == "tail: outChannels: 1 to 1048576 expected, 281474976710656 found")
    #expect(problem(#"{"scale":65}"#) == "pixelShuffle_1: factor: 1 to 64 expected, 65 found")
    #expect(
      problem(#"{"blocks":[65536]}"#) == "nodes: at most 20000 expected, 20001 found")
    #expect(
      problem(#"{"tail":{"kernel":4,"bias":true}}"#)
        == "tail: padding: a stated padding for an even kernel expected, nothing found")
  }

  /// The graph is held to the scale that the configuration states.
  @Test func scaleThatTheNetworkDoesNotHave() {
    struct Configuration: ArchitectureConfiguration {
      var channels = 1
      var scale = 3
    }
    enum Liar: Architecture {
      static let info = ArchitectureInfo("liar", summary: "")
      static let presets: KeyValuePairs = ["default": Configuration()]
      static func build(_ c: Configuration, _ input: Value) -> [Value] {
        [input.resize(.nearest, by: 2)]
      }
    }
    #expect {
      try AnyArchitecture(Liar.self).network()
    } throws: {
      "\($0)" == "liar: scale: 3 expected, a network of scale 2/1 found"
    }
  }
}
