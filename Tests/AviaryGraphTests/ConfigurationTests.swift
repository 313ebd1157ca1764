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
    #expect(problem("[]") == "toy: configuration: expected an object, found an array")
    #expect(problem("3") == "toy: configuration: expected an object, found an integer")
    #expect(
      problem(#"{"colour":1,"chanels":3,"x":2}"#)
        == "toy: no option 'chanels' (it has activation, blocks, channels, features, scale, skip, "
        + "slope, tail)")
    #expect(problem(#"{"scale":"2"}"#) == #"toy.scale: expected an integer, found "2""#)
    #expect(problem(#"{"scale":2.5}"#) == "toy.scale: expected an integer, found 2.5")
    #expect(
      problem(#"{"slope":0.5,"blocks":[1,0.5],"scale":2}"#)
        == "toy.blocks.1: expected an integer, found 0.5")
    #expect(
      problem(#"{"slope":0.5,"tail":{"kernel":0.25,"bias":true}}"#)
        == "toy.tail.kernel: expected an integer, found 0.25")
    #expect(problem(#"{"scale":null}"#) == "toy.scale: expected an integer, found null")
    #expect(problem(#"{"scale":true}"#) == "toy.scale: expected an integer, found true")
    #expect(problem(#"{"slope":"steep"}"#) == #"toy.slope: expected a number, found "steep""#)
    #expect(problem(#"{"skip":1}"#) == "toy.skip: expected true or false, found 1")
    #expect(problem(#"{"blocks":3}"#) == "toy.blocks: expected an array, found 3")
    #expect(problem(#"{"blocks":[1,"2"]}"#) == #"toy.blocks.1: expected an integer, found "2""#)
    #expect(
      problem(#"{"activation":"gelu"}"#)
        == #"toy.activation: expected one of the known values, found "gelu""#)
    #expect(
      problem(#"{"activation":2}"#) == "toy.activation: expected a string, found 2")
    #expect(problem(#"{"tail":{"kernel":3}}"#) == "toy.tail.bias: expected a value, found null")
    #expect(problem(#"{"tail":[]}"#) == "toy.tail: expected an object, found []")
    #expect(problem(#"{"blocks":[]}"#) == "toy: blocks: expected at least one, found none")
  }

  @Test func numbersOutOfRange() {
    for number in ["-1", "65537", "9223372036854775807", "-9223372036854775808"] {
      #expect(
        problem(#"{"features":\#(number)}"#)
          == "toy: features: expected an integer from 0 to 65536, found \(number)")
      #expect(
        problem(#"{"blocks":[\#(number)]}"#)
          == "toy: blocks: expected an integer from 0 to 65536, found \(number)")
      #expect(
        problem(#"{"tail":{"kernel":\#(number),"bias":true}}"#)
          == "toy: tail.kernel: expected an integer from 0 to 65536, found \(number)")
    }
    #expect(
      problem(#"{"features":1e300}"#) == "toy: features: expected a number below 2^53, found 1e+300"
    )
    let many = [String](repeating: "1", count: 4_097).joined(separator: ",")
    #expect(
      problem(#"{"blocks":[\#(many)]}"#)
        == "toy: blocks: expected at most 4096 elements, found 4097")
    // Within the range, and no network all the same.
    #expect(problem(#"{"features":0}"#) == "head: outChannels: expected 1 to 1048576, found 0")
    #expect(problem(#"{"channels":0}"#) == "image: channels: expected 1 to 1048576, found 0")
    #expect(
      problem(#"{"scale":65536,"channels":65536}"#)
        == "tail: outChannels: expected 1 to 1048576, found 281474976710656")
    #expect(problem(#"{"scale":65}"#) == "pixelShuffle_1: factor: expected 1 to 64, found 65")
    #expect(
      problem(#"{"blocks":[65536]}"#) == "nodes: 20001 exceeds the limit of 20000")
    #expect(
      problem(#"{"tail":{"kernel":4,"bias":true}}"#)
        == "tail: padding: expected a stated padding for an even kernel, found nothing")
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
      "\($0)" == "liar: scale: expected 3, found a network of scale 2/1"
    }
  }
}
