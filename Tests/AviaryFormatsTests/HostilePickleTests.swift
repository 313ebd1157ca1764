import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

/// Pickles that attack: each is refused at once, with nothing run and little memory taken.
@Suite struct HostilePickleTests {
  @Test(arguments: [
    ("os_system.pt", "posix.system"), ("os_system_protocol4.pt", "posix.system"),
    ("eval.pt", "__builtin__.eval"), ("through_torch.pt", "torch.serialization.os.system"),
    ("instance.pt", "subprocess.Popen"),
  ]) func isRefused(file: String, name: String) throws {
    let path = Fixture.path("pytorch/refused/" + file)
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(
      error.description
        == "\(path): the pickle names \(name), which no weights file needs; refused, nothing was run"
    )
  }

  @Test func torchScriptWithoutTensorsIsNamed() throws {
    let path = Fixture.path("pytorch/refused/torchscript.pt")
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(
      error.description == "\(path): expected named tensors, found a dictionary of 0")
  }

  @Test(
    arguments: [
      // LONG4 of 2 GiB, text of 2^63 - 1 and of 2^64 - 1 bytes, a frame of 2^64 - 1.
      (
        [0x8B, 0xFF, 0xFF, 0xFF, 0x7F],
        "truncated: the pickle at byte 32: expected 2147483647 bytes"
      ),
      (
        [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        "truncated: the pickle at byte 36: expected 9223372036854775807 bytes"
      ),
      (
        [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        "truncated: the pickle at byte 36: expected 9223372036854775807 bytes"
      ),
      (
        [0x95, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "damaged: the pickle before byte 37"
      ),
      // Extension registry, out-of-band buffer, text opcodes of protocol 0.
      ([0x82, 0x01], "pickle opcode 0x82 is not supported"),
      ([0x97], "pickle opcode 0x97 is not supported"),
      ([0x49, 0x31, 0x0A], "pickle opcode 0x49 is not supported"),
      // An empty stack, no mark, an unset memo, keys without values, items of what is no list.
      ([0x30], "expected a value, found an empty stack"),
      ([0x74], "expected a mark, found none"),
      ([0x68, 0x07], "memo 7 is used before it is set"),
      ([0x7D, 0x28, 0x4E, 0x75], "a key without a value"),
      ([0x4E, 0x4E, 0x61], "expected a list"),
      ([0x5D, 0x4E, 0x4E, 0x73], "expected a dictionary"),
      ([0x4E, 0x4E, 0x93], "expected the names of a module and of something in it"),
      // Nothing of use.
      ([0x4E], "expected named tensors, found a value"),
      ([0x7D], "expected named tensors, found a dictionary of 0"),
    ] as [([UInt8], String)]) func throwsAClearError(pickle: [UInt8], message: String) throws
  {
    let error = try #require(throws: CheckpointError.self) { try read(pickle) }
    #expect(error.description.contains(message), "\(error)")
  }

  @Test func aMillionNestedTuplesAreReadAndReleased() throws {
    let error = try #require(throws: CheckpointError.self) {
      try read([0x4E] + [UInt8](repeating: 0x85, count: 1_000_000))
    }
    #expect(error.description.hasSuffix("expected named tensors, found 0"))
  }

  @Test func aMillionOpenMarksAreReadAndReleased() throws {
    let error = try #require(throws: CheckpointError.self) {
      try read([UInt8](repeating: 0x28, count: 1_000_000))
    }
    #expect(error.description.contains("expected a value, found an empty stack"))
  }

  /// Ten dictionaries, each holding the one before ten thousand times: 10^40 values in 250 KB.
  @Test func billionLaughsCostNothing() throws {
    var pickle: [UInt8] = [0x7D, 0x71, 0x00]
    for level in 1...10 {
      pickle += [0x7D, 0x28]
      for key in 0..<10_000 {
        pickle += [0x4D] + LegacyFile.little(UInt16(key)) + [0x68, UInt8(level - 1)]
      }
      pickle += [0x75, 0x71, UInt8(level)]
    }
    let error = try #require(throws: CheckpointError.self) { try read(pickle) }
    #expect(error.description.contains("expected named tensors"))
  }

  /// A module that is its own child, and a tree of modules that shares every level.
  @Test func modulesInCirclesEnd() throws {
    func fields(_ children: [UInt8]) -> [UInt8] {
      [0x7D, 0x28] + LegacyFile.text("_parameters") + [0x7D] + LegacyFile.text("_modules")
        + children + [0x75]
    }
    let made: [UInt8] = Array("ctorch.nn\nModule\n".utf8) + [0x29, 0x81]
    // A new object in memo 0, whose state has it among its children.
    let circle =
      made + [0x71, 0x00] + fields([0x7D, 0x28] + LegacyFile.text("me") + [0x68, 0x00, 0x75]) + [
        0x62
      ]
    let deep = try #require(throws: CheckpointError.self) { try read(circle) }
    #expect(deep.description.hasSuffix("modules inside modules: 65 exceeds the limit of 64"))

    var tree = made + fields([0x7D]) + [0x62, 0x71, 0x00]
    for level in 1...40 {
      let child: [UInt8] = [0x68, UInt8(level - 1)]
      let children: [UInt8] =
        [0x7D, 0x28] + LegacyFile.text("a") + child + LegacyFile.text("b") + child + [0x75]
      tree += made + fields(children) + [0x62, 0x71, UInt8(level)]
    }
    let wide = try #require(throws: CheckpointError.self) { try read(tree) }
    #expect(wide.description.contains("values in the pickle: 2000001 exceeds the limit of 2000000"))
  }

  private func read(_ pickle: [UInt8]) throws -> NamedTensors {
    let folder = try TemporaryFolder()
    return try WeightsFile.read(folder.file("x.pt", LegacyFile.around(pickle))).tensors.loaded()
  }
}
