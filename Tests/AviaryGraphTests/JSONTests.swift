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
    ("", "line 1, column 1: expected a value, found the end"),
    ("\n\n {", "line 3, column 3: expected a member's name, found the end"),
    ("[1,", "line 1, column 4: expected a value, found the end"),
    ("[1,]", "line 1, column 4: expected a value, found ']'"),
    ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
    ("{\"a\":1,}", "line 1, column 8: expected a member's name, found '}'"),
    ("{\"a\" 1}", "line 1, column 6: expected ':', found '1'"),
    ("{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', found '\"'"),
    ("{\"a\":1,\n \"a\":2}", "line 2, column 2: expected a name of its own, found '\"'"),
    ("[1] [2]", "line 1, column 5: expected the end, found '['"),
    ("nul", "line 1, column 1: expected a value, found 'n'"),
    ("ünd", "line 1, column 1: expected a value, found 'ü'"),
    ("\u{0}", "line 1, column 1: expected a value, found a control character"),
    (
      "\"a\nb\"",
      "line 1, column 3: expected an escaped control character, found the end of the line"
    ),
    ("\"a", "line 1, column 3: expected '\"', found the end"),
    ("\"\\x\"", "line 1, column 3: expected an escape, found 'x'"),
    ("\"\\u12\"", "line 1, column 3: expected an escape, found 'u'"),
    ("\"\\u+123\"", "line 1, column 3: expected an escape, found 'u'"),
    ("\"\\ud800\"", "line 1, column 3: expected a whole character, found 'u'"),
    ("\"\\ud800\\u0041\"", "line 1, column 3: expected a whole character, found 'u'"),
    ("\"\\udc00\"", "line 1, column 3: expected a whole character, found 'u'"),
    ("01", "line 1, column 3: expected a number, found the end"),
    ("-", "line 1, column 2: expected a number, found the end"),
    ("1.", "line 1, column 3: expected a digit, found the end"),
    ("1e+", "line 1, column 4: expected a digit, found the end"),
    ("[1e999]", "line 1, column 2: expected a number that fits into 64 bits, found '1'"),
    (
      String(repeating: "[", count: 129),
      "line 1, column 129: expected at most 128 levels, found '['"
    ),
  ])
  func whereItStopsBeingJSON(_ text: String, _ message: String) {
    do throws(GraphError) {
      let value = try JSON(parsing: text)
      Issue.record("\(value) read from \(text)")
    } catch {
      #expect("\(error)" == "invalid JSON: " + message)
    }
  }

  @Test(
    arguments: [
      ("0", JSON.int(0)), ("-0", 0), ("12", 12), ("1.0", 1), ("1e3", 1_000), ("-2.5E+1", -25),
      ("25e-1", 2.5), ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
      ("9223372036854775808", .number(0x1p63)), ("1e300", 1e300),
      ("9007199254740993", .int(9_007_199_254_740_993)),
      ("0.1", 0.1), ("1e-400", .int(0)),
      (#""\u00fc\u20ac\ud83d\udc26\/\b\f\n\r\t\"\\""#, "ü€🐦/\u{8}\u{C}\n\r\t\"\\"),
      (" [ ] ", []), ("{ }", [:]), ("\t[ 1 ,\r\n{ \"a\" : null } ]", [1, ["a": .null]]),
    ] as [(String, JSON)])
  func values(_ text: String, _ value: JSON) throws {
    #expect(try JSON(parsing: text) == value)
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
      #expect("\(error)".hasPrefix("invalid JSON: "))
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
    let wide = JSON.array([JSON](repeating: ["a": 1], count: 1_000)).excerpt
    #expect(wide.count == 81 && wide.hasPrefix(#"[{"a":1},{"a":1},"#))
  }
}
