import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary convert")
struct ConvertTests {
  @Test("what was done is reported, and kept in the card")
  func report() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    let convert = try Outcome([
      "convert", fixture("weights/whole.pt"), path, "--input", "gray", "--scale", "3",
      "--licence", "MIT", "--json",
    ])
    #expect(convert.status == 0)
    #expect(convert.errorWithoutProbe == "")
    #expect(convert.error.contains("the result for a natural image is the same value everywhere"))
    let json = try convert.json()
    let report = try #require(json["report"] as? [String: Any])
    #expect(report["architecture"] as? String == "srcnn")
    #expect((report["applied"] as? [String])?.count == 6)
    #expect(
      report["assumed"] as? [String] == [
        #"activation: "relu""#, #"padding: "same""#, "picture.range: [0,1]",
      ])
    #expect(report["missing"] as? [String] == [])
    #expect(report["unused"] as? [String] == [])
    let picture = try #require(json["picture"] as? [String: Any])
    #expect(picture["colour"] as? String == "gray")
    #expect(picture["scales"] as? [Int] == [3])
    let card = try #require(json["card"] as? [String: Any])
    #expect(card["licence"] as? String == "MIT")
    let step = try #require((card["provenance"] as? [[String: Any]])?.first)
    #expect(step["file"] as? String == "whole.pt")
    #expect(
      step["assumptions"] as? [String] == [
        #"activation: "relu""#, #"padding: "same""#, "picture.range: [0,1]",
        #"image: {"colour":"gray"} (stated)"#,
        "scale: 3 (stated)",
      ])
  }

  @Test("a network without weights, which Keras has constant kernels for, is written and read")
  func noWeights() throws {
    let folder = try TemporaryFolder()
    var source = fixture("onnx/space-to-depth.onnx")
    for name in ["a.h5", "b.keras", "c.h5"] {
      let target = folder.file(name)
      let convert = try Outcome(["convert", source, target])
      #expect(convert.status == 0, "\(convert.error)")
      source = target
    }
  }

  @Test("for people: the report in lines")
  func text() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    let convert = try Outcome(["convert", fixture("weights/whole.pt"), path])
    for line in [
      "\(fixture("weights/whole.pt")) -> \(path)", "Recognised by  names and shapes",
      "Applied        6 of 6 parameters",
      #"Assumed        activation: "relu" (--config '{"activation": "tanh"}' changes it, and the "#
        + "result for a natural image by up to 1 of 255)", #"               padding: "same""#,
      #"               picture.colour: "luma""#, "Licence        not stated (--licence)",
      "Written as     aviary", "(read back)",
    ] {
      #expect(convert.output.contains(line))
    }
  }

  @Test("a scale that no shape shows is what the user says")
  func scale() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("fsrcnn.h5")
    let weights = fixture("architectures/fsrcnn.x3/weights.pt")
    let convert = try Outcome(["convert", weights, path, "--scale", "3", "--json"])
    #expect(convert.status == 0)
    #expect((try convert.json()["configuration"] as? [String: Any])?["scale"] as? Int == 3)
    let run = try Outcome([
      "run", weights, fixture("pictures/rgb-8.png"), "-o", folder.file("out.png"), "--scale", "3",
      "--quiet",
    ])
    #expect(run.error == "")
    #expect(run.status == 0)
  }

  @Test("a file that is there is replaced only with --force, and in one step")
  func force() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("tiny.h5", Array("precious".utf8))
    expectFailure(
      try Outcome(["convert", fixture("weights/whole.pt"), path]), 73,
      "\(path): already exists; use --force to overwrite it")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), path, "--force"]).status == 0)
    #expect(try Outcome(["inspect", path, "--verify"]).status == 0)
    #expect(try folder.names == ["tiny.h5"])
  }

  @Test("an input is never overwritten, and a folder is no file")
  func overwriting() throws {
    let folder = try TemporaryFolder()
    let weights = try folder.file("w.pt", bytes(fixture("weights/whole.pt")))
    let link = folder.file("link.pt")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "w.pt")
    for output in [weights, link] {
      for options in [[], ["--force"]] {
        expectFailure(
          try Outcome(["convert", weights, output, "--to", "aviary"] + options), 73,
          "\(output): would overwrite an input; name another output")
      }
    }
    #expect(try bytes(weights) == bytes(fixture("weights/whole.pt")))
    try folder.makeFolder("d.keras")
    for options in [[], ["--force"]] {
      expectFailure(
        try Outcome(["convert", weights, folder.file("d.keras")] + options), 73,
        "\(folder.file("d.keras")): is a folder; name a file to write")
    }
  }

  @Test("what our own record says of images is no assumption")
  func recordedImage() throws {
    let folder = try TemporaryFolder()
    let (own, torch) = (folder.file("a.h5"), folder.file("a.pt"))
    let first = try Outcome(["convert", fixture("weights/whole.pt"), own, "--input", "gray"])
    #expect(first.status == 0, "\(first.error)")
    #expect(try Outcome(["convert", own, torch]).status == 0)
    let back = try Outcome(["convert", torch, folder.file("b.h5"), "--json"]).json()
    #expect((back["report"] as? [String: Any])?["assumed"] as? [String] == [])
    #expect((back["picture"] as? [String: Any])?["colour"] as? String == "gray")
  }

  @Test("a checkpoint is written again with what is stated changed")
  func restated() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    let first = try Outcome(["convert", fixture("weights/whole.pt"), path, "--json"]).json()
    let second = try Outcome([
      "convert", path, folder.file("gray.h5"), "--input", "gray", "--note", "Gray after all.",
      "--json",
    ]).json()
    #expect(second["contentHash"] as? String == first["contentHash"] as? String)
    #expect((second["picture"] as? [String: Any])?["colour"] as? String == "gray")
    let card = try #require(second["card"] as? [String: Any])
    #expect(card["notes"] as? [String] == ["Gray after all."])
    let steps = try #require(card["provenance"] as? [[String: Any]])
    #expect(steps.map { $0["format"] as? String } == ["PyTorch zip", "Aviary checkpoint"])
    expectFailure(
      try Outcome(["convert", path, folder.file("other.h5"), "--as", "srcnn"]), 64,
      "\(path): --as cannot be used: a checkpoint holds its own network")
  }

  @Test("weights that lack something become a checkpoint only if the user says so")
  func allowMissing() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    let convert = try Outcome([
      "convert", fixture("weights/missing.pt"), path, "--allow-missing", "--as", "srcnn",
      "--config", #"{"filters": [2, 2], "kernels": [9, 1, 5]}"#, "--json",
    ])
    #expect(convert.error == "")
    #expect(convert.status == 0)
    let report = try #require(try convert.json()["report"] as? [String: Any])
    #expect(report["missing"] as? [String] == ["conv3.bias"])
  }

  @Test("NaN weights are warned of, also when quiet, and converted all the same")
  func notANumber() throws {
    let folder = try TemporaryFolder()
    let input = fixture("weights/not-a-number.pt")
    let convert = try Outcome(["convert", input, folder.file("tiny.h5"), "--quiet", "--json"])
    #expect(convert.status == 0)
    #expect(
      convert.error == "aviary: warning: \(input): there are NaN or infinite weights "
        + "in conv2.weight\n")
    let export = try #require(try convert.json()["export"] as? [String: Any])
    #expect(export["notFinite"] as? [String] == ["conv2.weight"])
  }

  static let wrong: [([String], Int32, String)] = [
    (
      ["--input", "rgb"], 69, "srcnn: expected a colour space of 1 channel, found rgb"
    ),
    (["--scale", "0"], 69, "srcnn: expected scale 1 to 64, found 0"),
    (
      ["--as", "srcn"], 66, "srcn: no such architecture; did you mean srcnn?"
    ),
    (
      ["--config", #"{"depth": 3}"#, "--as", "srcnn"], 65,
      "srcnn: no option 'depth' (it has activation, channels, filters, kernels, padding)"
    ),
  ]

  @Test("statements that do not fit the network", arguments: wrong)
  func statements(_ options: [String], _ status: Int32, _ line: String) throws {
    let folder = try TemporaryFolder()
    expectFailure(
      try Outcome(["convert", fixture("weights/whole.pt"), folder.file("tiny.h5")] + options),
      status, line)
    #expect(try folder.names == [])
  }

  @Test("the output's name says its format, or --to; a name that says nothing is refused")
  func formats() throws {
    let folder = try TemporaryFolder()
    let weights = fixture("weights/whole.pt")
    for (name, format) in [
      ("a.keras", "kerasArchive"), ("a.weights.h5", "kerasWeightsHDF5"), ("a.pt", "torchZip"),
      ("a.safetensors", "safetensors"), ("a.onnx", "onnx"), ("a.h5", "aviaryCheckpoint"),
    ] {
      #expect(try Outcome(["convert", weights, folder.file(name)]).status == 0)
      let json = try Outcome(["inspect", folder.file(name), "--json"]).json()
      #expect(json["format"] as? String == format)
    }
    let keras = try Outcome(["convert", weights, folder.file("b.h5"), "--to", "keras-h5"])
    #expect(keras.output.contains("outputs for an image of"))
    let json = try Outcome(["inspect", folder.file("b.h5"), "--json"]).json()
    #expect(json["format"] as? String == "kerasHDF5")
    expectFailure(
      try Outcome(["convert", weights, folder.file("model")]), 64,
      "\(folder.file("model")): the name does not say the format; end it in .h5, .keras, "
        + ".weights.h5, .pt, .pth, .safetensors or .onnx, or use --to")
  }

  @Test("a PyTorch file comes with its module where that is asked for, and nothing else does")
  func module() throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome([
      "convert", fixture("weights/whole.pt"), folder.file("a.pt"), "--module", folder.file("a.py"),
    ])
    #expect(convert.errorWithoutProbe == "")
    let source = try String(contentsOfFile: folder.file("a.py"), encoding: .utf8)
    #expect(source.contains("class Srcnn(nn.Module):"))
    #expect(source.contains("a.pt"))
    expectFailure(
      try Outcome([
        "convert", fixture("weights/whole.pt"), folder.file("a.onnx"), "--module",
        folder.file("b.py"),
      ]), 64, "\(folder.file("a.onnx")): --module cannot be used: it is not a PyTorch file")
  }

  @Test("rules in a file rename layers before anything is recognised")
  func map() throws {
    let folder = try TemporaryFolder()
    let strange = folder.file("strange.h5")
    let edit = try Outcome([
      "edit", fixture("weights/whole.pt"), strange, "--rename", "conv{i}=stage_{i-1}_op",
    ])
    #expect(edit.status == 0)
    let weights = folder.file("strange.safetensors")
    #expect(try Outcome(["convert", strange, weights]).status == 0)
    let rules = try folder.file(
      "rules.json", Array(#"[["stage_{i}_op", "conv{i+1}"]]"#.utf8))
    let convert = try Outcome([
      "convert", weights, folder.file("a.h5"), "--map", rules, "--as", "srcnn", "--json",
    ])
    #expect(convert.errorWithoutProbe == "")
    #expect(try convert.json()["architecture"] as? String == "srcnn")
    let bad = try folder.file("bad.json", Array(#"{"a": "b"}"#.utf8))
    expectFailure(
      try Outcome(["convert", weights, folder.file("b.h5"), "--map", bad]), 65,
      "\(bad): expected an array of pairs of names, found an object")
  }

  @Test("how images are fed can be stated as members of the image")
  func picture() throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome([
      "convert", fixture("weights/whole.pt"), folder.file("a.h5"), "--json", "--input",
      #"{"colour": "gray", "range": [0, 255]}"#,
    ])
    let picture = try #require(try convert.json()["picture"] as? [String: Any])
    #expect(picture["colour"] as? String == "gray")
    #expect(picture["range"] as? [Double] == [0, 255])
    #expect(picture["enlargeFirst"] as? String == "bicubic")
  }

  @Test("a network that a format cannot express is refused with the reason, and nothing is written")
  func inexpressible() throws {
    let folder = try TemporaryFolder()
    let plugin = fixture("plugins/soft-cubic.json")
    let convert = try Outcome([
      "convert", fixture("weights/wrong-shape.pt"), folder.file("a.keras"), "--plugin", plugin,
    ])
    #expect(convert.status == 65)
    #expect(convert.error.contains("input channels: deduced 2, found 3"))
    #expect(try folder.names == [])
  }

  @Test("a module is written over neither input nor output")
  func moduleOverWeights() throws {
    let folder = try TemporaryFolder()
    let weights = try folder.file("w.pth", bytes(fixture("weights/whole.pt")))
    for (module, problem) in [
      (weights, "would overwrite an input; name another output"),
      (folder.file("o.pt"), "two outputs would be written there, the second for --module"),
    ] {
      expectFailure(
        try Outcome(["convert", weights, folder.file("o.pt"), "--module", module, "--force"]), 73,
        "\(module): \(problem)")
    }
    expectFailure(
      try Outcome([
        "convert", weights, folder.file("o.pt"), "--module", folder.file("absent/m.py"),
      ]), 73,
      "\(folder.file("absent/m.py")): cannot be written: there is no folder \(folder.path)/absent")
    #expect(try folder.names == ["w.pth"])
  }

  @Test("rules that give two tensors one name are refused")
  func collidingRules() throws {
    let folder = try TemporaryFolder()
    let rules = try folder.file("rules.json", Array(#"[["conv1", "conv2"]]"#.utf8))
    let weights = fixture("weights/whole.pt")
    expectFailure(
      try Outcome(["convert", weights, folder.file("a.h5"), "--map", rules]), 65,
      "\(weights): two tensors would have the name 'conv2.bias'")
  }

  @Test("of another network's weights nothing is left, also with --allow-missing")
  func nothingFits() throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome([
      "convert", fixture("weights/whole.pt"), folder.file("a.h5"), "--as", "fusion-cae",
      "--allow-missing",
    ])
    #expect(convert.status == 65)
    #expect(convert.error.contains("missing head.weight"), "\(convert.error)")
    #expect(try folder.names == [])
  }

  @Test("statements without effect are said to have none")
  func withoutEffect() throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome([
      "convert", fixture("weights/whole.pt"), folder.file("a.h5"), "--theano-kernels",
      "--shuffle-order", "tensorflow",
    ])
    #expect(convert.status == 0)
    for option in ["--theano-kernels", "--shuffle-order"] {
      #expect(convert.output.contains("\(option) without effect"))
    }
  }
}
