import AviaryFiles
import Testing

/// Text that is safe on a terminal.
@Suite struct PrintableTextTests {
  @Test("JSON means the same, and moves no cursor") func json() {
    #expect("{\n  \"a\": \"ä\"\n}".escapedJSON == "{\n  \"a\": \"ä\"\n}")
    #expect("\u{9B}2J".escapedJSON == "\\u009b2J")
    #expect("\u{202E}evil\u{2069}".escapedJSON == "\\u202eevil\\u2069")
    #expect("\u{7F}\u{2028}".escapedJSON == "\\u007f\\u2028")
    // Beyond 16 bits, as two units of UTF-16.
    #expect("\u{E0041}".escapedJSON == "\\udb40\\udc41")
  }

  @Test("a line stays a line") func line() {
    #expect("a\nb\u{1B}[1m".printable == "a b\\u{1b}[1m")
  }
}
