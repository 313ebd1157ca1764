import AviaryCheckpoint
import AviaryTensor
import Testing

@Suite struct NamedTensorsTests {
  @Test func orderIsThatOfAppending() throws {
    var tensors = NamedTensors()
    for (i, name) in ["b", "a", "c"].enumerated() {
      tensors[name] = try Tensor(shape: [1], [Float(i)])
    }
    tensors["a"] = try Tensor(shape: [2], [5, 6])
    #expect(tensors.names == ["b", "a", "c"])
    #expect(tensors["a"]?.floats == [5, 6])
    #expect(tensors.elementCount == 4)
    tensors["b"] = nil
    tensors["absent"] = nil
    #expect(tensors.names == ["a", "c"])
    #expect(tensors.map(\.name) == ["a", "c"])
    #expect(tensors.renamed { "x." + $0 }.names == ["x.a", "x.c"])
  }
}
