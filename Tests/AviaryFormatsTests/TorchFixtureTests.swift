import AviaryCheckpoint
import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Testing

/// Every way in which PyTorch saves tensors, against what PyTorch itself says is in them.
@Suite struct TorchFixtureTests {
  static let files = [
    "ema", "legacy", "lightning", "module", "module_legacy", "parameters", "prefixed", "protocol4",
    "protocol5", "scripted", "shared", "tar", "traced", "training", "types", "types_legacy",
    "views",
    "views_legacy", "zip",
  ].map { $0 + ".pt" }

  @Test func everyFixtureIsTested() throws {
    #expect(try Fixture.expected().keys.sorted() == Self.files)
  }

  @Test(arguments: files) func tensorsAreThoseOfPyTorch(file: String) throws {
    let expected = try #require(try Fixture.expected()[file])
    let read = try WeightsFile.read(Fixture.path("pytorch/containers/" + file))
    let formats: [String: FileFormat] = [
      "tar.pt": .torchTar, "scripted.pt": .torchScript, "traced.pt": .torchScript,
    ]
    #expect(
      read.format == formats[file] ?? (file.contains("legacy") ? .torchLegacy : .torchZip))
    let state = read
    #expect(state.tensors.names == expected.names)
    try expected.check(state.tensors)
    #expect(state.tensors.aliases == expected.aliases ?? [:])
    #expect(state.unwrapping.path == expected.path ?? [])
    #expect(state.unwrapping.prefix == expected.prefix ?? "")
    #expect(state.unwrapping.moduleClass == expected.moduleClass)
    if let notes = expected.notes { #expect(state.unwrapping.notes == notes) }
    if let ignored = expected.ignored { #expect(state.unwrapping.ignored == ignored) }
    let metadata = state.unwrapping.metadata.map { ($0.name, $0.value) }
    if let given = expected.metadata {
      #expect(Dictionary(uniqueKeysWithValues: metadata) == given)
    }
  }

  @Test func prefixCanBePutBack() throws {
    let state = try WeightsFile.read(Fixture.path("pytorch/containers/lightning.pt"))
    #expect(state.withPrefix.tensors.names == ["model.a", "model.b"])
    #expect(state.withPrefix.unwrapping.prefix.isEmpty)
    #expect(try state.withPrefix.tensors.tensor("model.a") == state.tensors.tensor("a"))
  }

  @Test func whatIsLeftAsideIsNamed() throws {
    let state = try WeightsFile.read(Fixture.path("pytorch/containers/training.pt"))
    #expect(state.unwrapping.ignored == ["args (an object of argparse.Namespace)"])
    #expect(state.optimizer?.algorithm == "adam")
  }
}
