import AviaryTestSupport
import Foundation
import Testing

/// No time is asserted: what is counted, how it is laid out, and what is refused.
@Suite("aviary bench")
struct BenchTests {
  @Test("facts of an architecture with random weights, and its steps")
  func text() throws {
    let bench = try Outcome(["bench", "srcnn:9-1-5", "--size", "40x32", "--runs", "2", "--layers"])
    #expect(bench.status == 0)
    #expect(bench.error == "")
    for line in [
      "Model          srcnn:9-1-5 (random weights)", "Input          image 1x1x32x40",
      "Output         output 1x1x32x40", "ms, the median of 2 (",
      // (64·81 + 32·64 + 25·32) · 32 · 40
      "Multiply-adds  10.3 M", "% of it reached", "between inputs and outputs", "Planning",
      "STEP", "GMAC/S", "conv1", "conv3",
    ] {
      #expect(bench.output.contains(line), "\(line) in \(bench.output)")
    }
  }

  @Test("JSON has every figure, and layers whose work adds up")
  func json() throws {
    let bench = try Outcome([
      "bench", "fusion-cae:small", "--size", "32x24", "--batch", "2", "--threads", "1", "--runs",
      "1", "--exact", "--layers", "--json",
    ]).json()
    #expect(bench["model"] as? String == "fusion-cae:small")
    #expect(bench["exact"] as? Bool == true)
    #expect(bench["threads"] as? Int == 1)
    #expect(bench["precision"] as? String == "float32")
    let inputs = try #require(bench["inputs"] as? [[String: Any]])
    #expect(inputs.map { $0["shape"] as? [Int] } == [[2, 3, 24, 32]])
    let outputs = try #require(bench["outputs"] as? [[String: Any]])
    #expect(outputs.map { $0["shape"] as? [Int] } == [[2, 3, 48, 64]])
    let times = try #require(bench["milliseconds"] as? [String: Double])
    #expect(times["median"] == times["fastest"] && times["median"] == times["slowest"])
    let peak = try #require(bench["peak"] as? [String: Any])
    #expect(try #require(peak["gmacPerSecond"] as? Double) > 0)
    let work = try #require(bench["multiplyAdds"] as? Double)
    let layers = try #require(bench["layers"] as? [[String: Any]])
    #expect(layers.compactMap { $0["multiplyAdds"] as? Double }.reduce(0, +) == work)
    #expect(!layers.contains { ($0["operation"] as? String)?.contains("winograd") ?? true })
    let shares = layers.compactMap { $0["share"] as? Double }.reduce(0, +)
    #expect(abs(shares - 1) < 1e-9)
  }

  @Test("a training is three times the work, and has no outputs")
  func training() throws {
    func work(_ options: [String]) throws -> (Double, Int) {
      let json = try Outcome(
        ["bench", "residual-cae", "--size", "16x16", "--runs", "1", "--json"] + options
      ).json()
      return (
        try #require(json["multiplyAdds"] as? Double), (json["outputs"] as? [Any])?.count ?? -1
      )
    }
    let (inference, one) = try work([])
    let (training, none) = try work(["--training"])
    #expect(training == 3 * inference)
    #expect((one, none) == (1, 0))
  }

  @Test("a checkpoint, external weights, and networks that take other sizes")
  func models() throws {
    let external = try Outcome([
      "bench", fixture("weights/whole.pt"), "--size", "20x20", "--runs", "1",
    ])
    #expect(external.status == 0)
    #expect(external.output.contains("(srcnn, its own weights)"))
    #expect(external.error.contains("taken for srcnn"))
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), path]).status == 0)
    let checkpoint = try Outcome(["bench", path, "--size", "20x20", "--runs", "1"])
    #expect(checkpoint.status == 0)
    #expect(checkpoint.error == "")
    let interpolation = try Outcome(["bench", "bicubic:x3", "--size", "20x10", "--runs", "1"])
    #expect(interpolation.output.contains("bicubic:x3 (no weights)"))
    #expect(interpolation.output.contains("Output         output 1x3x30x60"))
  }

  static let refused: [([String], Int32, String)] = [
    (
      ["fusion-cea"], 66,
      "fusion-cea: no file, checkpoint or architecture has this name; "
        + "did you mean fusion-cae?"
    ),
    (["srcnn:9-9"], 66, "srcnn: no preset '9-9' (it has 9-5-5, 9-3-5, 9-1-5)"),
    (
      ["srcnn", "--config", #"{"kernel": 3}"#], 65,
      "srcnn: no option 'kernel' (it has activation, channels, filters, kernels, padding)"
    ),
    (
      ["srcnn", "--runs", "0"], 64,
      "--runs: expected 1 to 100000, found 0 (see aviary bench --help)"
    ),
    (
      ["srcnn", "--batch", "99999"], 64,
      "--batch: expected 1 to 65536, found 99999 (see aviary bench --help)"
    ),
    (
      ["srcnn", "--size", "12"], 64,
      "The value '12' is invalid for '--size <width x height>': expected a size such as 640x480 "
        + "(see aviary bench --help)"
    ),
    (["fusion-cae", "--size", "33x32"], 65, ""),
    (["fusion-cae", "--size", "1000000x1000000"], 69, ""),
  ]

  @Test("what cannot be timed is said in a line", arguments: refused)
  func refusals(_ arguments: [String], _ status: Int32, _ line: String) throws {
    let outcome = try Outcome(["bench"] + arguments)
    guard line.isEmpty else { return expectFailure(outcome, status, line) }
    #expect(outcome.status == status)
    #expect(outcome.output == "")
    #expect(outcome.error.split(separator: "\n").count == 1)
  }
}
