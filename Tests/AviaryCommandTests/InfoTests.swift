import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary info")
struct InfoTests {
  @Test("an architecture's facts follow from its graph")
  func facts() throws {
    let info = try Outcome(["info", "fusion-cae:x3"])
    #expect(info.status == 0)
    #expect(info.error == "")
    for line in [
      "fusion-cae:x3  Residual autoencoder that fuses the features of all its levels",
      "Licence        Apache-2.0",
      "               scale         3  (default 2)",
      "Scale          3",
      // 1280 / 3 is no integer; the next even width gives 1284 pixels.
      "multiply-adds for 1284x720 from 428x240",
    ] {
      #expect(info.output.contains(line))
    }
  }

  @Test("JSON has the configuration, what follows from the graph, and the graph")
  func json() throws {
    let info = try Outcome(["info", "srcnn", "--preset", "9-1-5", "--json"]).json()
    #expect(info["preset"] as? String == "9-1-5")
    #expect((info["configuration"] as? [String: Any])?["kernels"] as? [Int] == [9, 1, 5])
    #expect((info["presets"] as? [String: Any])?.count == 3)
    let network = try #require(info["network"] as? [String: Any])
    #expect(network["parameters"] as? Int == 8_129)
    #expect((network["tiling"] as? [String: Any])?["overlap"] as? Int == 6)
    let work = try #require(network["work"] as? [String: Any])
    #expect((work["output"] as? [String: Int]) == ["width": 1280, "height": 720])
    // 64·81 + 32·64 + 25·32 for each pixel.
    #expect(work["multiplyAdds"] as? Double == Double(64 * 81 + 32 * 64 + 25 * 32) * 1280 * 720)
    let graph = try #require(info["graph"] as? [String: Any])
    #expect((graph["nodes"] as? [Any])?.count == 5)
  }

  @Test("members of the configuration can be changed")
  func configuration() throws {
    let info = try Outcome(["info", "srcnn", "--config", #"{"padding": "valid"}"#])
    #expect(info.output.contains("padding     \"valid\"  (default \"same\")"))
    #expect(info.output.contains("at least 17x17; the output 16 pixels smaller"))
  }

  @Test("a checkpoint's card is read without its weights")
  func checkpoint() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    let convert = try Outcome([
      "convert", fixture("weights/whole.pt"), path, "--licence", "MIT", "--note", "A test.",
    ])
    #expect(convert.status == 0)
    let info = try Outcome(["info", path])
    #expect(info.status == 0)
    for line in [
      "Architecture   srcnn", "Parameters     221", "(as stored, not verified)",
      "Licence        MIT", "Notes          A test.", "Provenance     whole.pt (PyTorch zip)",
      #"                 assumed: padding: "same""#,
    ] {
      #expect(info.output.contains(line))
    }
    let json = try Outcome(["info", path, "--json"]).json()
    #expect((json["card"] as? [String: Any])?["licence"] as? String == "MIT")
    #expect((json["graph"] as? [String: Any])?["version"] as? Int == 2)
  }

  @Test("other frameworks' weights are described as what they would be")
  func external() throws {
    let info = try Outcome(["info", fixture("weights/whole.pt")])
    #expect(info.output.contains("File           PyTorch zip"))
    #expect(info.output.contains("               padding: \"same\""))
  }

  @Test(
    "names that are not there",
    arguments: [
      (
        ["fusion-cea"],
        "fusion-cea: no file, checkpoint or architecture has this name; "
          + "did you mean fusion-cae?"
      ),
      (["srcnn:9-9"], "srcnn: no preset '9-9' (it has 9-5-5, 9-3-5, 9-1-5)"),
      (["./nothing.h5"], "./nothing.h5: cannot be read: no such file or directory"),
    ])
  func absent(_ arguments: [String], _ line: String) throws {
    expectFailure(try Outcome(["info"] + arguments), 66, line)
  }

  @Test(
    "configurations that are none",
    arguments: [
      (
        #"{"kernel": 3}"#,
        "srcnn: no option 'kernel' (it has activation, channels, filters, kernels, padding)"
      ),
      (#"{"padding": 3}"#, "srcnn.padding: expected a string, found 3"),
      (#"{"kernels": [3]}"#, "srcnn: filters and kernels: expected 2 and 3, found 2 and 1"),
      (
        #"{"channels": 99999999999}"#,
        "srcnn: channels: expected an integer from 0 to 65536, found 99999999999"
      ),
    ])
  func configurations(_ json: String, _ line: String) throws {
    expectFailure(try Outcome(["info", "srcnn", "--config", json]), 65, line)
  }

  @Test("a file has no presets")
  func notForFiles() throws {
    let path = fixture("weights/whole.pt")
    expectFailure(
      try Outcome(["info", path, "--preset", "9-5-5"]), 64,
      "\(path): --preset cannot be used: it is a file")
  }
}
