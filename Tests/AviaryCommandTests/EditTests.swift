import AviaryFormats
import AviaryCheckpoint
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary edit")
struct EditTests {
  @Test("halves are halves, and the network stays")
  func cast() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("half.h5")
    let edit = try Outcome(["edit", fixture("weights/whole.pt"), path, "--cast", "float16"])
    #expect(edit.error == "")
    #expect(edit.status == 0)
    #expect(edit.output.contains("Network       srcnn {"))
    let checkpoint = try Checkpoint(contentsOf: path)
    #expect(checkpoint.weights.allSatisfy { $0.tensor.elementType == .float16 })
    #expect(checkpoint.card.provenance.last?.conversions.contains("stored as float16") == true)
    let run = try Outcome([
      "run", path, fixture("pictures/rgb-8.png"), "-o", folder.file("out.png"), "--scale", "2",
    ])
    #expect(run.status == 0)
  }

  @Test("a card states what it is told")
  func card() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("stated.h5")
    let edit = try Outcome([
      "edit", fixture("weights/whole.pt"), path, "--licence", "Apache-2.0", "--note", "First.",
      "--note", "Second.",
    ])
    #expect(edit.error == "")
    let card = try Checkpoint(contentsOf: path).card
    #expect(card.licence == "Apache-2.0")
    #expect(card.notes == ["First.", "Second."])
    #expect(
      card.provenance.last?.conversions.suffix(2)
        == ["licence stated: Apache-2.0", "2 notes added"])
  }

  @Test("two checkpoints of one network are blended; of two networks, nothing is written")
  func interpolate() throws {
    let folder = try TemporaryFolder()
    let whole = folder.file("whole.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), whole]).status == 0)
    var other = try Checkpoint(contentsOf: whole)
    for (name, tensor) in other.weights {
      var moved = tensor
      unsafe moved.withMutableFloats { for i in $0.indices { unsafe $0[i] *= 3 } }
      other.weights[name] = moved
    }
    let (second, path) = (folder.file("other.h5"), folder.file("mixed.h5"))
    try other.write(to: second)
    let edit = try Outcome(["edit", whole, second, path, "--interpolate", "0.25"])
    #expect(edit.error == "")
    #expect(edit.output.contains("interpolated with 0.25 of other.h5"))
    let before = try Checkpoint(contentsOf: whole).weights
    for (name, tensor) in try Checkpoint(contentsOf: path).weights {
      let found = try #require(before[name])
      #expect(zip(tensor.floats, found.floats).allSatisfy { abs($0 - 1.5 * $1) <= 1e-6 * abs($1) })
    }
    for (arguments, problem) in [
      ([whole, second, "--interpolate", "0.5"], "aviary edit A B OUT --interpolate SHARE"),
      ([whole, second, path], "nothing to do"),
      ([whole, second, path, "--cast", "float16"], "expected one checkpoint to write"),
      ([whole, second, path, "--interpolate", "half"], "expected a number"),
      (
        [whole, second, path, "--interpolate", "0.5", "--merge", "\(second):0.1"],
        "--interpolate and --merge are one operation"
      ),
    ] {
      let outcome = try Outcome(["edit"] + arguments)
      #expect(outcome.status == 64)
      #expect(outcome.error.contains(problem), "\(outcome.error)")
    }
    let stranger = folder.file("fsrcnn.h5")
    let network = try Registry.builtin["fsrcnn"].network()
    let weights = randomWeights(for: network.graph, seed: 1)
    try Model(
      network,
      weights: NamedTensors(
        network.graph.parameters.compactMap { parameter in
          weights[parameter.name].map { (parameter.name, $0) }
        })
    ).checkpoint.write(to: stranger)
    let target = folder.file("none.h5")
    let refused = try Outcome(["edit", whole, stranger, target, "--interpolate", "0.5"])
    #expect(refused.status == 65)
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test("interpolation is the weighted mean")
  func merge() throws {
    let folder = try TemporaryFolder()
    let whole = folder.file("whole.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), whole]).status == 0)
    var other = try Checkpoint(contentsOf: whole)
    for (name, tensor) in other.weights {
      var moved = tensor
      unsafe moved.withMutableFloats { for i in $0.indices { unsafe $0[i] += 1 } }
      other.weights[name] = moved
    }
    try other.write(to: folder.file("other.h5"))
    let path = folder.file("mixed.h5")
    let edit = try Outcome(["edit", whole, path, "--merge", "\(folder.file("other.h5")):0.25"])
    #expect(edit.error == "")
    #expect(edit.output.contains("interpolated with 0.25 of other.h5"))
    let (before, after) = try (
      Checkpoint(contentsOf: whole).weights, Checkpoint(contentsOf: path).weights
    )
    for (name, tensor) in before {
      let mixed = try #require(after[name])
      for (a, b) in zip(tensor.floats, mixed.floats) { #expect(abs(b - a - 0.25) < 1e-6) }
    }
  }

  @Test("a renamed network runs as before")
  func rename() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("renamed.h5")
    let edit = try Outcome([
      "edit", fixture("weights/whole.pt"), path, "--rename", "conv{i}=layers.{i-1}",
    ])
    #expect(edit.error == "")
    #expect(edit.status == 0)
    let names = try Checkpoint(contentsOf: path).weights.names
    #expect(names.first == "layers.0.weight")
    for (file, picture) in [(path, "b.png"), (fixture("weights/whole.pt"), "a.png")] {
      let run = try Outcome(
        [
          "run", file, fixture("pictures/rgb-8.png"), "-o", folder.file(picture), "--scale", "2",
          "--quiet", "--input", "luma",
        ].filter { file != path || ($0 != "--input" && $0 != "luma") })
      #expect(run.status == 0, "\(run.error)")
    }
    #expect(
      try bytes(folder.file("a.png")) == bytes(folder.file("b.png")))
  }

  @Test("what is left out is left out, and the network said to be no longer whole")
  func drop() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("bare.h5")
    let edit = try Outcome(["edit", fixture("weights/whole.pt"), path, "--drop", "conv3.*"])
    #expect(edit.status == 0)
    #expect(edit.output.contains("2 tensors 'conv3.*' left out"))
    #expect(edit.output.contains("Network       none that is known"))
    let checkpoint = try Checkpoint(contentsOf: path)
    #expect(checkpoint.weights.count == 4)
    #expect(checkpoint.graph == nil)
    // Without a network it can be compared and edited on.
    let diff = try Outcome(["diff", fixture("weights/whole.pt"), path])
    #expect(diff.status == 1)
    #expect(diff.output.contains("4 tensors equal, 0 different, 2 only in A"), "\(diff.output)")
    #expect(try Outcome(["edit", path, folder.file("more.h5"), "--drop", "conv2.*"]).status == 0)
  }

  @Test("neither the input nor what is merged is overwritten")
  func overwriting() throws {
    let folder = try TemporaryFolder()
    let (whole, other) = (folder.file("whole.h5"), folder.file("other.h5"))
    for path in [whole, other] {
      #expect(try Outcome(["convert", fixture("weights/whole.pt"), path]).status == 0)
    }
    let before = try bytes(whole)
    for output in [whole, other] {
      expectFailure(
        try Outcome(["edit", whole, output, "--merge", "\(other):0.5", "--force"]), 73,
        "\(output): would overwrite an input; name another output")
    }
    #expect(try bytes(whole) == before)
    #expect(try bytes(other) == before)
  }

  static let wrong: [([String], Int32, String)] = [
    (
      [], 64,
      "nothing to do; give --rename, --drop, --cast, --interpolate, --merge, --licence or --note"
    ),
    (["--drop", "*"], 65, "no tensor would be left"),
    (["--drop", "x*"], 65, "no tensor matches 'x*'"),
    (["--rename", "conv{i}=layer"], 65, "expected the same variables on both sides of 'conv{i}'"),
    (["--rename", "x=y"], 65, "no layer would be renamed"),
    (["--rename", "conv1=conv2"], 65, "two tensors would have the name"),
    (["--cast", "int8"], 64, "expected one of float32, float16, bfloat16"),
    (["--merge", "other.h5"], 64, "expected file:share, such as other.h5:0.5"),
    (["--merge", fixture("weights/missing.pt") + ":0.5"], 65, "has no conv3.bias, which"),
  ]

  @Test("changes that cannot be made", arguments: wrong)
  func refused(_ options: [String], _ status: Int32, _ problem: String) throws {
    let folder = try TemporaryFolder()
    let edit = try Outcome(
      ["edit", fixture("weights/whole.pt"), folder.file("out.h5")] + options)
    #expect(edit.status == status)
    #expect(edit.error.contains(problem), "\(edit.error)")
    #expect(edit.error.split(separator: "\n").count == 1)
    #expect(try folder.names == [])
  }
}
