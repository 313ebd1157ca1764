@testable import AviaryGraph
import Testing

/// JSON values: reading, writing, taking apart.
@Suite struct JSONTests {
  @Test func readsWhatItWrites() throws {
    let value: JSON = [
      "a": [1, -2, 0.5, true, false, "x/y \"z\" \n ü 🐦"], "b": ["c": [:], "d": []], "e": .null,
      "f": .int(.max), "g": .int(.min), "h": 1e-7, "i": 1.7976931348623157e308, "j": 0.1,
    ]
    #expect(try JSON(parsing: value.text) == value)
    #expect(try JSON(parsing: value.prettyText) == value)
  }

  @Test func equalValuesGiveEqualText() {
    let a: JSON = ["b": 1, "a": 2, "c": ["z": 1, "y": 2]]
    #expect(a.text == #"{"a":2,"b":1,"c":{"y":2,"z":1}}"#)
    #expect(a.prettyText.split(separator: "\n").count == 8)
    #expect(JSON.string("a/b").text == #""a/b""#)
  }

  @Test func numbersThatAreNotFiniteBecomeWords() {
    #expect(
      JSON.array([.number(.infinity), .number(-.infinity), .number(.nan)]).text
        == #"["inf","-inf","nan"]"#)
  }

  @Test func access() throws {
    let value = try JSON(
      parsing: #"{"i":3,"n":2.5,"s":"t","b":true,"a":[1,2],"m":[1,"2"],"z":null}"#)
    #expect(value["i"]?.int == 3 && value["i"]?.double == 3)
    #expect(value["n"]?.int == nil && value["n"]?.double == 2.5)
    #expect(value["s"]?.string == "t" && value["b"]?.bool == true)
    #expect(value["a"]?.array?.count == 2 && value["a"]?.ints == [1, 2])
    #expect(value["m"]?.ints == nil && value["m"]?.numbers == nil && value["m"]?.strings == nil)
    #expect(value["none"] == nil && value["z"] == .null && value["i"]?["x"] == nil)
    #expect(value["a"]?.object == nil && value["b"]?.int == nil && value["s"]?.array == nil)
    let kinds = ["i", "n", "s", "b", "a", "z"].map { value[$0]?.kind ?? "" }
    #expect(
      kinds == ["an integer", "a number", "a string", "a truth value", "an array", "null"])
    #expect(value.kind == "an object")
  }

  @Test(arguments: [
    "", " ", "{", "[1,", "{\"a\":}", "nul", "'a'", "{\"a\":1}}", "[1] [2]", "\u{0}", "1e", "+1",
    "[01]",
    "\"\\ud800\"", "{1:2}", "//", "[1e999]",
  ])
  func whatIsNoJSON(_ text: String) {
    do throws(GraphError) {
      let value = try JSON(parsing: text)
      Issue.record("\(value) read from \(text)")
    } catch {
      #expect("\(error)".hasPrefix("JSON expected: "))
      #expect(!"\(error)".contains("\n"))
    }
  }

  @Test func encoding() throws {
    struct Thing: Encodable {
      var a = 1
      var b = [0.5]
    }
    #expect(try JSON(encoding: Thing()) == ["a": 1, "b": [0.5]])
    #expect(throws: GraphError.self) { try JSON(encoding: [Double.nan]) }
  }

  @Test func excerpt() {
    #expect(JSON.int(7).excerpt == "7")
    let long = JSON.string(String(repeating: "x", count: 1_000)).excerpt
    #expect(long.count == 81 && long.hasSuffix("x…"))
  }
}
