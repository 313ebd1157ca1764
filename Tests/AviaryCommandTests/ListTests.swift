import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary list")
struct ListTests {
  @Test("architectures stand in the list with their figures")
  func architectures() throws {
    let list = try Outcome(["list", "--long"])
    #expect(list.status == 0)
    #expect(list.error == "")
    let lines = list.output.split(separator: "\n")
    #expect(lines[0].hasPrefix("NAME                  PARAMETERS  SCALE    PRESETS"))
    // How far the last column is depends on the longest list of presets.
    let row = try #require(lines.first { $0.hasPrefix("srcnn ") })
    #expect(row.hasPrefix("srcnn                     57,281  any      9-5-5, 9-3-5, 9-1-5  "))
    let summary = "Three convolutions on an enlarged image"
    #expect(row.hasSuffix(" " + summary))
    let column = try #require(lines[0].range(of: "SUMMARY")).lowerBound
    #expect(row.count - summary.count == lines[0][..<column].count)
  }

  @Test("without their figures networks are not built")
  func short() throws {
    let lines = try Outcome(["list"]).output.split(separator: "\n")
    #expect(lines[0].hasPrefix("NAME                 PRESETS "))
    let row = try #require(lines.first { $0.hasPrefix("srcnn ") })
    #expect(row.hasPrefix("srcnn                9-5-5, 9-3-5, 9-1-5  "))
    #expect(row.hasSuffix("  Three convolutions on an enlarged image"))
  }

  @Test("a pattern selects")
  func pattern() throws {
    let list = try Outcome(["list", "*cae", "--json"])
    let architectures = try #require(try list.json()["architectures"] as? [[String: Any]])
    #expect(
      architectures.compactMap { $0["name"] as? String }
        == ["fusion-cae", "plain-cae", "residual-cae"])
  }

  @Test("JSON has everything that the table has")
  func json() throws {
    let list = try Outcome(["list", "vdsr", "--json"]).json()
    let vdsr = try #require((list["architectures"] as? [[String: Any]])?.first)
    #expect(vdsr["parameters"] as? Int == 665_921)
    #expect(vdsr["scales"] as? [Int] == [2, 3, 4])
    #expect(vdsr["presets"] as? [String] == ["default"])
    #expect(vdsr["kind"] as? String == "restoration")
    #expect(vdsr["licence"] as? String == "Apache-2.0")
    #expect((vdsr["summary"] as? String)?.isEmpty == false)
    #expect((vdsr["paper"] as? String)?.hasPrefix("https://") == true)
    #expect((list["checkpoints"] as? [Any])?.isEmpty == true)
  }

  @Test("nothing that matches is an error that offers the nearest")
  func noMatch() throws {
    expectFailure(
      try Outcome(["list", "srcn"]), 66,
      "srcn: no file, checkpoint or architecture has this name; "
        + "did you mean srcnn?")
    expectFailure(
      try Outcome(["list", "x*"]), 66,
      "x*: no file, checkpoint or architecture has this name")
  }

  @Test("checkpoints are found by name, and a broken one is warned of")
  func checkpoints() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    #expect(
      try Outcome(["convert", fixture("weights/whole.pt"), path, "--licence", "MIT"]).status == 0)
    let broken = try folder.file("broken.h5", Array("nothing".utf8))
    let environment = ["AVIARY_CHECKPOINTS": folder.path]
    let list = try Outcome(["list", "--json"], environment: environment)
    #expect(list.status == 0)
    #expect(
      list.error
        == "aviary: warning: \(broken): expected a file of weights, found a text file\n")
    let checkpoints = try #require(try list.json()["checkpoints"] as? [[String: Any]])
    #expect(checkpoints.count == 1)
    #expect(checkpoints[0]["name"] as? String == "tiny")
    #expect(checkpoints[0]["architecture"] as? String == "srcnn")
    #expect(checkpoints[0]["licence"] as? String == "MIT")
    #expect(checkpoints[0]["parameters"] as? Int == 221)
    #expect(checkpoints[0]["file"] as? String == path)
    let table = try Outcome(["list", "tiny"], environment: environment).output
    #expect(
      table.split(separator: "\n").last?.hasPrefix("tiny               221  any    srcnn") == true)
  }

  @Test("the table for Markdown has architectures only, each in a row")
  func markdown() throws {
    let folder = try TemporaryFolder()
    #expect(
      try Outcome(["convert", fixture("weights/whole.pt"), folder.file("tiny.h5")]).status == 0)
    let table = try Outcome(
      ["list", "--markdown"], environment: ["AVIARY_CHECKPOINTS": folder.path])
    let lines = table.output.split(separator: "\n")
    #expect(lines[0] == "| Name | Parameters | Scale | Presets | Summary |")
    #expect(lines[1] == "|---|---:|---|---|---|")
    #expect(
      lines.contains {
        $0.hasPrefix("| [`srcnn`](https://arxiv.org/abs/1501.00092) | 57,281 | any |")
      })
    // A preset may be called tiny; the checkpoint of that name has no row.
    #expect(!lines.contains { $0.hasPrefix("| `tiny`") || $0.hasPrefix("| [`tiny`") })
  }
}
