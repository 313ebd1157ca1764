import AviaryCheckpoint
import AviaryContainers
import AviaryTestSupport
import Testing

@testable import AviaryFormats

/// What says only how a network was wrapped is taken from its tensors' names.
@Suite struct TensorNamesTests {
  private func unwrapped(_ names: [String]) -> (names: [String?], unwrapping: Unwrapping) {
    var unwrapping = Unwrapping()
    let result = TensorNames.unwrap(names, &unwrapping)
    return (result, unwrapping)
  }

  @Test func prefixes() {
    let (names, unwrapping) = unwrapped(["module._orig_mod.a.weight", "module._orig_mod.b.weight"])
    #expect(names == ["a.weight", "b.weight"])
    #expect(unwrapping.prefix == "module._orig_mod.")
    #expect(unwrapping.notes.isEmpty)
  }

  @Test func betweenTheParts() {
    let (names, unwrapping) = unwrapped([
      "body._orig_mod.0.weight", "body._orig_mod.0._fsdp_wrapped_module.bias", "head.weight",
    ])
    #expect(names == ["body.0.weight", "body.0.bias", "head.weight"])
    #expect(unwrapping.notes.count == 2)
    // Two names that would become one stay.
    let twice = ["a._orig_mod.weight", "a.weight"]
    #expect(unwrapped(twice).names == twice)
  }

  @Test func countersBeside() {
    let (names, unwrapping) = unwrapped(["n_averaged", "module.a.weight", "module.b.weight"])
    #expect(names == [nil, "a.weight", "b.weight"])
    #expect(unwrapping.ignored == ["n_averaged (a counter)"])
    let profiled = unwrapped(["a.weight", "a.total_ops", "a.total_params", "total_ops"])
    #expect(profiled.names == ["a.weight", nil, nil, nil])
    #expect(
      profiled.unwrapping.ignored == ["2 of total_ops (counters)", "total_params (a counter)"])
    // Without `module.` it is a tensor like any other.
    #expect(unwrapped(["n_averaged", "a.weight"]).names == ["n_averaged", "a.weight"])
  }

  /// The names that a network may have, the likeliest first.
  @Test func readings() throws {
    let file = try WeightsFile.read(Fixture.path("pytorch/containers/prefixed.pt"))
    let names = file.tensors.names
    #expect(
      file.readings.map(\.tensors.names)
        == [names, names.map { "_orig_mod." + $0 }, names.map { "module._orig_mod." + $0 }])
    #expect(file.readings.map(\.unwrapping.prefix) == ["module._orig_mod.", "module.", ""])
    let bare = try WeightsFile.read(Fixture.path("pytorch/containers/zip.pt"))
    #expect(
      bare.readings.map(\.tensors.names)
        == ["", "model.", "net."].map { lost in bare.tensors.names.map { lost + $0 } })
  }

  @Test func chosenPart() throws {
    let path = Fixture.path("pytorch/containers/ema.pt")
    let usual = try WeightsFile.read(path)
    #expect(usual.unwrapping.path == ["params_ema"])
    let chosen = try WeightsFile.read(path, ReadingOptions(part: "params"))
    #expect(chosen.unwrapping.path == ["params"])
    #expect(
      throws: CheckpointError.noPart(path: path, name: "netD", known: ["params", "params_ema"])
    ) {
      try WeightsFile.read(path, ReadingOptions(part: "netD"))
    }
  }
}
