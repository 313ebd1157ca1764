import AviaryCheckpoint
import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// Optimisers' states on the way through `convert` and `edit`.
///
/// With AVIARY_OPTIMIZER_FOLDER the training checkpoints stay there, for PyTorch itself to load:
/// Tests/Fixtures/optimizer/check.py.
@Suite("optimisers' states, converted")
struct OptimizerConversionTests {
  @Test(
    "by a checkpoint to a training checkpoint and nothing is lost",
    arguments: [
      "adam.pt", "lightning.pt", "old.pt", "sgd.pt", "named.pt", "three.keras", "three.weights.h5",
      "three.h5", "two.h5", "two.keras", "two-legacy.h5", "sgd.keras",
    ])
  func roundTrip(file: String) throws {
    let folder = try TemporaryFolder()
    let (first, second) = (folder.file("first.h5"), folder.file("second.h5"))
    let kept = ProcessInfo.processInfo.environment["AVIARY_OPTIMIZER_FOLDER"]
    if let kept {
      try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
    }
    let name = file.hasSuffix(".pt") ? file : file + ".pt"
    let written = kept.map { "\($0)/\(name)" } ?? folder.file(name)
    for arguments in [
      [fixture("optimizer/" + file), first], [first, second],
      [second, written, "--training", "--force"],
    ] {
      let convert = try Outcome(["convert"] + arguments)
      #expect(convert.errorWithoutProbe == "")
      #expect(convert.output.contains("Optimiser"))
      #expect(!convert.output.contains("Left behind"))
    }
    let original = try #require(try WeightsFile.read(fixture("optimizer/" + file)).optimizer)
    let checkpoint = try #require(try CheckpointFile(first).training?.optimizer)
    let rewritten = try #require(try CheckpointFile(second).training?.optimizer)
    let result = try #require(try WeightsFile.read(written).optimizer)
    #expect(checkpoint.tensors.names == rewritten.tensors.names)
    #expect(Set(checkpoint.tensors.names) == Set(result.tensors.names))
    #expect(checkpoint.groups == rewritten.groups)
    for state in [checkpoint, rewritten, result] {
      #expect(state.algorithm == original.algorithm)
      #expect(state.tensors.count == original.tensors.count)
      // The elements are the same, whatever the names of the layers.
      for slot in ["exp_avg", "exp_avg_sq", "momentum_buffer", "step"] {
        #expect(try values(of: slot, state) == values(of: slot, original), "\(slot)")
      }
    }
  }

  /// The elements of a slot of all parameters, sorted.
  private func values(of slot: String, _ state: OptimizerState) throws -> [Float] {
    try state.tensors.loaded().filter { $0.name.hasSuffix("." + slot) }.flatMap(\.tensor.floats)
      .sorted()
  }

  @Test(
    "formats that hold none leave it behind and say so",
    arguments: [
      ("a.pt", "a state dict holds none (--training writes a training checkpoint)"),
      ("a.onnx", "onnx holds none; a checkpoint (.h5) or .pt with --training does"),
      ("a.keras", "keras holds none; a checkpoint (.h5) or .pt with --training does"),
      ("a.safetensors", "safetensors holds none; a checkpoint (.h5) or .pt with --training does"),
    ])
  func leftBehind(name: String, reason: String) throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome([
      "convert", fixture("optimizer/adam.pt"), folder.file(name), "--json",
    ])
    let export = try #require(try convert.json()["export"] as? [String: Any])
    #expect(
      export["leftBehind"] as? [String] == ["the optimiser's state, 18 tensors: \(reason)"])
    #expect(try WeightsFile.read(folder.file(name)).optimizer == nil)
  }

  @Test("--training is for PyTorch's files, and for weights that have a state")
  func training() throws {
    let folder = try TemporaryFolder()
    let (onnx, pt) = (folder.file("a.onnx"), folder.file("a.pt"))
    expectFailure(
      try Outcome(["convert", fixture("optimizer/adam.pt"), onnx, "--training"]), 64,
      "\(onnx): --training cannot be used: it is not a PyTorch file")
    let whole = fixture("weights/whole.pt")
    expectFailure(
      try Outcome(["convert", whole, pt, "--training"]), 64,
      "\(whole): --training cannot be used: it holds no optimiser's state")
    #expect(try folder.names == [])
  }

  @Test("inspect says that there is one")
  func inspect() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    #expect(try Outcome(["convert", fixture("optimizer/adam.pt"), path]).status == 0)
    for file in [fixture("optimizer/adam.pt"), path] {
      #expect(try Outcome(["inspect", file]).output.contains("adam, step 2, 18 tensors, 384 B"))
      let json = try Outcome(["inspect", file, "--json"]).json()["optimizer"] as? [String: Any]
      #expect(json?["algorithm"] as? String == "adam")
      #expect(json?["step"] as? Int == 2)
      #expect(json?["tensors"] as? Int == 18)
      #expect(json?["bytes"] as? Int == 384)
    }
  }

  @Test("edit keeps what its names follow and says what it drops")
  func edit() throws {
    let folder = try TemporaryFolder()
    let (path, old) = (fixture("optimizer/adam.pt"), fixture("optimizer/old.pt"))
    let (renamed, dropped, mixed) =
      (folder.file("renamed.h5"), folder.file("dropped.h5"), folder.file("mixed.h5"))
    _ = try Outcome(["edit", path, renamed, "--rename", "conv{i}=body_{i-1}"])
    let state = try #require(try CheckpointFile(renamed).training?.optimizer)
    #expect(state.tensors.names.prefix(2) == ["body_0.weight.step", "body_0.weight.exp_avg"])
    #expect(state.groups[0].parameters.first == "body_0.weight")
    let drop = try Outcome(["edit", path, dropped, "--drop", "conv3.bias"])
    #expect(drop.output.contains("3 tensors of the optimiser's state left out"))
    #expect(try CheckpointFile(dropped).training?.optimizer?.tensors.count == 15)
    let merge = try Outcome(["edit", path, mixed, "--merge", old + ":0.5"])
    #expect(
      merge.output.contains("the optimiser's state left out: it is not that of a mixture"))
    #expect(try CheckpointFile(mixed).training?.optimizer == nil)
  }
}
