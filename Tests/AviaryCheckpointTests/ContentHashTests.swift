import AviaryCheckpoint
import AviaryTensor
import Testing

@Suite struct ContentHashTests {
  /// SHA-256 of the bytes written out by hand: name "a" of length 1, rank 1, dimension 1, 1.0.
  @Test func isSHA256OfTheDocumentedBytes() throws {
    let weights = NamedTensors([("a", try Tensor(shape: [1], [1]))])
    #expect(
      ContentHash.of(weights)
        == "sha256:d84d13ab7e5c3aefbab46a0226822b8120b5e49e3259fc84fca8e2315c88e66a")
  }

  @Test func orderAndNarrowerTypesDoNotCount() throws {
    let a = try Tensor(shape: [2], [0.5, -3])
    let b = try Tensor(shape: [1, 1], [7])
    let hash = ContentHash.of(NamedTensors([("a", a), ("b", b)]))
    #expect(ContentHash.of(NamedTensors([("b", b), ("a", a)])) == hash)
    #expect(
      ContentHash.of(NamedTensors([("a", a.converted(to: .bfloat16)), ("b", b)])) == hash)
    #expect(ContentHash.of(NamedTensors([("a", a.converted(to: .float64)), ("b", b)])) == hash)
  }

  @Test func nameShapeAndValueCount() throws {
    let a = try Tensor(shape: [2], [0.5, -3])
    let hash = ContentHash.of(NamedTensors([("a", a)]))
    #expect(ContentHash.of(NamedTensors([("b", a)])) != hash)
    #expect(ContentHash.of(NamedTensors([("a", try a.reshaped(to: [1, 2]))])) != hash)
    #expect(
      ContentHash.of(NamedTensors([("a", try Tensor(shape: [2], [0.5, 3]))])) != hash)
    // What is left out does not count.
    #expect(ContentHash.of(NamedTensors([("a", a), ("n", a)]), excluding: ["n"]) == hash)
  }

  /// Sorted by bytes, not by the rules of Unicode or of numbers.
  @Test func namesAreSortedByTheirBytes() throws {
    let names = ["layer.10", "layer.2", "Z", "a", "é"]
    let tensors = try names.map { ($0, try Tensor(shape: [1], [Float($0.utf8.count)])) }
    #expect(
      ContentHash.of(NamedTensors(tensors)) == ContentHash.of(NamedTensors(tensors.reversed())))
  }
}
