import AviaryCheckpoint
import AviaryFormats
import AviaryGraph
import AviaryTestSupport
import Testing

/// Configurations of real models with something changed: each is a graph or an error, and nothing
/// traps or takes long.
@Suite struct KerasFuzzTests {
  /// What a token is replaced by.
  private static let pieces = [
    "0", "-1", "1", "2", "3", "1e308", "9223372036854775807", "-9223372036854775808", "4097",
    "null",
    "true", "[]", "{}", "[[[]]]", "\"same\"", "\"x\"", "\"conv\"", "[null, null, null, 3]",
    "[2, 3, 4, 5]", "0.5", "\"channels_first\"", "\"Add\"", "\"Flatten\"", "\"Dense\"",
    "\"Reshape\"", "\"Concatenate\"", "\"Functional\"",
  ]

  @Test(arguments: KerasFixture.names) func changedConfigurationsAreGraphsOrErrors(
    _ name: String
  ) throws {
    let file = try WeightsFile.read(KerasFixture.file(name))
    guard case .keras(let text)? = file.network else {
      Issue.record("\(name): no configuration")
      return
    }
    let tokens = Self.tokens(text)
    let values = tokens.indices.filter { Self.isValue($0, of: tokens) }
    var generator = SplitMix64(seed: Fuzzing.seed &+ UInt64(text.utf8.count))
    let fuzzing = try Fuzzing(
      name, in: TemporaryFolder(), share: KerasFixture.names.count,
      next: { Array(Self.changed(tokens, values, &generator).utf8) }
    ) { path in
      let changed = String(decoding: try bytes(path), as: UTF8.self)
      do throws(InterchangeError) {
        let imported = try KerasGraph.graph(configuration: changed, weights: file)
        #expect(imported.weights.names == imported.graph.parameters.map(\.name))
      } catch {
        #expect(!"\(error)".contains("\n"))
        throw error
      }
    }
    #expect(fuzzing.slowest < 10, "\(fuzzing)")
  }

  /// A configuration with one to three values in the place of others.
  private static func changed(
    _ tokens: [String], _ values: [Int], _ generator: inout SplitMix64
  ) -> String {
    var changed = tokens
    for _ in 0...Int.random(in: 0..<3, using: &generator) {
      let place = values[Int.random(in: values.indices, using: &generator)]
      // Half the time something that stands elsewhere in the same configuration.
      changed[place] =
        Bool.random(using: &generator)
        ? tokens[values[Int.random(in: values.indices, using: &generator)]]
        : pieces[Int.random(in: pieces.indices, using: &generator)]
    }
    return changed.joined()
  }

  /// Strings, and what stands between them piece by piece.
  private static func tokens(_ text: String) -> [String] {
    var tokens: [String] = []
    var current: [UInt8] = []
    var isString = false
    var isEscaped = false
    func end() {
      if !current.isEmpty { tokens.append(String(decoding: current, as: UTF8.self)) }
      current = []
    }
    for byte in text.utf8 {
      if isString {
        current.append(byte)
        if byte == UInt8(ascii: "\""), !isEscaped {
          isString = false
          end()
        }
        isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
      } else if byte == UInt8(ascii: "\"") {
        end()
        current = [byte]
        isString = true
      } else if "{}[]:, ".utf8.contains(byte) {
        end()
        current = [byte]
        end()
      } else {
        current.append(byte)
      }
    }
    end()
    return tokens
  }

  /// Whether a token is a number, a word or a string that is no member's name.
  private static func isValue(_ place: Int, of tokens: [String]) -> Bool {
    guard let first = tokens[place].utf8.first, !"{}[]:, ".utf8.contains(first) else {
      return false
    }
    return place + 1 >= tokens.count || tokens[place + 1] != ":"
  }
}
