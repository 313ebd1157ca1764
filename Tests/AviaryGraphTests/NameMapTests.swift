@testable import AviaryGraph
import Testing

/// Names of layers in published sources, forth and back.
@Suite struct NameMapTests {
  @Test func renamesLayersNotTheirParameters() {
    let map = NameMap("someone", ["first": "head", "body.{i}.conv": "layers.{i}"])
    #expect(map.source == "someone")
    #expect(map.canonical("first.weight") == "head.weight")
    #expect(map.canonical("body.12.conv.running_mean") == "layers.12.running_mean")
    #expect(map.canonical("body.12.conv") == "body.12.conv")
    #expect(map.canonical("other.weight") == "other.weight")
    #expect(map.canonical("first") == "first")
    #expect(map.canonical("") == "")
    #expect(map.canonical("first.second.weight") == "first.second.weight")
    #expect(map.external("head.bias") == "first.bias")
    #expect(map.external("layers.0.weight") == "body.0.conv.weight")
    #expect(map.external("layers.-1.weight") == "layers.-1.weight")
  }

  /// Each pattern with names that it renames, and names that it leaves alone.
  @Test(arguments: [
    (
      "a{i}", "b{i}", ["a0": "b0", "a17": "b17"], ["a", "a01", "a-1", "a1x", "xa1", "a1073741824"]
    ),
    ("a.{i+1}", "b.{i}", ["a.1": "b.0", "a.30": "b.29"], ["a.0", "a.+1"]),
    ("a.{i-1}", "b.{i}", ["a.0": "b.1", "a.4": "b.5"], ["a.x"]),
    ("a.{2i}", "b.{i}", ["a.0": "b.0", "a.6": "b.3"], ["a.1", "a.7"]),
    ("a.{3i+2}", "b.{2i}", ["a.2": "b.0", "a.8": "b.4"], ["a.0", "a.3", "a.1"]),
    ("{i}.{j}", "{j}-{i}", ["1.2": "2-1"], ["1.", "1.2.3"]),
    ("{i}.{i+1}", "{i}", ["1.2": "1", "9.10": "9"], ["1.1", "2.1"]),
    ("conv_{i+1}x{2k}", "m{k}.{i}", ["conv_3x8": "m4.2"], ["conv_3x7", "conv_0x8"]),
  ])
  func patterns(
    _ external: String, _ canonical: String, _ renamed: [String: String], _ kept: [String]
  ) throws {
    let map = try NameMap("s", pairs: [[external, canonical]])
    for (from, to) in renamed {
      #expect(map.canonical(from + ".weight") == to + ".weight")
      #expect(map.external(to + ".weight") == from + ".weight")
    }
    for name in kept { #expect(map.canonical(name + ".weight") == name + ".weight") }
  }

  @Test func firstPairCounts() throws {
    let map = try NameMap("s", pairs: [["a.{i}", "b.{i}"], ["a.{i+5}", "c.{i}"], ["x", "y"]])
    #expect(map.canonical("a.7.weight") == "b.7.weight")
    #expect(map.external("c.2.weight") == "a.7.weight")
  }

  /// A name that would hold a negative number is no name: the next pair is asked.
  @Test func numbersBelowZero() throws {
    let map = try NameMap("s", pairs: [["a.{i}", "b.{i-3}"], ["a.{i}", "c.{i}"]])
    #expect(map.canonical("a.2.weight") == "c.2.weight")
    #expect(map.canonical("a.3.weight") == "b.0.weight")
    #expect(map.external("b.0.weight") == "a.3.weight")
  }

  @Test(arguments: [
    ("{", "pattern '{': expected '{i}', '{i+1}' or '{2i}', found '{'"),
    ("a{i", "pattern 'a{i': expected '{i}', '{i+1}' or '{2i}', found 'a{i'"),
    ("a{}", "pattern 'a{}': expected '{i}', '{i+1}' or '{2i}', found 'a{}'"),
    ("{2}", "pattern '{2}': expected '{i}', '{i+1}' or '{2i}', found '{2}'"),
    ("{ij}", "pattern '{ij}': expected '{i}', '{i+1}' or '{2i}', found '{ij}'"),
    ("{i*2}", "pattern '{i*2}': expected '{i}', '{i+1}' or '{2i}', found '{i*2}'"),
    ("{0i}", "pattern '{0i}': expected '{i}', '{i+1}' or '{2i}', found '{0i}'"),
    ("{2000i}", "pattern '{2000i}': expected '{i}', '{i+1}' or '{2i}', found '{2000i}'"),
    ("{i+2000}", "pattern '{i+2000}': expected '{i}', '{i+1}' or '{2i}', found '{i+2000}'"),
    (
      "{99999999999999999999i}",
      "pattern '{99999999999999999999i}': expected '{i}', '{i+1}' or '{2i}', "
        + "found '{99999999999999999999i}'"
    ),
    ("{i}{j}", "pattern '{i}{j}': expected a letter between two numbers, found none"),
  ])
  func malformed(_ pattern: String, _ message: String) {
    #expect {
      try NameMap("s", pairs: [[pattern, pattern]])
    } throws: {
      "\($0)" == message
    }
  }

  @Test func pairsThatDoNotFit() {
    func problem(_ pairs: [[String]]) -> String {
      do throws(GraphError) {
        _ = try NameMap("s", pairs: pairs)
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      problem([["a.{i}", "b"]])
        == "name map s: expected the same variables on both sides of 'a.{i}', found 'b'")
    #expect(
      problem([["a.{i}", "b.{j}"]])
        == "name map s: expected the same variables on both sides of 'a.{i}', found 'b.{j}'")
    #expect(problem([["a"]]) == #"name map s: expected pairs of names, found ["a"]"#)
    #expect(
      problem([["a", "b", "c"]]) == #"name map s: expected pairs of names, found ["a", "b", "c"]"#)
    #expect(problem([]) == "none")
  }

  /// Names of any length and content are matched without a trap.
  @Test func hostileNames() throws {
    let map = try NameMap("s", pairs: [["a.{1000i+1000}.{i-1000}", "{i}"]])
    for name in [
      "a.99999999999999999999999999.1.weight", "a.-5.-5.weight", "a..weight", ".", "..", "a.1000.",
      "a.1073741823.1073741823.w", "\u{301}.weight", "a.١٠٠٠.٠.weight",
    ] {
      #expect(map.canonical(name) == name)
      _ = map.external(name)
    }
    #expect(map.external("1073741823.weight") == "a.1073741824000.1073740823.weight")
  }
}
