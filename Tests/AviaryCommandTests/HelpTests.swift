import Testing

@Suite("Help, version, completions")
struct HelpTests {
  static let commands = [
    "list", "info", "inspect", "convert", "diff", "edit", "quantize", "train", "plot", "run",
    "eval", "compare", "bench", "formats", "video",
  ]

  @Test("every command explains itself with examples", arguments: commands)
  func explains(_ command: String) throws {
    let help = try Outcome([command, "--help"])
    #expect(help.status == 0)
    #expect(help.error == "")
    #expect(help.output.contains("EXAMPLES\n  aviary \(command)"))
    #expect(help.output.contains("USAGE: aviary \(command)"))
  }

  @Test("the program alone explains itself and its exit status")
  func overview() throws {
    let help = try Outcome([])
    #expect(help.status == 0)
    #expect(help.output == (try Outcome(["--help"]).output))
    for line in ["0    success", "65   invalid or damaged file", "AVIARY_CHECKPOINTS"] {
      #expect(help.output.contains(line))
    }
  }

  @Test("the version is one line")
  func version() throws {
    #expect(try Outcome(["--version"]).output == "0.3.0\n")
  }

  @Test("completions know commands, options and their values", arguments: ["bash", "zsh", "fish"])
  func completions(_ shell: String) throws {
    let script = try Outcome(["--generate-completion-script", shell])
    #expect(script.status == 0)
    for word in Self.commands + ["unrounded-luma", "ycbcr-jpeg"] {
      #expect(script.output.contains(word))
    }
  }

  static let misunderstood: [([String], String)] = [
    (["lst"], "Unexpected argument 'lst' (see aviary --help)"),
    (["run", "bicubic"], "Missing expected argument '<input> ...' (see aviary run --help)"),
    (
      ["run", "bicubic", "a.png"],
      "Missing expected argument '--output <out>' (see aviary run --help)"
    ),
    (
      ["list", "--jsn"], "Unknown option '--jsn'. Did you mean '--json'? (see aviary list --help)"
    ),
    (
      ["list", "--json", "--markdown"],
      "--json and --markdown exclude each other; give one of them (see aviary list --help)"
    ),
    (
      ["run", "bicubic", "a.png", "-o", "b.png", "--memory", "much"],
      "The value 'much' is invalid for '--memory <size>' (see aviary run --help)"
    ),
    (
      ["run", "bicubic", "a.png", "-o", "b.png", "--threads", "0"],
      "--threads: expected 1 to 1024, found 0 (see aviary run --help)"
    ),
    (
      ["convert", "a.pt", "b.h5", "--input", "cmyk"],
      "The value 'cmyk' is invalid for '--input <image>': expected one of rgb, rgba, gray, luma, "
        + "ycbcr, ycbcr-jpeg (see aviary convert --help)"
    ),
    (
      ["train"],
      "Missing expected argument '<recipe>', '--resume <run>' or '--from <weights>' (see aviary train --help)"
    ),
    (
      ["train", "srcnn", "--losses", "l1, {kind: ssim, weight: x}"],
      "--losses[1].weight: expected a number from 0 to 1000000, found x (see aviary train --help)"
    ),
    (
      ["train", "srcnn", "--learning-rete", "1"],
      "Unknown option '--learning-rete'. Did you mean '--learning-rate'? (see aviary train --help)"
    ),
    (
      ["info", "srcnn", "--config", "[]"],
      "The value '[]' is invalid for '--config <json>': configuration: expected an object, "
        + "found an array (see aviary info --help)"
    ),
  ]

  @Test(
    "a command line that cannot be understood is one line and status 64", arguments: misunderstood)
  func usage(_ arguments: [String], _ line: String) throws {
    expectFailure(try Outcome(arguments), 64, line)
  }

  @Test("a result that cannot be printed is no success")
  func fullOutput() throws {
    let outcome = try Outcome(["list"], after: "exec 1>/dev/full")
    expectFailure(
      outcome, 73, "standard output: cannot be written: no space left on device")
  }
}
